"""The pages of prose, their index, and the file that says whom to tell about a weakness."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vigil.awareness.pages import all_pages
from vigil.awareness.selectors import INDEX, groups_in, html_of, page_of
from vigil.core import clock
from vigil.core.hotline import hotline
from vigil.web.context import current_language
from vigil.web.http import page_url

#: The page that says how a weakness is told.
SECURITY_PAGE = "security_contact"
#: RFC 9116 asks for a date within a year, after which nobody should rely on the file.
SECURITY_TXT_LIFE = timedelta(days=180)


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


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Whom to tell about a weakness, for programs (RFC 9116). A demonstration has nobody to tell."""
    facts = hotline()
    if settings.VIGIL_DEMO or not facts.operator.email:
        raise Http404
    origin = f"{settings.SCHEME}://{request.get_host()}"
    expires = (clock.now() + SECURITY_TXT_LIFE).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: mailto:{facts.operator.email}", f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}"]
    if SECURITY_PAGE in all_pages():
        lines += [f"Policy: {origin}{page_url(f'awareness:{SECURITY_PAGE}', code)}" for code in facts.codes]
    lines += [f"Preferred-Languages: {', '.join(facts.codes)}", f"Canonical: {origin}{request.path}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
