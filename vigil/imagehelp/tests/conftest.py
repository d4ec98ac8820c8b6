"""The public door as a test client, on the pages of image help."""

from __future__ import annotations

import pytest

from vigil.core.limiter import TryLimiter
from vigil.imagehelp import views
from vigil.intake.tests.conftest import Browser, public, public_settings

__all__ = ["Browser", "public", "public_settings"]

PDQ = "pdq:" + "a5c3" * 16 + ":100"
OTHER_PDQ = "pdq:" + "3b91" * 16 + ":90"
MD5 = "md5:" + "1f" * 16


@pytest.fixture(autouse=True)
def no_tries_so_far():
    views.status_limiter = TryLimiter()


def fill_in(
    browser: Browser, *, fingerprints: str = f"{PDQ}\n{MD5}", who: str = "me", age: str = "under_18", **where: str
):
    """Answer every page without scripts; the browser then stands on the check page."""
    browser.get("/en/remove-my-image")
    browser.post("/en/remove-my-image", who=who, age=age)
    browser.get("/en/remove-my-image/files")
    browser.post("/en/remove-my-image/files", pasted=fingerprints)
    browser.post("/en/remove-my-image/where", **where)
    assert browser.path == "/en/remove-my-image/check", browser.text
    return browser


def send(browser: Browser, **answers: str) -> tuple[str, str]:
    """A whole case; returns number and code."""
    import re

    fill_in(browser, **answers)
    browser.post("/en/remove-my-image/check")
    number = re.search(r'id="number">([^<]+)<', browser.text)
    code = re.search(r'id="code">([^<]+)<', browser.text)
    assert number and code, browser.text
    return number[1], code[1]
