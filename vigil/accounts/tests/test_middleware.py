"""What happens to a request of the staff origins: one transaction, undone on errors, refusals written, nobody in uninvited."""

from __future__ import annotations

import importlib
import re
import time
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from django.conf import settings as django_settings
from django.urls import get_resolver

from vigil.accounts import services
from vigil.accounts.factories import NOON
from vigil.accounts.middleware import is_open
from vigil.accounts.models import Agency, Person, Session
from vigil.accounts.policies import Role
from vigil.accounts.tests.urls import Hidden
from vigil.core.actors import SYSTEM


class Door:
    """Signs people in at the console as the demonstration does, through begin_session."""

    def __init__(self, browser):
        self.browser = browser

    def __call__(self, actor, *, minutes_ago: int = 0):
        from django.http import HttpRequest

        from vigil.accounts.sessions import SessionStore

        request = HttpRequest()
        request.session = SessionStore()
        services.begin_session(request, Person.objects.get(id=actor.id))
        records = request.session["account_authentication_methods"]
        records[-1]["at"] = time.time() - 60 * minutes_ago
        request.session["account_authentication_methods"] = records
        request.session.save()
        client = self.browser("console")
        client.cookies[django_settings.SESSION_COOKIE_NAME] = request.session.session_key
        return client


@pytest.fixture
def door(browser):
    return Door(browser)


def made(what: str) -> bool:
    return Agency.objects.filter(name_en=f"Demo {what}").exists()


@pytest.mark.parametrize(
    ("what", "status", "kept"),
    [
        ("nothing", 200, True),
        ("conflict", 409, False),
        ("refuse", 403, False),
        ("unseen", 404, False),
        ("plain", 403, False),
        ("status", 503, False),
    ],
)
def test_an_error_undoes_what_the_view_did(role, door, make_person, what, status, kept):
    administrator = make_person(roles={Role.ADMINISTRATOR})
    with role("vigil_console"):
        answer = door(administrator).post(f"/act/{what}")

        assert (answer.status_code, made(what)) == (status, kept)


def test_a_page_for_the_unseen_equals_the_page_for_what_does_not_exist(role, door, make_person):
    administrator = make_person(roles={Role.ADMINISTRATOR})
    with role("vigil_console"):
        client = door(administrator)
        unseen = client.get("/act/unseen")

    assert b"accounts.unseen" not in unseen.content
    assert unseen.status_code == 404


def test_a_refusal_is_written_after_everything_was_undone(role, door, make_person, audit_rows):
    administrator = make_person(roles={Role.ADMINISTRATOR})
    with role("vigil_console"):
        door(administrator).post("/act/unseen")
        door(administrator).post("/act/refuse")

    hidden = audit_rows(Hidden.id)[-1]
    assert (hidden["action"], hidden["actor"], hidden["data"]) == (
        "audit.verify.refused",
        str(administrator.id),
        {"reason": "accounts.unseen"},
    )
    assert audit_rows(UUID(int=0))[-1]["action"] == "incident.view.refused"


def test_without_sign_in_every_page_leads_to_the_sign_in_page(role, browser):
    with role("vigil_console"):
        for path in ("/", "/fresh", "/act/nothing", "/sign-in/mine", "/marked"):
            answer = browser("console").get(path)
            assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={path}")


def test_pages_that_are_open_need_the_mark_and_the_list():
    for origin in ("console", "partner"):
        urlconf = importlib.import_module(f"vigil.urls.{origin}")
        opened = {name for name, view in _named_views(urlconf.__name__) if is_open(name, view)}
        marked = {
            name for name, view in _named_views(urlconf.__name__) if getattr(view, "login_required", True) is False
        }
        assert marked - opened <= {""}, "a view is marked open without being in OPEN_VIEWS"
        assert {"account_login", "mfa_authenticate", "mfa_login_webauthn", "accounts:invitation"} <= opened


