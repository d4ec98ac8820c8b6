"""What every page of the public origin knows from this room."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from vigil.awareness.selectors import audiences_in, in_footer, index_title
from vigil.web.context import current_language


def pages_of_prose(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the pages in the footer, and the way to each audience's pages."""
    language = current_language()
    return {
        "footer_pages": in_footer(language),
        "learn_title": index_title(language),
        "learn_links": audiences_in(language),
    }
