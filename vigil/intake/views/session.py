"""The one cookie of a report in progress: who holds it, and how it is forgotten."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from vigil.intake import receipts
from vigil.web.context import current_language, form_is_open
from vigil.web.http import page_url

View = Callable[..., HttpResponse]
DATABASE_AWAY = (OperationalError, InterfaceError)


def token_of(request: HttpRequest) -> bytes | None:
    """The token in the request's cookie, or None."""
    return receipts.token_from(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))


def keep_token(response: HttpResponse, token: bytes) -> None:
    """Give the token to the browser, until it is closed."""
    response.set_cookie(
        settings.SESSION_COOKIE_NAME,
        receipts.token_text(token),
        secure=True,
        httponly=True,
        samesite="Strict",
        path="/",
    )


def forget(response: HttpResponse) -> HttpResponse:
    """Expire our two cookies and the rest by header; "cookies" in it would reach the sibling origins too."""
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        response.delete_cookie(name, path="/", samesite="Strict")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def go(page: str, language: str | None = None) -> HttpResponseRedirect:
    """Redirect to a page of this room."""
    return HttpResponseRedirect(page_url(f"intake:{page}", language or current_language()), status=303)


def open_form_only(view: View) -> View:
    """Refuse with a page of its own while the operator has not named readers, telephone and hours."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not form_is_open():
            return render(request, "intake/not_open.html", status=503)
        return view(request, *args, **kwargs)

    return guarded
