"""What axes asks of us: whose attempt it was, and the page that a locked name sees."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse


def name_of(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """The name that failures are counted under: the address typed, in small letters, whether or not an account has it."""
    typed = (credentials or {}).get("email") or (credentials or {}).get("username")
    if not typed and request is not None:
        typed = request.POST.get("login", "")
    return str(typed or "").strip().lower()[:255]


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """The answer to a locked name: the same for names with and without an account."""
    from django.shortcuts import render

    response = render(request, "accounts/locked_out.html", status=429)
    response["Retry-After"] = "900"
    return response
