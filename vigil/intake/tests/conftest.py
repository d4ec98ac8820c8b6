"""The public door as a test client: its URL map, its middleware, its database role, an operator who has named readers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from tests.hotlines import OPEN
from vigil import settings as vigil_settings
from vigil.core.limiter import TryLimiter
from vigil.intake.views import status

PUBLIC_MIDDLEWARE = [
    *vigil_settings._COMMON,
    "whitenoise.middleware.WhiteNoiseMiddleware",
    *vigil_settings._BY_ORIGIN["public"],
]


@pytest.fixture
def public_settings(settings):
    settings.HOTLINE_DIR = OPEN
    settings.MIDDLEWARE = PUBLIC_MIDDLEWARE
    settings.ROOT_URLCONF = "vigil.urls.public"
    settings.SESSION_COOKIE_SAMESITE = settings.CSRF_COOKIE_SAMESITE = "Strict"
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 0  # as in the process of the public origin
    status.status_limiter = TryLimiter()
    return settings


@pytest.fixture
def public(public_settings, role) -> Iterator[Browser]:
    """A browser at the public door. Everything it does runs as `vigil_public`."""
    with role("vigil_public"):
        yield Browser()


class Browser:
    """Fills in forms like a browser without scripts: token, hidden fields and cookies travel by themselves."""

    def __init__(self, language: str = "en") -> None:
        self.client = Client(
            enforce_csrf_checks=True, headers={"host": "report.localhost", "user-agent": "canary-agent"}
        )
        self.language = language
        self.page = None

    def get(self, url: str):
        self.page = self.client.get(url, secure=True)
        return self.page

    def post(self, url: str, *, follow: bool = True, **fields):
        data = {"csrfmiddlewaretoken": self._token(url), "action": "next", **fields}
        self.page = self.client.post(
            url, data, secure=True, follow=follow, headers={"origin": "https://report.localhost"}
        )
        return self.page

    def _token(self, url: str) -> str:
        pattern = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
        found = pattern.search(self.page.content.decode()) if self.page is not None else None
        if found is None:
            found = pattern.search(self.client.get(url, secure=True).content.decode())
        assert found, f"no form at {url}"
        return found.group(1)

    @property
    def text(self) -> str:
        return self.page.content.decode()

    @property
    def path(self) -> str:
        chain = getattr(self.page, "redirect_chain", [])
        return chain[-1][0] if chain else self.page.request["PATH_INFO"]


ANSWERS = {
    "danger": {"danger": "no"},
    "for-whom": {"who": "saw"},
    "about": {"situations": ["seen_material"]},
    "details": {
        "identifiable": "unsure",
        "link_0": "https://pictures.example/page/7",
        "handle_0": "name123 in a chat app",
        "narrative": "A page with pictures was reported.",
    },
    "contact": {"contact_name": "Sam", "contact_way": "sam@mail.example", "may_share": "no"},
}


def fill_in(browser: Browser, **changes: dict[str, object]) -> Browser:
    """Answer every question; the browser then stands on the check page. `for_whom={...}` changes one page's answers."""
    browser.get("/en/report/danger")
    for step, answers in ANSWERS.items():
        browser.post(f"/en/report/{step}", **changes.get(step.replace("-", "_"), answers))
        assert browser.page.status_code == 200, browser.text
    assert browser.path == "/en/report/check"
    return browser


def receipt_on(text: str) -> tuple[str, str]:
    """Number and secret shown on a page."""
    number = re.search(r'id="number">([^<]+)<', text)
    secret = re.search(r'id="secret">([^<]+)<', text)
    assert number and secret, "no receipt on this page"
    return number.group(1), secret.group(1)
