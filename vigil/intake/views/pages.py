"""Pages without a form, and the way out."""

from __future__ import annotations

import contextlib

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from vigil.core.hotline import hotline, said
from vigil.intake import services
from vigil.intake.views.report import start_url
from vigil.intake.views.session import DATABASE_AWAY, forget, open_form_only, token_of
from vigil.web.context import current_language


@require_safe
def choose_language(request: HttpRequest) -> HttpResponse:
    """The address without a language: all of them, side by side."""
    return render(request, "intake/choose.html")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the right door in one choice."""
    return render(request, "intake/home.html")


@require_safe
@open_form_only
def before_you_start(request: HttpRequest) -> HttpResponse:
    """What is coming, before anything is asked."""
    return render(request, "intake/before.html", {"start_url": start_url(current_language())})


@require_safe
def safety(request: HttpRequest) -> HttpResponse:
    """What leaving quickly does, what it cannot hide, and how to leave fewer traces."""
    return render(request, "intake/safety.html")


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Who answers, now."""
    return render(request, "intake/help.html")


@require_safe
def crawler(request: HttpRequest) -> HttpResponse:
    """What our crawler does: the page that its user agent names."""
    return render(request, "intake/crawler.html")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Forget what was filled in and go somewhere harmless. A link, so that it works without scripts."""
    token = token_of(request)
    if token is not None and request.method != "HEAD":
        with contextlib.suppress(*DATABASE_AWAY):  # the row runs out by itself; going away comes first
            services.discard_draft(token=token)
    return forget(HttpResponseRedirect(said(hotline().leave_to, current_language()), status=303))
