"""Mistakes in a page's markup, found by a parser that follows the HTML standard, and names used twice."""

from __future__ import annotations

from collections import Counter

from justhtml import JustHTML
from playwright.sync_api import Page, Response
from selectolax.lexbor import LexborHTMLParser


class SentMarkup:
    """Keeps the last document that a page was sent, as it was sent: the browser has repaired the one it shows."""

    def __init__(self, page: Page) -> None:
        self._last: Response | None = None
        page.on("response", self._keep)

    def _keep(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.status not in {301, 302, 303, 307, 308}:
            self._last = response

    def mistakes(self) -> list[str]:
        """What is wrong with it."""
        return mistakes_in(self._last.text()) if self._last is not None else ["nothing was sent"]


def mistakes_in(html: str) -> list[str]:
    """What the standard calls a parse error, and every id that stands twice."""
    found = [str(error.code) for error in JustHTML(html, collect_errors=True).errors]
    ids = Counter(node.attributes.get("id") or "" for node in LexborHTMLParser(html).css("[id]"))
    return [*found, *(f"id {name} {count} times" for name, count in ids.items() if count > 1)]
