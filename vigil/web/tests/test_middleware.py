"""Headers by origin, errors as pages, the language of a request."""

from __future__ import annotations

import json

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from vigil.core.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable, VigilError
from vigil.web import errors as web_errors
from vigil.web.errors import STATUS_OF_FAMILY, register_sentence
from vigil.web.http import path_in_other_language, safe_redirect
from vigil.web.middleware import ErrorPagesMiddleware, SecurityHeadersMiddleware


def answer(host: str, response: HttpResponse | None = None, url: str = "/") -> HttpResponse:
    request = RequestFactory(headers={"host": host}).get(url)
    return SecurityHeadersMiddleware(lambda _: response or HttpResponse("x"))(request)


@pytest.mark.parametrize(
    ("host", "has", "has_not"),
    [
        ("report.localhost:8000", "require-trusted-types-for 'script'", "connect-src"),
        ("console.localhost:8001", "connect-src 'self'", "trusted-types"),
        ("partner.localhost", "connect-src 'self'", "trusted-types"),
        ("api.localhost", "default-src 'none'; frame-ancestors 'none'", "script-src"),
    ],
)
def test_each_origin_has_its_own_policy(host, has, has_not):
    policy = answer(host)["Content-Security-Policy"]
    assert has in policy and has_not not in policy
    assert "'unsafe" not in policy


def test_a_stricter_policy_of_a_view_is_kept():
    response = HttpResponse("x", headers={"Content-Security-Policy": "sandbox", "Cache-Control": "no-store, private"})
    answered = answer("console.localhost", response)
    assert answered["Content-Security-Policy"] == "sandbox"
    assert answered["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize("family", list(STATUS_OF_FAMILY))
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_family_of_errors_is_a_page_in_both_languages(family, language, settings):
    from django.utils import translation

    settings.PROCESS = "public"
    with translation.override(language):
        response = ErrorPagesMiddleware(lambda _: HttpResponse())
        page = response.process_exception(RequestFactory().get("/"), family(code="some.code"))
        assert page is not None and page.status_code == STATUS_OF_FAMILY[family]
        text = page.content.decode()
        for other in ("en", "fr"):
            with translation.override(other):
                title = str(web_errors.TITLES[page.status_code])
            assert title in text
    assert "some.code" in text and "911" in text
    assert ("Retry-After" in page) == (page.status_code == 503)


@pytest.mark.parametrize(("process", "place"), [("console", "Console"), ("partner", "Partners")])
def test_an_error_of_a_staff_origin_leads_back_to_its_pages_and_not_to_help_lines(process, place, settings):
    settings.PROCESS = process
    page = ErrorPagesMiddleware(lambda _: HttpResponse()).process_exception(RequestFactory().get("/"), NotFound())
    assert page is not None
    text = page.content.decode()
    assert f">{place}</span>" in text and 'class="staff"' in text and "tel:" not in text


def test_protocol_clients_get_the_code_as_json(settings):
    settings.PROCESS = "wire"
    page = ErrorPagesMiddleware(lambda _: HttpResponse()).process_exception(
        RequestFactory().get("/"), NotFound(code="entry.not_found")
    )
    assert page is not None
    assert json.loads(page.content)["error"]["code"] == "entry.not_found"


def test_unknown_errors_are_not_dressed_up():
    middleware = ErrorPagesMiddleware(lambda _: HttpResponse())
    assert middleware.process_exception(RequestFactory().get("/"), VigilError()) is None
    assert middleware.process_exception(RequestFactory().get("/"), ValueError("x")) is None


def test_a_code_can_have_its_own_sentence(settings, monkeypatch):
    settings.PROCESS = "console"
    monkeypatch.setattr(web_errors, "_SENTENCE_OF_CODE", dict(web_errors._SENTENCE_OF_CODE))
    register_sentence("test.code", "This is what happened.")
    page = ErrorPagesMiddleware(lambda _: HttpResponse()).process_exception(
        RequestFactory().get("/"), Conflict(code="test.code")
    )
    assert page is not None and "This is what happened." in page.content.decode()


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:x", "/\\elsewhere.example", ""]
)
def test_redirects_stay_on_our_own_paths(target):
    assert safe_redirect(RequestFactory().get("/"), target, "/home")["Location"] == "/home"


def page_of(request, **kwargs):
    return HttpResponse("x")


urlpatterns = [
    path("en/figures", page_of, name="figures-en"),
    path("fr/chiffres", page_of, name="figures-fr"),
    path("en/case/<int:n>", page_of, name="case_en"),
    path("fr/dossier/<int:n>", page_of, name="case_fr"),
    path("<str:language>/shared", page_of, name="shared"),
]


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("/en/figures", "/fr/chiffres"),
        ("/fr/chiffres", "/en/figures"),
        ("/en/case/7", "/fr/dossier/7"),
        ("/en/shared", "/fr/shared"),
        ("/en/unknown", "/fr/"),
    ],
)
def test_the_same_page_is_found_in_the_other_language(settings, here, there):
    settings.ROOT_URLCONF = __name__
    assert path_in_other_language(here, here[1:3]) == there


def test_the_staff_language_switch_sets_a_session_cookie_and_goes_back(settings, db):
    settings.ROOT_URLCONF = "vigil.urls.console"
    settings.MIDDLEWARE = ["vigil.web.middleware.LanguageOfPersonMiddleware"]
    client = Client(headers={"host": "console.localhost"})
    response = client.post("/language/", {"language": "fr", "next": "/queue"}, secure=True)
    assert (response.status_code, response["Location"]) == (303, "/queue")
    cookie = response.cookies["__Host-l"]
    assert cookie.value == "fr" and cookie["secure"] and cookie["httponly"] and not cookie["max-age"]
    assert client.get("/language/", secure=True).status_code == 405
    assert "__Host-l" not in client.post("/language/", {"language": "xx"}, secure=True).cookies


def test_reports_of_browsers_are_read_for_the_directive_alone(settings, db, caplog):
    settings.ROOT_URLCONF = "vigil.urls.public"
    settings.MIDDLEWARE = []
    client = Client(headers={"host": "report.localhost"})
    body = [{"body": {"effectiveDirective": "img-src", "blockedURL": "https://canary.example/zebra"}}, {"body": 7}, 3]
    assert client.post("/csp-reports/", json.dumps(body), content_type="application/reports+json").status_code == 204
    assert client.post("/csp-reports/", b"\xff", content_type="application/reports+json").status_code == 400
    assert "zebra" not in caplog.text


@pytest.mark.parametrize("family", [NotFound, NotPermitted, Invalid, Conflict, Unavailable])
def test_families_and_their_subclasses_share_a_status(family):
    class Narrow(family):
        code = "narrow"

    assert web_errors.status_of(Narrow()) == STATUS_OF_FAMILY[family]
