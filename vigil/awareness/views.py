"""The pages of prose, their index, and the file that says whom to tell about a weakness."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vigil.awareness.selectors import INDEX, groups_in, html_of, page_of
from vigil.web.context import current_language


@require_safe
def page(request: HttpRequest, code: str) -> HttpResponse:
    """One page of prose in the language of its address."""
    language = current_language()
    found, groups = page_of(code), groups_in(language)
    context = {
        "page": found,
        "text": found.texts[language],
        "html": html_of(code, language),
        "groups": groups if code == INDEX else [],
        "more": [group for group in groups if group.audience == found.audience and code != INDEX],
        "is_young": found.register == "young",
    }
    return render(request, "awareness/page.html", context)
