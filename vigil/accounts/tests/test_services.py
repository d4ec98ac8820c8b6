"""People, identities and what the machine's command line makes of them."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from vigil.accounts import selectors, services, signin_settings
from vigil.accounts.cli import run_disable, run_invite
from vigil.accounts.errors import ActionNotPermitted, AgencyNotFound, BadPerson, EmailTaken, PersonNotFound
from vigil.accounts.factories import NOON, make_agency
from vigil.accounts.models import Invitation, Person
from vigil.accounts.policies import Role
from vigil.core.actors import SYSTEM
from vigil.core.ids import new_id

VALID = {"email": "Demo.Person@hotline.example", "name": "Demo Person", "roles": [Role.ASSESSOR], "at": NOON}


def test_an_administrator_makes_a_person_who_cannot_sign_in_yet(role, make_person, audit_rows):
    administrator = make_person(roles={Role.ADMINISTRATOR})
    with role("vigil_console", actor=administrator):
        made = services.create_person(actor=administrator, **VALID)

    row = Person.objects.get(id=made.id)
    assert row.email == "demo.person@hotline.example"
    assert not row.has_usable_password()
    assert audit_rows(made.id)[-1]["data"] == {"agency": "", "clearance": 1, "roles": ["assessor"]}


def test_nobody_else_makes_people(role, make_person):
    for role_of_person in set(Role) - {Role.ADMINISTRATOR, Role.POLICE_OFFICER, Role.PROVIDER}:
        person = make_person(roles={role_of_person})
        with role("vigil_console", actor=person), pytest.raises(ActionNotPermitted):
            services.create_person(actor=person, **VALID)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "not an address"}, "email"),
        ({"name": "  "}, "name"),
        ({"roles": []}, "roles"),
        ({"roles": ["superuser"]}, "roles"),
        ({"roles": [Role.ASSESSOR, Role.PROVIDER]}, "roles"),
        ({"roles": [Role.POLICE_OFFICER]}, "agency"),
        ({"roles": [Role.PROVIDER]}, "provider"),
        ({"clearance": 4}, "clearance"),
        ({"language": "de"}, "language"),
    ],
)
def test_a_wrong_person_is_refused_with_the_field(db, changes, field):
    with pytest.raises(BadPerson) as refused:
        services.create_person(actor=SYSTEM, **{**VALID, **changes})

    assert field in refused.value.fields


def test_one_address_is_one_account_whatever_its_capitals(db):
    services.create_person(actor=SYSTEM, **VALID)
    with pytest.raises(EmailTaken):
        services.create_person(actor=SYSTEM, **{**VALID, "email": "DEMO.PERSON@HOTLINE.EXAMPLE"})


def test_an_unknown_agency_is_not_found(db):
    with pytest.raises(AgencyNotFound):
        services.create_person(actor=SYSTEM, **{**VALID, "roles": [Role.POLICE_OFFICER], "agency_id": new_id()})


@pytest.mark.parametrize(
    "changes",
    [{"clearance": 4}, {"roles": ["root"]}, {"roles": ["assessor", "provider"]}, {"roles": ["police_officer"]}],
)
def test_the_database_refuses_what_the_service_would(make_person, changes):
    person = make_person()
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(id=person.id).update(**changes)


def test_two_accounts_of_one_human_being_are_one_assessor(make_person):
    first, stranger = make_person(), make_person()
    second = make_person(identity_id=selectors.person(first.id).identity_id)

    assert selectors.same_human(first.id, second.id)
    assert selectors.same_human(first.id, first.id)
    assert not selectors.same_human(first.id, stranger.id)
    assert selectors.same_human(first.id, new_id()), "an id that nobody has is never a second person"


def test_a_new_invitation_makes_the_old_link_useless(make_person):
    person = make_person()
    old = services.invite(actor=SYSTEM, person_id=person.id, at=NOON)
    new = services.invite(actor=SYSTEM, person_id=person.id, at=NOON)

    assert services.invitation_of(new.token, at=NOON).person_id == person.id
    with pytest.raises(services.InvitationUnusable):
        services.invitation_of(old.token, at=NOON)


def test_a_disabled_person_is_not_invited_and_has_no_open_invitation(make_person):
    person = make_person()
    token = services.invite(actor=SYSTEM, person_id=person.id, at=NOON).token
    services.disable_person(actor=SYSTEM, person_id=person.id, at=NOON)

    with pytest.raises(PersonNotFound):
        services.invite(actor=SYSTEM, person_id=person.id, at=NOON)
    with pytest.raises(services.InvitationUnusable):
        services.invitation_of(token, at=NOON)


def test_the_command_line_prints_a_link_at_the_persons_origin(db, capsys):
    make_agency(name_en="Demo Police Somewhere")
    assert run_invite("a@hotline.example", roles=["auditor"], name="Demo Auditor") == 0
    staff = capsys.readouterr().out.strip()
    assert (
        run_invite("b@hotline.example", roles=["police_officer"], name="Demo Officer", agency="Demo Police Somewhere")
        == 0
    )
    officer = capsys.readouterr().out.strip()

    assert "//console." in staff and "//partner." in officer
    assert services.invitation_of(staff.rsplit("/", 1)[1], at=Invitation.objects.latest("made_at").made_at)


def test_the_command_line_says_what_is_wrong(db, capsys):
    assert run_invite("a@hotline.example", roles=["boss"], name="Demo") == 2
    assert "roles: accounts.role_unknown" in capsys.readouterr().err
    assert not Person.objects.exists()


def test_roles_that_use_passkeys_alone_are_refused_a_password(make_person, monkeypatch):
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    from vigil.accounts.backends import PersonBackend

    actor = make_person(roles={Role.ASSESSOR})
    person = Person.objects.get(id=actor.id)
    person.set_password("a quiet river in november")
    person.save()
    TOTP.activate(person, generate_totp_secret())
    attempt = {"email": person.email, "password": "a quiet river in november"}

    assert PersonBackend().authenticate(None, **attempt) == person
    monkeypatch.setattr(signin_settings, "PASSKEY_ONLY_ROLES", frozenset({"assessor"}))
    assert PersonBackend().authenticate(None, **attempt) is None


def test_the_command_line_closes_an_account(make_person, capsys):
    person = make_person()

    assert run_disable(selectors.person(person.id).email.upper()) == 0
    assert not selectors.person(person.id).is_active
    assert run_disable("nobody@hotline.example") == 2
    assert capsys.readouterr().err == "vigil: accounts.person_unknown\n"
