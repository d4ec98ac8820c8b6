"""Headers on every response, pages for every error, and the language of a request."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from vigil.core.errors import VigilError
from vigil.core.hotline import STAFF_LANGUAGES
from vigil.web.errors import status_of
from vigil.web.languages import door_speaks, public_languages
from vigil.web.views import error_page

GetResponse = Callable[[HttpRequest], HttpResponse]

_PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
CONTENT_SECURITY_POLICY = {
    "public": f"{_PAGES}; require-trusted-types-for 'script'; trusted-types vigil; report-to csp",
    "console": f"{_PAGES}; connect-src 'self'; report-to csp",
    "partner": f"{_PAGES}; connect-src 'self'; report-to csp",
    "wire": "default-src 'none'; frame-ancestors 'none'",
}
_SWITCHED_OFF = [
    "accelerometer",
    "ambient-light-sensor",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "web-share",
    "xr-spatial-tracking",
]
PERMISSIONS_POLICY = ", ".join(
    [f"{name}=()" for name in _SWITCHED_OFF]
    + [
        "fullscreen=(self)",
        "publickey-credentials-get=(self)",
        "publickey-credentials-create=(self)",
    ]
)
HEADERS_OF_EVERY_ORIGIN = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "X-DNS-Prefetch-Control": "off",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: by the Fetch standard it turns the Origin of a form post into null, which Django refuses.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
}


def origin_of(request: HttpRequest) -> str:
    """Which of the four origins answers: the process says so; a test process serves all four and goes by host name."""
    if settings.PROCESS in settings.HOST_OF_ORIGIN:
        return str(settings.PROCESS)
    host = request.META.get("HTTP_HOST", "").partition(":")[0]
    for origin, name in settings.HOST_OF_ORIGIN.items():
        if host == name:
            return str(origin)
    return "public"


class SecurityHeadersMiddleware:
    """The table of headers, on every response: pages, errors, redirects and static files. It stands first.

    A view may set a stricter Content-Security-Policy or its own Cache-Control; both are kept.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        response = self.get_response(request)
        origin = origin_of(request)
        if "Content-Security-Policy" not in response:
            response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY[origin]
        if origin != "wire":
            response["Reporting-Endpoints"] = 'csp="/csp-reports/"'
        for name, value in HEADERS_OF_EVERY_ORIGIN.items():
            response[name] = value
        if settings.SECURE_HSTS_SECONDS:
            response["Strict-Transport-Security"] = (
                f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
            )
        is_static = request.path_info.startswith(settings.STATIC_URL) and response.status_code in {200, 206, 304}
        if not is_static:
            response["X-Robots-Tag"] = "noindex"
            if "Cache-Control" not in response:
                response["Cache-Control"] = "no-store"
        return response


class ErrorPagesMiddleware:
    """A VigilError becomes the page of its family, a database that is away an honest 503. Details go nowhere."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request; one for another host's name is refused before anything looks at it."""
        request.get_host()
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Refuse what another site makes a browser send, sibling origins included; clients without browsers say nothing."""
        if request.method in {"GET", "HEAD", "OPTIONS"} or settings.PROCESS == "wire":
            return None
        if request.headers.get("Sec-Fetch-Site", "none") in {"cross-site", "same-site"}:
            return error_page(request, 403, "web.cross_site")
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for an error that a view raised, or None to let it be a 500."""
        if isinstance(exception, VigilError):
            status = status_of(exception)
            return error_page(request, status, exception.code) if status != 500 else None
        if isinstance(exception, (OperationalError, InterfaceError)):
            return error_page(request, 503, "database.unavailable")
        return None


class LanguageInPathMiddleware:
    """Public origin: the first part of the address is the language, `/fr/...`; no cookie and no header decides."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request; an address without one of the hotline's languages is in its first."""
        spoken = public_languages()
        first = request.path_info.split("/", 2)[1] if request.path_info.startswith("/") else ""
        return _answer_in(first if first in spoken else spoken[0], spoken, request, self.get_response)


class LanguageOfPersonMiddleware:
    """Staff origins, in English and French: the language chosen in this browser session, else the browser's, else English."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        in_path = next((code for code in STAFF_LANGUAGES if request.path_info.startswith(f"/{code}/")), "")
        asked = in_path or request.COOKIES.get("__Host-l", "") or translation.get_language_from_request(request)
        language = next((code for code in STAFF_LANGUAGES if asked.startswith(code)), STAFF_LANGUAGES[0])
        response = _answer_in(language, STAFF_LANGUAGES, request, self.get_response)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response


def _answer_in(language: str, spoken: tuple[str, ...], request: HttpRequest, get_response: GetResponse) -> HttpResponse:
    with translation.override(language), door_speaks(spoken):
        request.LANGUAGE_CODE = language
        response = get_response(request)
    response.headers.setdefault("Content-Language", language)
    return response
