"""Partner organisations and their keys: made on the machine, shown once, ended at once, and they say when they were used."""

from datetime import timedelta

import pytest

from vigil.accounts import cli, selectors, services
from vigil.accounts.errors import ApiKeyUnusable, BadOrganisation, OrganisationNotFound
from vigil.accounts.models import ApiKey
from vigil.core import clock
from vigil.core.actors import process_actor

MACHINE = process_actor("command-line")


@pytest.fixture
def partner(owner):
    with owner():
        return services.add_organisation(
            actor=MACHINE,
            code="maple",
            name_en="Maple Hotline",
            name_fr="Ligne Érable",
            kind="hotline",
            email="answers@maple.example",
            language="fr",
            at=clock.now(),
        )


def key_of(partner, owner, scopes=("report.write",)):
    with owner():
        return services.create_api_key(
            actor=MACHINE,
            holder_kind="organisation",
            holder_id=partner,
            name="mail server",
            scopes=scopes,
            at=clock.now(),
        )


def test_a_key_opens_the_door_of_its_scope_and_no_other(partner, owner, role):
    key = key_of(partner, owner)

    with role("vigil_wire"):
        holder = services.holder_of(key.key, scope="report.write")
        assert (holder.kind, holder.holder_id) == ("organisation", partner)
        with pytest.raises(ApiKeyUnusable):
            services.holder_of(key.key, scope="feed.read")


def test_a_revoked_key_is_refused_from_the_next_call_on(partner, owner, role, capsys):
    key = key_of(partner, owner)
    with owner():
        assert cli.run_partner_revoke(key.prefix) == 0
        assert cli.run_partner_revoke(key.prefix) == 2

    with role("vigil_wire"), pytest.raises(ApiKeyUnusable):
        services.holder_of(key.key, scope="report.write")


def test_an_ended_partner_takes_its_keys_along(partner, owner, role, audit_rows):
    keys = [key_of(partner, owner), key_of(partner, owner)]
    with owner():
        assert services.end_organisation(actor=MACHINE, organisation_id=partner, at=clock.now()) == 2
        assert [each.code for each in selectors.organisations()] == []

    for key in keys:
        with role("vigil_wire"), pytest.raises(ApiKeyUnusable):
            services.holder_of(key.key, scope="report.write")
    assert [row["action"] for row in audit_rows(partner)] == ["organisation.add", "organisation.end"]


def test_a_key_says_to_the_minute_when_it_was_last_used(partner, owner, role):
    key = key_of(partner, owner)
    with role("vigil_wire"):
        services.holder_of(key.key, scope="report.write")
    with owner():
        first = ApiKey.objects.get(id=key.id).last_used_at
    assert first is not None and clock.now() - first < timedelta(seconds=30)

    with role("vigil_wire"):
        services.holder_of(key.key, scope="report.write")
    with owner():
        assert ApiKey.objects.get(id=key.id).last_used_at == first


def test_the_door_cannot_list_keys(partner, owner, role):
    from django.db import ProgrammingError

    key_of(partner, owner)
    with pytest.raises(ProgrammingError), role("vigil_wire"):
        list(ApiKey.objects.all())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "With Spaces"}, "code"),
        ({"code": "maple"}, "code"),
        ({"kind": "friends"}, "kind"),
        ({"email": "nowhere"}, "email"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "email"),
        ({"language": "de"}, "language"),
        ({"name_en": " "}, "name"),
    ],
)
def test_what_cannot_be_a_partner_is_refused_by_field(partner, owner, change, field):
    facts = {
        "code": "oak",
        "name_en": "Oak",
        "name_fr": "Chêne",
        "kind": "helpline",
        "email": "",
        "language": "both",
        **change,
    }
    with owner(), pytest.raises(BadOrganisation) as refused:
        services.add_organisation(actor=MACHINE, at=clock.now(), **facts)
    assert set(refused.value.fields) == {field}


def test_the_command_prints_a_key_once_and_never_lists_it(partner, owner, capsys):
    with owner():
        assert cli.run_partner_key("maple", name="program", scopes=["report.write"]) == 0
        key = capsys.readouterr().out.strip()
        assert key.startswith("vgl_")
        assert cli.run_partner_list() == 0
        listed = capsys.readouterr().out
    assert "maple" in listed and key.split("_")[1] in listed and key not in listed


def test_a_partner_that_is_not_there_gets_no_key(owner, capsys):
    with owner():
        assert cli.run_partner_key("nobody", name="x", scopes=["report.write"]) == 2
        with pytest.raises(OrganisationNotFound):
            selectors.organisation_by_code("nobody")
    assert "accounts.organisation_unknown" in capsys.readouterr().err
