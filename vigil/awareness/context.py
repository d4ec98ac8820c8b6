"""What every page of the public origin knows from this room."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from vigil.awareness.selectors import in_footer
from vigil.web.context import current_language


def footer(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the pages of prose in the footer."""
    return {"footer_pages": in_footer(current_language())}
