"""Every route of the four origins: who reaches it, that looking changes nothing, that other sites reach nothing, its headers."""

from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.project.conftest import ORIGINS, routes_of, rows_written
from vigil.accounts import signin_settings
from vigil.accounts.policies import Role

MATRIX = Path(__file__).with_name("routes.txt")
STAFF_ORIGINS = ("console", "partner")
PARTNERS = (Role.POLICE_OFFICER, Role.PROVIDER)
STAFF = tuple(role for role in Role if role not in PARTNERS)

# Who has not signed in reaches these, at both staff origins, and nothing else.
OPEN = {
    "account_login": "where one signs in",
    "mfa_login_webauthn": "signing in with a passkey",
    "mfa_authenticate": "the second step of signing in",
    "accounts:invitation": "a one-use link makes an account",
    "account_logout": "also cancels a sign-in between its two steps",
    "web:language": "the language of the sign-in page",
    "web:csp_report": "reports of browsers, also from the sign-in page",
    "removal_answer:answer": "providers answer a notice without an account",
    "removal_answer:page-en": "providers answer a notice without an account",
    "removal_answer:page-fr": "providers answer a notice without an account",
    "removal_answer:thanks-en": "providers answer a notice without an account",
    "removal_answer:thanks-fr": "providers answer a notice without an account",
}
# POST without a token: a browser's report has none; leaving quickly must never fail, and only forgets the sender's own draft.
WITHOUT_TOKEN = {"web:csp_report", "intake:leave-en", "intake:leave-fr"}
# A session is touched by being used and keeps what a passkey must answer. Every refusal and every view is in the audit log.
MAY_BE_WRITTEN_BY_LOOKING = {"public.accounts_session", "audit.event", "audit.chain"}
FINE = {200, 302, 303, 401, 403, 404, 405}


def test_the_open_views_are_the_listed_ones():
    demonstration = {"vigil_demo:sign_in"}
    assert set(signin_settings.OPEN_VIEWS) - demonstration == set(OPEN)


@pytest.mark.parametrize("origin", STAFF_ORIGINS)
def test_who_has_not_signed_in_is_sent_to_sign_in_from_everywhere_else(door, origin):
    client, wrong = door(origin), {}
    for route in routes_of(origin):
        for answer in (client.get(route.path), client.post(route.path)):
            is_sent_away = answer.status_code == 302 and answer["Location"].startswith("/sign-in/?next=")
            if is_sent_away != (route.name not in OPEN):
                wrong[str(route)] = (answer.status_code, answer.get("Location"))
    assert wrong == {}


def statuses(door, origin, role, make_person):
    """Status of every route without parameters, for one role. Raises when looking changed a row."""
    client = door(origin, actor=make_person(roles={role}, clearance=3))
    found = {}
    for route in routes_of(origin):
        before = rows_written()
        answer = client.get(route.path)
        after = rows_written()
        changed = {table for table in after if after[table] != before.get(table, 0)} - MAY_BE_WRITTEN_BY_LOOKING
        assert (str(route), changed) == (str(route), set())
        found[route] = answer.status_code
    return found


@pytest.mark.parametrize(
    ("origin", "member"), [*[("console", role) for role in STAFF], *[("partner", role) for role in PARTNERS]]
)
def test_looking_changes_nothing_and_never_breaks_and_each_role_reaches_what_is_listed(
    door, make_person, origin, member
):
    """The list is routes.txt: a page that opens to one more role is a decision, made there. Everybody here has clearance 3."""
    found = statuses(door, origin, member, make_person)
    assert {str(route): status for route, status in found.items() if status not in FINE} == {}
    assert [str(route) for route, status in found.items() if "<" in route.pattern and status == 200] == []
    lines = {f"{route} {member} {status}" for route, status in found.items() if "<" not in route.pattern}
    listed = {line for line in MATRIX.read_text().splitlines() if line.startswith(origin) and f" {member} " in line}
    assert lines == listed