def test_the_ways_to_sign_in_are_the_listed_ones():
    """Whoever adds a view that signs people in adds it to the list, where it is reviewed."""
    open_names = {name for name, view in _named_views("vigil.accounts.urls") if is_open(name, view)}

    assert open_names == {*django_settings.SIGN_IN_WAYS, "account_logout"}


def _named_views(urlconf, prefix="", patterns=None):
    for pattern in patterns if patterns is not None else get_resolver(urlconf).url_patterns:
        if hasattr(pattern, "url_patterns"):
            namespace = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _named_views(urlconf, namespace, pattern.url_patterns)
        else:
            yield (f"{prefix}{pattern.name}" if pattern.name else "", pattern.callback)


# ---- step-up ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("minutes_ago", "fresh"), [(0, True), (4, True), (6, False)])
def test_a_sign_in_is_fresh_for_five_minutes(role, door, make_person, minutes_ago, fresh):
    person = make_person()
    with role("vigil_console"):
        assert door(person, minutes_ago=minutes_ago).get("/").json()["fresh"] is fresh


def test_a_sensitive_post_after_six_minutes_asks_for_a_code_and_then_goes_on(role, door, make_person):
    person = make_person()
    secret = generate_totp_secret()
    TOTP.activate(Person.objects.get(id=person.id), secret)
    with role("vigil_console"):
        client = door(person, minutes_ago=6)
        asked = client.post("/fresh", {"word": "kept"}, follow=True)
        assert b"Confirm that it is you" in asked.content
        wrong = client.post(asked.request["PATH_INFO"] + "?next=/fresh", {"code": "000000"})
        key_before = client.session_key
        done = client.post(asked.request["PATH_INFO"], {"code": _code(secret), "next": "/fresh"})

    assert wrong.status_code == 200
    assert done.content == b"POST kept"
    assert client.session_key != key_before


def test_a_person_without_a_factor_cannot_confirm(role, door, make_person):
    person = make_person()
    with role("vigil_console"):
        answer = door(person, minutes_ago=6).get("/fresh", follow=True)

    assert answer.status_code == 403
    assert b"Sign in again" in answer.content


def _code(secret: str) -> str:
    return f"{hotp_value(secret, int(time.time()) // 30):06}"


# ---- invitations ---------------------------------------------------------------------------------------------------------------
@pytest.fixture
def invited(make_person):
    from vigil.core import clock

    person = make_person()
    return person, services.invite(actor=SYSTEM, person_id=person.id, at=clock.now()).token


def test_looking_at_an_invitation_uses_nothing_up(role, browser, invited):
    _person, token = invited
    with role("vigil_console"):
        for _ in range(3):
            assert browser("console").get(f"/invitation/{token}").status_code == 200
        assert browser("console").post(f"/invitation/{token}").status_code == 302


def test_an_invitation_works_once_and_unknown_used_and_old_look_the_same(role, browser, invited, make_person):
    _person, token = invited
    late = services.invite(actor=SYSTEM, person_id=make_person().id, at=NOON.replace(year=2020)).token
    with role("vigil_console"):
        browser("console").post(f"/invitation/{token}")
        pages = set()
        for link in (token, late, "unknown"):
            page = browser("console").get(f"/invitation/{link}").content.decode().replace(link, "")
            pages.add(re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page))
        again = browser("console").post(f"/invitation/{token}")

    assert again.status_code == 404
    assert len(pages) == 1


def test_only_the_hash_of_an_invitation_is_kept(invited):
    from vigil.accounts.models import Invitation

    _person, token = invited
    row = Invitation.objects.latest("made_at")
    assert len(bytes(row.token_hash)) == 32 and token.encode() not in bytes(row.token_hash)
    assert len(token) == 43  # 256 bits


