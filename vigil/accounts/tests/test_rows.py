"""Row-level security of the accounts tables, under the roles of the doors."""

from __future__ import annotations

import pytest
from django.db import Error, connection, transaction

from vigil.accounts import factories, selectors, services
from vigil.accounts.errors import ApiKeyUnusable
from vigil.accounts.factories import NOON
from vigil.accounts.models import Agency, ApiKey, Person
from vigil.accounts.policies import Role
from vigil.core.actors import SYSTEM
from vigil.core.ids import new_id


def scalar(sql: str, *values: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    "function",
    ["vigil_actor()", "vigil_clearance()", "vigil_agency()", "vigil_provider()", "vigil_has_role('auditor')"],
)
@pytest.mark.parametrize("setting", [None, ""])
def test_asking_for_the_actor_raises_when_there_is_none(role, function, setting):
    with role("vigil_console"):
        if setting is not None:
            scalar("SELECT set_config('vigil.actor', %s, true)", setting)
        with pytest.raises(Error), transaction.atomic():
            scalar(f"SELECT {function}")


def test_clearance_agency_and_roles_come_from_the_row_of_the_actor(role, make_person):
    officer = make_person(roles={Role.POLICE_OFFICER}, clearance=2)
    with role("vigil_partner", actor=officer):
        assert scalar("SELECT vigil_clearance()") == 2
        assert scalar("SELECT vigil_agency()") == officer.agency_id
        assert scalar("SELECT vigil_has_role('police_officer')") is True
        assert scalar("SELECT vigil_has_role('assessor')") is False


def test_a_disabled_person_and_an_unknown_id_have_clearance_zero(role, make_person):
    person = make_person(clearance=3)
    services.disable_person(actor=SYSTEM, person_id=person.id, at=NOON)
    for actor in (person, SYSTEM):
        with role("vigil_console", actor=actor):
            assert scalar("SELECT vigil_clearance()") == 0


def test_the_partner_origin_sees_no_staff_and_only_people_of_the_own_agency(role, make_person):
    make_person(roles={Role.ASSESSOR})
    officer = make_person(roles={Role.POLICE_OFFICER})
    colleague = make_person(roles={Role.POLICE_OFFICER}, agency_id=officer.agency_id)
    stranger = make_person(roles={Role.POLICE_OFFICER})
    with role("vigil_partner"):
        before_sign_in = set(Person.objects.values_list("id", flat=True))
    with role("vigil_partner", actor=officer):
        signed_in = set(Person.objects.values_list("id", flat=True))

    assert before_sign_in == {officer.id, colleague.id, stranger.id}
    assert signed_in == {officer.id, colleague.id}


def test_only_an_administrator_changes_other_people(role, make_person):
    analyst, administrator, target = make_person(), make_person(roles={Role.ADMINISTRATOR}), make_person()
    with role("vigil_console", actor=analyst):
        assert Person.objects.filter(id=target.id).update(clearance=3) == 0
        assert Person.objects.filter(id=analyst.id).update(language="fr") == 1
    with role("vigil_console", actor=administrator):
        assert Person.objects.filter(id=target.id).update(clearance=2) == 1


def test_nobody_raises_the_own_clearance_or_roles_through_the_own_row(role, make_person):
    analyst = make_person()
    with role("vigil_console", actor=analyst), pytest.raises(Error), transaction.atomic():
        Person.objects.filter(id=analyst.id).update(clearance=3)
    with role("vigil_console", actor=analyst), pytest.raises(Error), transaction.atomic():
        Person.objects.filter(id=analyst.id).update(roles=["administrator"])


def test_no_door_deletes_a_person(role, make_person):
    administrator = make_person(roles={Role.ADMINISTRATOR})
    for door in ("vigil_console", "vigil_partner", "vigil_worker"):
        with role(door, actor=administrator), pytest.raises(Error), transaction.atomic():
            Person.objects.filter(id=administrator.id)._raw_delete("default")


@pytest.mark.parametrize("door", ["vigil_public", "vigil_wire", "vigil_crawl", "vigil_index", "vigil_keyd"])
@pytest.mark.parametrize(
    "table", ["accounts_person", "accounts_agency", "accounts_session", "accounts_apikey", "mfa_authenticator"]
)
def test_other_doors_read_nothing_of_accounts(role, door, table):
    with role(door), pytest.raises(Error), transaction.atomic():
        scalar(f"SELECT count(*) FROM {table}")


def test_the_worker_reads_names_and_agencies(role, make_person):
    person, agency = make_person(), factories.make_agency()
    with role("vigil_worker"):
        assert selectors.person(person.id).name == person.name
        assert selectors.agency(agency).name("fr").startswith("Police de")


def test_the_protocol_door_learns_whose_key_it_is_but_cannot_list_keys(role, make_person):
    administrator = make_person(roles={Role.ADMINISTRATOR})
    holder = new_id()
    with role("vigil_console", actor=administrator):
        made = services.create_api_key(
            actor=administrator, holder_kind="provider", holder_id=holder, name="Demo", scopes=["lookup"], at=NOON
        )
    with role("vigil_wire"):
        assert services.holder_of(made.key, scope="lookup").holder_id == holder
        for key, scope in ((made.key, "report"), (made.key + "x", "lookup"), ("", "lookup")):
            with pytest.raises(ApiKeyUnusable):
                services.holder_of(key, scope=scope)
    stored = bytes(ApiKey.objects.get(id=made.id).key_hash)
    assert made.key.encode() not in stored and len(stored) == 32


def test_an_ended_key_is_refused(role, make_person):
    administrator = make_person(roles={Role.ADMINISTRATOR})
    with role("vigil_console", actor=administrator):
        made = services.create_api_key(
            actor=administrator, holder_kind="organisation", holder_id=new_id(), name="Demo", scopes=["lookup"], at=NOON
        )
        services.end_api_key(actor=administrator, key_id=made.id, at=NOON)
    with role("vigil_wire"), pytest.raises(ApiKeyUnusable):
        services.holder_of(made.key, scope="lookup")


def test_only_administrators_make_agencies(role, make_person):
    with role("vigil_console", actor=make_person()), pytest.raises(Error), transaction.atomic():
        Agency.objects.create(name_en="Demo", name_fr="Démo", region="CA-QC")