def test_nothing_is_listed_for_a_route_or_a_role_that_is_gone():
    routes = {str(route) for origin in STAFF_ORIGINS for route in routes_of(origin)}
    for line in MATRIX.read_text().splitlines():
        origin, pattern, role, status = line.split(" ")
        assert f"{origin} {pattern}" in routes and role in set(Role) and int(status) in FINE


def test_no_protocol_door_answers_without_a_key(door):
    client = door("wire")
    answers = {
        str(route): {client.get(route.path).status_code, client.post(route.path).status_code}
        for route in routes_of("wire")
    }
    open_to_all = {"wire /v1/reports/openapi.json": "the description of a door is no secret"}
    closed = {route: found for route, found in answers.items() if route not in open_to_all}
    assert {route: found for route, found in closed.items() if not found <= {401, 404, 405}} == {}
    assert sum(401 in found for found in answers.values()) >= 2


@pytest.mark.parametrize("origin", ["public", "wire"])
def test_looking_at_what_is_open_to_everybody_changes_nothing_and_sets_no_cookie(door, origin):
    client, wrong = door(origin), {}
    for route in routes_of(origin):
        before = rows_written()
        answer = client.get(route.path)
        if rows_written() != before or answer.status_code not in FINE | {503}:
            wrong[str(route)] = (answer.status_code, rows_written())
    assert wrong == {}
    assert {name for name, cookie in client.cookies.items() if cookie.value} <= {"__Host-c"}


# ---- other sites ---------------------------------------------------------------------------------------------------
def at_every_route(door, make_person, origin, **headers):
    """(route, status) of a POST to every route, as somebody who may do much."""
    actor = None
    if origin in STAFF_ORIGINS:
        actor = make_person(roles=set(STAFF if origin == "console" else {Role.POLICE_OFFICER}), clearance=3)
    client = door(origin, actor=actor, enforce_csrf_checks=True)
    for route in routes_of(origin):
        before = rows_written()
        answer = client.post(route.path, {"language": "fr", "next": "/"}, headers=headers)
        after = rows_written()
        changed = {table for table in after if after[table] != before.get(table, 0)} - MAY_BE_WRITTEN_BY_LOOKING
        assert (str(route), changed) == (str(route), set())
        yield route, answer.status_code


@pytest.mark.parametrize("origin", ["public", "console", "partner"])
def test_a_form_without_its_token_is_refused_everywhere(door, make_person, origin):
    answers = {route.name: status for route, status in at_every_route(door, make_person, origin)}
    assert {name for name, status in answers.items() if status != 403} == WITHOUT_TOKEN & set(answers)
    assert len(answers) > 20


