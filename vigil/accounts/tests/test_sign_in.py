"""Signing in with password and code over HTTP, as the console's database role."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode

import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from axes.models import AccessAttempt
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection

from vigil.accounts import services
from vigil.accounts.factories import NOON
from vigil.accounts.forms import SameOrigin
from vigil.accounts.models import Person, Session
from vigil.accounts.policies import Role
from vigil.accounts.sessions import digest
from vigil.core.actors import SYSTEM

PASSWORD = "a quiet river in november"


def code_of(secret: str, steps: int = 0) -> str:
    return f"{hotp_value(secret, int(time.time()) // 30 + steps):06}"


@pytest.fixture
def member(make_person):
    """Somebody with a password and an authenticator app: (actor, seed)."""

    def make(**changes):
        actor = make_person(**changes)
        person = Person.objects.get(id=actor.id)
        person.set_password(PASSWORD)
        person.save()
        secret = generate_totp_secret()
        TOTP.activate(person, secret)
        RecoveryCodes.activate(person)
        return person, secret

    return make


def forget_used_codes(person):
    """As if the half minute of the last code were over."""
    cache.clear()
    row = Authenticator.objects.get(user=person, type="totp")
    row.data.pop("last_step", None)
    row.save()


def sign_in(client, person, secret):
    first = client.post("/sign-in/", {"login": person.email, "password": PASSWORD})
    assert (first.status_code, first["Location"]) == (302, "/sign-in/code"), first.content
    return client.post("/sign-in/code", {"code": code_of(secret)})


def test_a_password_and_a_code_sign_in(role, browser, member):
    person, secret = member(roles={Role.AUDITOR})
    with role("vigil_console"):
        client = browser("console")
        answer = sign_in(client, person, secret)
        page = client.get("/")

    assert answer.status_code == 302
    assert page.json() == {"name": person.name, "fresh": True, "roles": ["auditor"]}


def test_a_password_alone_opens_nothing(role, browser, member):
    person, _secret = member()
    with role("vigil_console"):
        client = browser("console")
        client.post("/sign-in/", {"login": person.email, "password": PASSWORD})
        page = client.get("/")

    assert (page.status_code, page["Location"]) == (302, "/sign-in/?next=/")


def test_a_person_without_second_factor_gets_the_answer_to_a_wrong_password(role, browser, member):
    person, _secret = member()
    Authenticator.objects.filter(user=person).delete()
    with role("vigil_console"):
        right = browser("console").post("/sign-in/", {"login": person.email, "password": PASSWORD})
        wrong = browser("console").post("/sign-in/", {"login": person.email, "password": "something else entirely"})

    assert right.status_code == wrong.status_code == 200
    assert b"not right" in right.content and b"not right" in wrong.content


def test_unknown_addresses_get_the_answer_to_a_wrong_password(role, browser, member):
    person, _secret = member()
    with role("vigil_console"):
        known = browser("console").post("/sign-in/", {"login": person.email, "password": "x" * 20})
        unknown = browser("console").post("/sign-in/", {"login": "nobody@hotline.example", "password": "x" * 20})

    blank = lambda page, email: [  # noqa: E731
        line for line in page.content.decode().replace(email, "").splitlines() if "csrfmiddlewaretoken" not in line
    ]
    assert blank(known, person.email) == blank(unknown, "nobody@hotline.example")


def test_a_code_counts_once_in_whichever_process(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        assert sign_in(browser("console"), person, secret).status_code == 302
        cache.clear()  # another process has another memory
        second = sign_in(browser("console"), person, secret)

    assert second.status_code == 200
    assert b"was used already" in second.content


def test_codes_of_other_half_minutes_are_refused(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        client.post("/sign-in/", {"login": person.email, "password": PASSWORD})
        for steps in (-2, 2):
            assert client.post("/sign-in/code", {"code": code_of(secret, steps)}).status_code == 200


def test_a_recovery_code_signs_in_once(role, browser, member):
    person, _secret = member()
    code = Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()[0]
    outcomes = []
    with role("vigil_console"):
        for _ in range(2):
            client = browser("console")
            client.post("/sign-in/", {"login": person.email, "password": PASSWORD})
            outcomes.append(client.post("/sign-in/code", {"code": code}).status_code)

    assert outcomes == [302, 200]


def test_five_wrong_passwords_lock_the_name_even_for_the_right_one(role, browser, member):
    person, _secret = member()
    other, other_secret = member()
    with role("vigil_console"):
        answers = [
            browser("console")
            .post("/sign-in/", {"login": person.email.upper(), "password": f"wrong guess {n}"})
            .status_code
            for n in range(5)
        ]
        right = browser("console").post("/sign-in/", {"login": person.email, "password": PASSWORD})
        neighbour = sign_in(browser("console"), other, other_secret)

    assert answers == [200, 200, 200, 200, 429]
    assert (right.status_code, right["Retry-After"]) == (429, "900")
    assert neighbour.status_code == 302


def test_wrong_codes_lock_the_name_too(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        client.post("/sign-in/", {"login": person.email, "password": PASSWORD})
        for _ in range(5):
            client.post("/sign-in/code", {"code": "000000"})
        right = client.post("/sign-in/code", {"code": code_of(secret)})

    assert right.status_code == 429


def test_the_lock_opens_after_fifteen_minutes(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        for n in range(5):
            browser("console").post("/sign-in/", {"login": person.email, "password": f"wrong guess {n}"})
        with connection.cursor() as cursor:
            cursor.execute("UPDATE axes_accessattempt SET attempt_time = attempt_time - interval '16 minutes'")
            cursor.execute("UPDATE axes_accessattemptexpiration SET expires_at = expires_at - interval '16 minutes'")
        assert sign_in(browser("console"), person, secret).status_code == 302


def test_no_password_or_code_is_kept_with_a_failed_attempt(role, browser, member):
    person, _secret = member()
    with role("vigil_console"):
        client = browser("console")
        client.post("/sign-in/", {"login": person.email, "password": "a wrong guess entirely"})
        kept = str(list(AccessAttempt.objects.values()))

    assert person.email in kept
    assert "wrong guess" not in kept


def test_an_account_of_the_other_origin_is_refused_like_a_wrong_password(role, browser, member):
    officer, secret = member(roles={Role.POLICE_OFFICER})
    analyst, _ = member(roles={Role.INTAKE_ANALYST})
    with role("vigil_console"):
        at_console = browser("console").post("/sign-in/", {"login": officer.email, "password": PASSWORD})
    with role("vigil_partner"):
        staff_at_partner = browser("partner").post("/sign-in/", {"login": analyst.email, "password": PASSWORD})
        at_partner = sign_in(browser("partner"), officer, secret)

    assert (at_console.status_code, staff_at_partner.status_code, at_partner.status_code) == (200, 200, 302)


def test_seeds_stand_sealed_in_the_database(member):
    person, secret = member()
    codes = Authenticator.objects.get(user=person, type="recovery_codes")
    everything = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in everything
    assert codes.wrap().get_unused_codes()[0] not in everything
    assert "seed" in codes.data


def test_passwords_are_kept_as_argon2id_with_the_agreed_cost(member):
    person, _secret = member()

    assert person.password.startswith("argon2$argon2id$v=19$m=65536,t=3,p=4$")
    assert settings.PASSWORD_HASHERS == ["vigil.accounts.passwords.Argon2idHasher"]


# ---- sessions ----------------------------------------------------------------------------------------------------------------
def test_what_the_session_table_holds_opens_no_session(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        sign_in(client, person, secret)
        client.get("/")
        rows = list(Session.objects.values_list("session_key", "session_data"))
        assert digest(client.session_key) in {key for key, _ in rows}
        opened = 0
        for key, data in rows:
            for stolen in (key, data, data[:64], client.session_key[:-1]):
                thief = browser("console")
                thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
                opened += thief.get("/").status_code == 200

    assert opened == 0


def test_the_session_table_tells_nothing_of_what_a_session_holds(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        sign_in(client, person, secret)
        raw = "".join(Session.objects.values_list("session_data", flat=True))

    assert "_auth_user_id" not in raw and client.session_key not in raw


def test_a_session_of_one_origin_is_unknown_at_the_other(role, browser, member):
    officer, secret = member(roles={Role.POLICE_OFFICER})
    with role("vigil_partner"):
        client = browser("partner")
        sign_in(client, officer, secret)
        assert client.get("/").status_code == 200
    with role("vigil_console"):
        elsewhere = browser("console")
        elsewhere.cookies[settings.SESSION_COOKIE_NAME] = client.session_key
        assert elsewhere.get("/").status_code == 302
        assert Session.objects.count() == 0


@pytest.mark.parametrize("column", ["expire_date", "ends_at"])
def test_a_session_ends_when_idle_and_when_it_is_too_long(role, browser, member, column):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        sign_in(client, person, secret)
        row = Session.objects.get(session_key=digest(client.session_key))
        assert 0 < (row.expire_date - row.begun_at).total_seconds() <= 15 * 60 + 5
        assert (row.ends_at - row.begun_at).total_seconds() == 10 * 60 * 60
        Session.objects.update(**{column: row.begun_at})
        assert client.get("/").status_code == 302


def test_a_busy_session_keeps_its_absolute_end(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        sign_in(client, person, secret)
        ends = Session.objects.get(session_key=digest(client.session_key)).ends_at
        for _ in range(3):
            client.get("/")
        assert Session.objects.get(session_key=digest(client.session_key)).ends_at == ends


def test_disabling_somebody_ends_their_open_session_at_once(role, browser, member, make_person):
    person, secret = member()
    administrator = make_person(roles={Role.ADMINISTRATOR})
    with role("vigil_console"):
        client = browser("console")
        sign_in(client, person, secret)
        cookie = client.session_key
    with role("vigil_console", actor=administrator):
        services.disable_person(actor=administrator, person_id=person.id, at=NOON)
    with role("vigil_console"):
        replay = browser("console")
        replay.cookies[settings.SESSION_COOKIE_NAME] = cookie
        assert replay.get("/").status_code == 302
        assert Session.objects.filter(person_id=person.id).count() == 0
        assert browser("console").post("/sign-in/", {"login": person.email, "password": PASSWORD}).status_code == 200


def test_an_administrator_at_the_console_ends_a_session_at_the_partner_origin(role, browser, member, make_person):
    officer, secret = member(roles={Role.POLICE_OFFICER})
    administrator = make_person(roles={Role.ADMINISTRATOR})
    with role("vigil_partner"):
        client = browser("partner")
        sign_in(client, officer, secret)
    with role("vigil_console", actor=administrator):
        assert services.end_sessions(actor=administrator, person_id=officer.id, at=NOON) >= 1
    with role("vigil_partner"):
        assert client.get("/").status_code == 302


def test_the_third_session_ends_the_first(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        clients = []
        for _ in range(3):
            client = browser("console")
            forget_used_codes(person)
            sign_in(client, person, secret)
            clients.append(client)
        assert [client.get("/").status_code for client in clients] == [302, 200, 200]


def test_signing_out_ends_the_session_and_clears_the_browser(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        sign_in(client, person, secret)
        cookie = client.session_key
        answer = client.post("/sign-out")
        replay = browser("console")
        replay.cookies[settings.SESSION_COOKIE_NAME] = cookie

        assert answer["Clear-Site-Data"] == '"cache", "storage"'
        assert replay.get("/").status_code == 302


def test_the_session_key_changes_at_sign_in(role, browser, member):
    person, secret = member()
    with role("vigil_console"):
        client = browser("console")
        client.post("/sign-in/", {"login": person.email, "password": PASSWORD})
        before = client.session_key
        client.post("/sign-in/code", {"code": code_of(secret)})
        assert client.session_key != before


def test_roles_taken_away_are_gone_at_the_next_request(role, browser, member):
    person, secret = member(roles={Role.AUDITOR})
    with role("vigil_console"):
        client = browser("console")
        sign_in(client, person, secret)
    services.change_roles(actor=SYSTEM, person_id=person.id, roles={Role.ASSESSOR}, clearance=1, at=NOON)
    with role("vigil_console"):
        assert client.get("/").json()["roles"] == ["assessor"]


def test_sign_ins_and_failures_stand_in_the_audit_log(role, browser, member, audit_rows):
    person, secret = member()
    with role("vigil_console"):
        browser("console").post("/sign-in/", {"login": person.email, "password": "a wrong guess entirely"})
        sign_in(browser("console"), person, secret)

    actions = [row["action"] for row in audit_rows(person.id)]
    assert actions[-2:] == ["person.sign_in.refused", "person.sign_in"]


# ---- passkeys (the ceremony itself: tests/browser/test_sign_in.py) --------------------------------------------------------------
@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("http://console.localhost", True),
        ("http://console.localhost:81", False),
        ("https://console.localhost", False),
        ("http://partner.localhost", False),
        ("http://console.localhost.example", False),
        ("", False),
    ],
)
def test_a_passkey_answer_made_on_another_origin_is_refused(rf, origin, taken):
    client_data = urlsafe_b64encode(json.dumps({"origin": origin}).encode()).decode().rstrip("=")
    form = SameOrigin()
    form.cleaned_data = {"credential": {"response": {"clientDataJSON": client_data}}}
    with request_context(rf.post("/sign-in/passkey", headers={"host": "console.localhost"})):
        if taken:
            assert form.clean_credential() is form.cleaned_data["credential"]
        else:
            with pytest.raises(ValidationError):
                form.clean_credential()


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", '"x"', '{"response": {}}', '{"response": {"clientDataJSON": "!!"}}']
)
def test_any_nonsense_instead_of_a_passkey_leads_back_to_the_sign_in_page(role, browser, credential):
    with role("vigil_console"):
        client = browser("console")
        assert client.get("/sign-in/passkey", headers={"accept": "application/json"}).json()["request_options"]
        answer = client.post("/sign-in/passkey", {"credential": credential})

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
