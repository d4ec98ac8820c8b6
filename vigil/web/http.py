"""Small helpers for HTTP doors: methods, one address for each language, safe redirects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, Resolver404, URLPattern, path, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from vigil.core.hotline import STAFF_LANGUAGES, Hotline, hotline
from vigil.web.languages import language_asked_for as language_asked_for
from vigil.web.languages import other_language_of as other_language_of

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def require_post(view: View) -> View:
    """Only POST may change state; a GET of such an address is answered 405. `page_to_come_back_to` knows the mark."""
    guarded = require_POST(view)
    guarded.is_a_step = True  # type: ignore[attr-defined]
    return cast(View, guarded)


require_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


def bilingual(
    name: str,
    en: str,
    fr: str,
    view: Callable[..., HttpResponse],
    kwargs: dict[str, Any] | None = None,
    *,
    languages: tuple[str, ...] | None = None,
) -> list[URLPattern]:
    """One route a language for one page: `/en/<en>` named `<name>-en`, `/fr/<fr>` named `<name>-fr`, and so on.

    The languages are the hotline's; a page for staff or providers names `STAFF_LANGUAGES` instead. Another language than
    English and French takes its words for addresses from the hotline's file, and English where it has none.
    `{% page "room:name" %}` links to the one in the active language; `{% language_link %}` to the others.
    """
    facts = hotline()
    return [
        path(f"{code}/{_slug(facts, code, en, fr)}", view, kwargs, name=f"{name}-{code}")
        for code in languages or facts.codes
    ]


def _slug(facts: Hotline, code: str, en: str, fr: str) -> str:
    return {"en": en, "fr": fr}.get(code) or (
        facts.language(code).slug(en) if en and code not in STAFF_LANGUAGES else ""
    )


def page_url(name: str, language: str, *args: Any, **kwargs: Any) -> str:
    """Address of a page in one language."""
    return reverse(f"{name}-{language}", args=args, kwargs=kwargs)


def path_in_other_language(path_info: str, language: str, other: str = "") -> str:
    """The same page in another language, or that language's home when there is none. No query string travels."""
    other = other or other_language_of(language)
    try:
        match = resolve(path_info)
        captured = dict(getattr(match, "captured_kwargs", None) or {})
        if match.view_name and match.view_name.endswith((f"-{language}", f"_{language}")):
            return reverse(
                match.view_name[: -len(language)] + other,
                args=match.args,
                kwargs=captured or None,
            )
        if "language" in match.kwargs:
            return reverse(
                match.view_name,
                args=match.args,
                kwargs={**captured, "language": other},
            )
        if path_info.startswith(f"/{language}/"):
            swapped = f"/{other}/" + path_info[len(language) + 2 :]
            resolve(swapped)
            return swapped
    except (Resolver404, NoReverseMatch):
        pass
    return f"/{other}/"


def page_to_come_back_to(request: HttpRequest) -> str:
    """The page a person is on, as an address for GET: with its query, or for a form sent to a step, the page of that form.

    A form with errors is shown at the address of its step (`/incidents/N/decide`), which answers nobody's GET.
    """
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    address = request.path_info
    while address != "/":
        for candidate in (address, f"{address}/"):
            try:
                if not getattr(resolve(candidate).func, "is_a_step", False):
                    return candidate
            except Resolver404:
                continue
        address = address.rstrip("/").rpartition("/")[0] or "/"
    return "/"


def remember_language(response: HttpResponse, language: str) -> None:
    """Keep the language of this browser session (staff origins)."""
    response.set_cookie("__Host-l", language, secure=True, httponly=True, samesite="Lax", path="/")


def safe_redirect(request: HttpRequest, target: str, fallback: str) -> HttpResponseRedirect:
    """Redirect to a path of our own; anything else goes to the fallback."""
    if not (target.startswith("/") and url_has_allowed_host_and_scheme(target, allowed_hosts=None)):
        target = fallback
    return HttpResponseRedirect(target, status=303)


def wants_json(request: HttpRequest) -> bool:
    """True for a client that asks for JSON and not for a page."""
    accept = request.headers.get("Accept", "")
    return "json" in accept and "text/html" not in accept
