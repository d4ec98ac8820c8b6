"""Error pages, the language switch of the staff origins, and the small door for policy reports of browsers."""

from __future__ import annotations

import json
import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from vigil.core.hotline import STAFF_LANGUAGES, hotline
from vigil.web.context import current_language, operator_in
from vigil.web.errors import sentence_of, title_of
from vigil.web.http import remember_language, require_post, safe_redirect, wants_json

log = logging.getLogger("vigil.web")

CSP_DIRECTIVES = frozenset(
    [
        "default-src",
        "script-src",
        "script-src-elem",
        "script-src-attr",
        "style-src",
        "style-src-elem",
        "style-src-attr",
        "img-src",
        "font-src",
        "connect-src",
        "form-action",
        "base-uri",
        "frame-ancestors",
        "worker-src",
        "require-trusted-types-for",
        "trusted-types",
    ]
)


def error_page(
    request: HttpRequest,
    status: int,
    code: str = "",
    *,
    retry_after_seconds: int | None = None,
) -> HttpResponse:
    """The page (or JSON answer) for one status, in both languages, with the telephone number, never with a detail."""
    if settings.PROCESS == "wire" or wants_json(request):
        return JsonResponse(
            {
                "error": {
                    "code": code or "internal",
                    "status": status,
                    "title": title_of(status),
                }
            },
            status=status,
        )
    context = {
        "status": status,
        "code": code,
        "title": title_of(status),
        "sentence": sentence_of(status, code),
        "operator": operator_in(current_language()),
    }
    response = HttpResponse(render_to_string("web/error.html", context), status=status)
    if status == 503:
        response["Retry-After"] = str(retry_after_seconds or 30)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: the page was old, or it came from elsewhere."""
    return error_page(request, 403, "web.form_expired")


@login_not_required
@require_post
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language of this browser session (staff origins) and go back to the page the person was on."""
    language = request.POST.get("language", "")
    response = safe_redirect(request, request.POST.get("next", "/"), "/")
    if language in STAFF_LANGUAGES:
        remember_language(response, language)
    return response


@require_safe
def logo(request: HttpRequest, name: str) -> HttpResponse:
    """A partner's picture from the hotline's folder. Its digest is in its name, so a browser may keep it for good."""
    found = next((each for each in hotline().logos if each.file_name == name), None)
    if found is None:
        return error_page(request, 404)
    response = HttpResponse(found.data, content_type=found.content_type)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@login_not_required
@csrf_exempt
@require_post
def csp_report(request: HttpRequest) -> HttpResponse:
    """Keep the name of the directive only: addresses and samples in such a report could be a person's words."""
    try:
        reports = json.loads(request.body[:16_384])
    except (ValueError, RequestDataTooBig):
        return HttpResponse(status=400)
    for report in reports[:20] if isinstance(reports, list) else []:
        body = report.get("body") if isinstance(report, dict) else None
        directive = str(body.get("effectiveDirective")) if isinstance(body, dict) else ""
        log.warning(
            "csp.violation",
            extra={"directive": directive if directive in CSP_DIRECTIVES else "other"},
        )
    return HttpResponse(status=204)