def test_an_invited_person_reaches_the_set_up_pages_only_until_there_is_a_second_factor(
    role, browser, invited, django_capture_on_commit_callbacks
):
    person, token = invited
    with role("vigil_console"):
        client = browser("console")
        client.post(f"/invitation/{token}")
        assert client.get("/")["Location"] == "/sign-in/set-up"
        assert client.get("/sign-in/passkeys/add").status_code == 200
        words = {"new_password1": "seven calm herons on ice", "new_password2": "seven calm herons on ice"}
        assert client.post("/sign-in/password", words)["Location"] == "/sign-in/app/add"
        assert client.get("/")["Location"] == "/sign-in/set-up"
        page = client.get("/sign-in/app/add")
        secret = page.context["form"].secret
        with django_capture_on_commit_callbacks(execute=True):
            done = client.post("/sign-in/app/add", {"code": _code(secret)})
        shown = client.get(done["Location"])
        shown_again = client.get(done["Location"])

        assert Authenticator.objects.filter(user_id=person.id, type="totp").exists()
        code = Authenticator.objects.get(user_id=person.id, type="recovery_codes").wrap().get_unused_codes()[0]
        assert code.encode() in shown.content
        assert code.encode() not in shown_again.content
        assert client.get("/").json()["name"] == person.name


@pytest.mark.parametrize(
    "password", ["short one", "password1234567", "vigil vigil vigil vigil", "123456789012345", "aaaaaaaaaaaaaaaa"]
)
def test_weak_passwords_are_refused_with_the_reason(role, browser, invited, password):
    _person, token = invited
    with role("vigil_console"):
        client = browser("console")
        client.post(f"/invitation/{token}")
        answer = client.post("/sign-in/password", {"new_password1": password, "new_password2": password})

    assert answer.status_code == 200
    assert b"error-summary" in answer.content


def test_the_last_way_to_sign_in_cannot_be_removed(role, door, make_person):
    person = make_person()
    TOTP.activate(Person.objects.get(id=person.id), generate_totp_secret())
    with role("vigil_console"):
        client = door(person)
        client.post("/sign-in/app/remove")
        assert Authenticator.objects.filter(user_id=person.id).count() == 1


def test_the_demonstrations_door_is_shut_elsewhere(role, make_person, settings):
    person = make_person()
    settings.CLOCK_MAY_DRIFT = False
    with role("vigil_console"), pytest.raises(RuntimeError):
        Door(None)(person)


def test_one_person_ends_all_their_sessions(role, door, make_person):
    person = make_person()
    with role("vigil_console"):
        first, second = door(person), door(person)
        assert first.post("/sign-in/end-sessions")["Location"] == "/sign-in/"
        assert second.get("/").status_code == 302
        assert not Session.objects.filter(person_id=person.id).exists()


def test_every_page_of_sign_in_renders_in_both_languages(role, door, make_person, browser):
    person = make_person()
    TOTP.activate(Person.objects.get(id=person.id), generate_totp_secret())
    with role("vigil_console"):
        client = door(person)
        for path in ("mine", "passkeys/add", "password", "confirm/code", "recovery-codes/new", "app/remove"):
            for language in ("en", "fr"):
                client.cookies["__Host-l"] = language
                answer = client.get(f"/sign-in/{path}")
                assert answer.status_code == 200, path
                assert f'lang="{language}"' in answer.content.decode()
                assert answer.content.decode().count("<h1") == 1
        for language in ("en", "fr"):
            assert browser("console").get("/sign-in/", headers={"accept-language": language}).status_code == 200


def test_the_language_of_a_person_follows_them_to_the_next_browser(role, door, make_person):
    person = make_person(language="fr")
    with role("vigil_console"):
        first = door(person)
        first.get("/sign-in/mine")
        assert 'lang="fr"' in first.get("/sign-in/mine").content.decode()
        first.post("/language/", {"language": "en", "next": "/"})
        second = door(person)
        second.get("/sign-in/mine")
        assert 'lang="en"' in second.get("/sign-in/mine").content.decode()