@pytest.mark.parametrize("origin", ["public", "console", "partner"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_that_another_site_sends_is_refused_everywhere(door, make_person, origin, site):
    answers = at_every_route(door, make_person, origin, **{"sec-fetch-site": site})
    assert {str(route): status for route, status in answers if status != 403} == {}


@pytest.mark.parametrize("origin", ["public", "console", "partner"])
def test_a_token_does_not_help_a_form_from_a_foreign_origin(door, make_person, origin):
    client, wrong = door(origin, enforce_csrf_checks=True), {}
    client.cookies["__Host-c"] = "a" * 32
    for route in routes_of(origin):
        if route.name in WITHOUT_TOKEN:
            continue
        values = {"csrfmiddlewaretoken": "a" * 32, "language": "fr"}
        answer = client.post(route.path, values, headers={"origin": "http://elsewhere.example"})
        if answer.status_code != 403:
            wrong[str(route)] = answer.status_code
    assert wrong == {}
    kept = client.post("/language/", {"csrfmiddlewaretoken": "a" * 32, "language": "fr"})
    assert kept.status_code == 303, "the same form from the page itself is taken"


# ---- headers: the table of the design, written out once more ---------------------------------------------------------
PAGES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
POLICY = {
    "public": f"{PAGES}; require-trusted-types-for 'script'; trusted-types vigil; report-to csp",
    "console": f"{PAGES}; connect-src 'self'; report-to csp",
    "partner": f"{PAGES}; connect-src 'self'; report-to csp",
    "wire": "default-src 'none'; frame-ancestors 'none'",
}
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "X-DNS-Prefetch-Control": "off",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
SWITCHED_OFF = """
    accelerometer ambient-light-sensor autoplay bluetooth browsing-topics camera display-capture encrypted-media geolocation
    gyroscope hid idle-detection local-fonts magnetometer microphone midi payment screen-wake-lock serial usb web-share
    xr-spatial-tracking
"""
OWN = {"fullscreen", "publickey-credentials-get", "publickey-credentials-create"}


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("SECRET")


class Broken:
    """A URL map with a page that breaks."""

    urlpatterns = [path("broken", broken), path("sign-in/", broken, name="account_login")]


def problems(answer, origin, *, is_static=False):
    """What of the table an answer does not keep."""
    found = [f"{name}: {answer.get(name)}" for name, value in HEADERS.items() if answer.get(name) != value]
    if answer.get("Content-Security-Policy") != POLICY[origin]:
        found.append(f"Content-Security-Policy: {answer.get('Content-Security-Policy')}")
    permissions = dict(part.strip().split("=") for part in answer.get("Permissions-Policy", "x=").split(","))
    if permissions != dict.fromkeys(SWITCHED_OFF.split(), "()") | dict.fromkeys(OWN, "(self)"):
        found.append(f"Permissions-Policy: {permissions}")
    if not is_static and "no-store" not in answer.get("Cache-Control", ""):
        found.append(f"Cache-Control: {answer.get('Cache-Control')}")
    if not is_static and answer.get("X-Robots-Tag") != "noindex":
        found.append("X-Robots-Tag")
    found += [f"{name} says what runs here" for name in ("Server", "X-Powered-By") if name in answer]
    return found


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_answer_has_the_headers_of_its_origin(door, make_person, origin):
    client = door(origin, raise_request_exception=False, enforce_csrf_checks=True)
    answers = {f"GET /{route.pattern}": client.get(route.path) for route in routes_of(origin)}
    answers["a page that does not exist"] = client.get("/there/is/no/such/page")
    answers["another name"] = client.get("/", headers={"host": "elsewhere.example"})
    answers["a static file that does not exist"] = client.get("/static/no-such-file.css")
    if origin != "wire":
        answers["no token"] = client.post("/language/", {"language": "fr"})
        answers["another site"] = client.post("/language/", headers={"sec-fetch-site": "cross-site"})
        answers["another method"] = client.get("/csp-reports/")
    static = client.get("/static/web/vigil.css")
    wrong = {what: found for what, answer in answers.items() if (found := problems(answer, origin))}
    assert wrong == {}
    assert static.status_code == 200 and problems(static, origin, is_static=True) == []
    assert answers["another name"].status_code == 400
    assert answers["a page that does not exist"].status_code == 404


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_that_breaks_says_nothing_and_keeps_its_headers(door, make_person, origin):
    roles = {"console": {Role.INTAKE_ANALYST}, "partner": {Role.POLICE_OFFICER}}.get(origin)
    actor = make_person(roles=roles) if roles else None
    answer = door(origin, urls=Broken(), actor=actor, raise_request_exception=False).get("/broken")
    assert answer.status_code == 500 and b"ValueError" not in answer.content and b"SECRET" not in answer.content
    assert problems(answer, origin) == []


@pytest.mark.parametrize("address", ["/en/leave", "/fr/quitter"])
def test_leaving_clears_the_browser_but_not_the_sibling_origins(door, address):
    client = door("public")
    client.cookies["__Host-s"] = "x"
    answer = client.get(address)
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert answer.cookies["__Host-s"]["max-age"] == 0 and answer.cookies["__Host-c"]["max-age"] == 0


def test_signing_out_clears_the_browser(door, make_person):
    answer = door("console", actor=make_person()).post("/sign-out")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
