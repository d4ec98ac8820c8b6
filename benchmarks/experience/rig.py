"""What the goals share: one browser, one installation, and a way to get a fresh page."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from benchmarks.experience.browsing import PERSONAS, START, Persona, Walk, new_context
from benchmarks.experience.site import pages_of
from tests.browser.conftest import Installation


@dataclass
class Rig:
    """One browser and one installation."""

    browser: Browser
    site: Installation

    @contextmanager
    def page(self, **options: Any) -> Iterator[Page]:
        """A page in a fresh profile, closed afterwards."""
        context = new_context(self.browser, **options)
        try:
            page = context.new_page()
            page.set_default_timeout(30_000)
            yield page
        finally:
            context.close()

    def walk(self, page: Page, language: str = "en", persona: Persona = PERSONAS[0], **options: Any) -> Walk:
        """A walk through the report."""
        return Walk(page, self.site, language, persona, **options)

    @functools.cached_property
    def _pages(self) -> dict[str, str]:
        pages = {}
        for name, path in pages_of(self.site).items():
            answer = httpx.get(
                f"http://127.0.0.1:{self.site.base}{path}", headers={"Host": f"report.localhost:{self.site.base}"}
            )
            if (
                answer.status_code != 405
                and not answer.is_redirect
                and "html" in answer.headers.get("content-type", "")
            ):
                pages[name] = path
        return pages

    def public_pages(self) -> dict[str, str]:
        """Route name to path: every page of the report site that a person can load (no redirects, no data files)."""
        return self._pages

    def languages(self) -> tuple[str, ...]:
        """The languages of the site."""
        return tuple(START)


def seconds_since(begun: float) -> float:
    """Seconds since a moment of `time.monotonic()`."""
    return time.monotonic() - begun
