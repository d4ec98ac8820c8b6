"""Referrals from the button to the outcome, under the roles of the doors."""

from __future__ import annotations

import dataclasses
import io
import json
import sqlite3
from contextlib import closing

import pypdf
import pytest
from django.db import DatabaseError, connection, transaction

from vigil.accounts.errors import ActionNotPermitted, ItemUnseen, StepUpNeeded
from vigil.casework.models import Incident
from vigil.core import clock, keyd
from vigil.core.ids import format_number, new_id, resolve_number
from vigil.core.models import Event
from vigil.referral import jobs, selectors, services
from vigil.referral.errors import (
    AgencyUnknown,
    AlreadySent,
    NotAcknowledgedYet,
    NotSentYet,
    OutcomeUnknown,
    PackageNotFound,
)
from vigil.referral.models import Download, Outcome, Package
from vigil.referral.tests.conftest import HANDLE, NARRATIVE, REPORTED
from vigil.referral.tests.test_wire import case_validate, text_of
from vigil.referral.wire import contents, manifest


def opened(world, package_id, actor=None):
    actor = actor or world.officer
    with world.role("vigil_partner", actor):
        return services.open_package(actor=actor, package_id=package_id, at=clock.now())


def taken(world, package_id):
    with world.role("vigil_partner", world.officer):
        return services.download_package(actor=world.officer, package_id=package_id, at=clock.now())


def row_of(package_id):
    return Package.objects.get(id=package_id)


# ---- sending ---------------------------------------------------------------------------------------------------------
def test_a_package_is_durable_before_it_is_built_and_gets_a_number(world):
    package_id = world.ask()

    row = row_of(package_id)
    assert (row.state, row.sealed) == ("draft", None)
    assert resolve_number(row.number) == ("referral", package_id)
    assert Event.objects.filter(kind="referral.asked", subject_id=package_id).exists()


def test_pressing_send_twice_sends_once(world):
    package_id = world.ask()

    assert world.ask(package_id=package_id) == package_id
    assert Package.objects.count() == 1
    with pytest.raises(AlreadySent):
        world.ask(package_id=package_id, agency_id=world.stranger.agency_id)


def test_building_twice_sends_once(world):
    package_id = world.send()
    digest = row_of(package_id).manifest_digest

    assert world.build(package_id) is False
    assert row_of(package_id).manifest_digest == digest
    assert Event.objects.filter(kind="referral.sent").count() == 1


def test_sending_needs_the_role_and_a_fresh_sign_in(world, make_person):
    stale = dataclasses.replace(world.liaison, fresh=False)
    with world.role("vigil_console", stale), pytest.raises(StepUpNeeded):
        services.send_package(
            actor=stale, package_id=new_id(), case_id=world.case_id, agency_id=world.agency_id, at=clock.now()
        )
    analyst = make_person(roles={"intake_analyst"}, clearance=3)
    with world.role("vigil_console", analyst), pytest.raises(ActionNotPermitted):
        services.send_package(
            actor=analyst, package_id=new_id(), case_id=world.case_id, agency_id=world.agency_id, at=clock.now()
        )
    assert not Package.objects.exists()


def test_an_unknown_agency_is_said_to_be_unknown(world):
    with pytest.raises(AgencyUnknown):
        world.ask(agency_id=new_id())


def test_a_case_above_the_senders_clearance_does_not_exist_for_them(make_world, keyd_server, make_person):
    world = make_world(sensitivity=3)
    low = make_person(roles={"police_liaison"}, clearance=1)
    with world.role("vigil_console", low), pytest.raises(ItemUnseen):
        services.send_package(
            actor=low, package_id=new_id(), case_id=world.case_id, agency_id=world.agency_id, at=clock.now()
        )


def test_while_the_key_process_is_away_nothing_is_lost_and_the_tick_tries_again(make_world, settings, tmp_path):
    world = make_world()
    settings.KEYD_SOCKET = tmp_path / "nobody.sock"
    package_id = world.ask()

    assert world.build(package_id) is False

    row = row_of(package_id)
    assert (row.state, row.attempts, row.last_failure) == ("draft", 1, "keyd.unavailable")
    assert row.next_try_at > clock.now()


def test_the_tick_builds_what_failed_before(world):
    package_id = world.ask()
    Package.objects.filter(id=package_id).update(attempts=3, last_failure="keyd.unavailable", next_try_at=clock.now())

    with world.role("vigil_worker"):
        jobs.build_waiting_packages(clock.now())

    assert row_of(package_id).state == "sent"


# ---- what is in it ---------------------------------------------------------------------------------------------------
def test_the_package_says_everything_and_where_each_fact_comes_from(world):
    said = opened(world, world.send()).contents

    assert [words.text for words in said.words] == [NARRATIVE]
    assert [(handle.text, handle.source) for handle in said.handles] == [(HANDLE, "reporter")]
    assert [(place.source, place.role) for place in said.places] == [
        ("reporter", "reported"), ("crawler", "seen"), ("crawler", "seen"),
    ]  # fmt: skip
    assert said.places[0].url == REPORTED
    (fingerprint,) = said.fingerprints
    assert (fingerprint.state, fingerprint.source, fingerprint.place_exhibits) == ("published", "crawler", (3, 4))
    assert {fact.source for fact in said.facts} >= {"reporter"}
    assert [step.code for step in said.steps] == [
        "report_received", "candidate_seen", "entry_published", "sighting_confirmed", "referral_prepared",
    ]  # fmt: skip


def test_contact_details_are_never_in_a_package(make_world, keyd_server):
    world = make_world(contact={"contact_name": "Demo Person", "contact_way": "demo@hotline.example"})
    package = taken(world, world.send())

    assert b"Demo Person" not in package and b"demo@hotline.example" not in package
    assert b"contact_given" in package


def test_the_files_are_what_the_formats_demand(world, tmp_path):
    package_id = world.send()
    row = row_of(package_id)
    files = manifest.unpack(taken(world, package_id))

    assert set(files) == {"facts.json", "case.jsonld", "summary.pdf", "README.txt", "manifest.json", "SHA256SUMS"}
    done = case_validate(files["case.jsonld"], tmp_path)
    assert done.returncode == 0 and "Conforms: True" in done.stdout
    assert len(pypdf.PdfReader(io.BytesIO(files["summary.pdf"])).pages) == 1 == row.pages
    assert format_number(row.number) in text_of(files["summary.pdf"])
    assert manifest.digest_of(files["manifest.json"]) == row.manifest_digest
    assert json.loads(files["manifest.json"]) == row.manifest


def test_the_package_of_a_french_agency_is_in_french_first(make_world, keyd_server):
    world = make_world(region="CA-QC")
    files = manifest.unpack(taken(world, world.send()))

    assert files["README.txt"].decode().startswith("Renvoi")
    text = text_of(files["summary.pdf"])
    assert text.index("Renvoi à la police") < text.index("Referral to police")


def test_an_erased_report_is_said_to_be_erased_and_does_not_hold_the_rest_back(world, settings):
    report_id = Incident.objects.get(id=world.incident_id).report_id
    # Destroy the record's keys, in transit or already with the key process.
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM core_envelope WHERE record_id = %s", [report_id])
    with closing(sqlite3.connect(settings.KEYD_DIR / "keys.sqlite", timeout=10)) as store, store:
        store.execute("DELETE FROM wrapped_key WHERE record_id = ?", (str(report_id),))

    said = opened(world, world.send()).contents

    assert "unopened_links" in said.missing and not said.words
    assert said.fingerprints


def test_nothing_of_a_package_is_readable_in_the_database(world):
    world.send()
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text FROM referral_package p")
        text = " ".join(row[0] for row in cursor.fetchall())

    for planted in (NARRATIVE, REPORTED, HANDLE, "pictures.example"):
        for form in (planted, planted.encode().hex()):
            assert form not in text


# ---- who may see it --------------------------------------------------------------------------------------------------
def test_another_agencys_officer_finds_nothing(world):
    package_id = world.send()
    with world.role("vigil_partner", world.stranger):
        assert selectors.inbox(world.stranger) == []
        for use in (services.open_package, services.download_package, services.acknowledge):
            with pytest.raises(PackageNotFound):
                use(actor=world.stranger, package_id=package_id, at=clock.now())
        with pytest.raises(PackageNotFound):
            services.return_outcome(actor=world.stranger, package_id=package_id, kind="other", at=clock.now())


def test_the_row_policy_holds_when_the_permission_check_is_forgotten(world, monkeypatch):
    package_id = world.send()
    monkeypatch.setattr("vigil.referral.selectors.require", lambda *arguments: None)
    monkeypatch.setattr("vigil.referral.selectors.permit", lambda *arguments: True)
    monkeypatch.setattr("vigil.referral.services.require", lambda *arguments: None)
    with world.role("vigil_partner", world.stranger):
        with pytest.raises(PackageNotFound):
            services.acknowledge(actor=world.stranger, package_id=package_id, at=clock.now())
        assert not Package.objects.exists() and not Outcome.objects.exists() and not Download.objects.exists()


def test_an_officer_below_the_packages_sensitivity_finds_nothing(make_world, keyd_server, make_person):
    world = make_world(sensitivity=2)
    package_id = world.send()
    low = make_person(roles={"police_officer"}, clearance=1, agency_id=world.agency_id)
    with world.role("vigil_partner", low):
        assert selectors.inbox(low) == []
        with pytest.raises(PackageNotFound):
            services.open_package(actor=low, package_id=package_id, at=clock.now())


def test_a_package_that_is_not_sent_yet_is_not_in_the_inbox(world):
    package_id = world.ask()
    with world.role("vigil_partner", world.officer):
        assert selectors.inbox(world.officer) == []
        with pytest.raises(PackageNotFound):
            services.open_package(actor=world.officer, package_id=package_id, at=clock.now())
    with world.role("vigil_console", world.liaison), pytest.raises(NotSentYet):
        services.open_package(actor=world.liaison, package_id=package_id, at=clock.now())


def test_without_an_actor_the_partner_door_fails_loudly(world):
    world.send()
    with world.role("vigil_partner"), pytest.raises(DatabaseError):
        list(Package.objects.all())


@pytest.mark.parametrize(
    ("door", "statement"),
    [
        ("vigil_partner", "UPDATE referral_package SET sealed = NULL"),
        ("vigil_partner", "INSERT INTO referral_package (id) VALUES (gen_random_uuid())"),
        ("vigil_partner", "DELETE FROM referral_outcome"),
        ("vigil_console", "UPDATE referral_package SET state = 'acknowledged'"),
        ("vigil_console", "INSERT INTO referral_outcome (id) VALUES (gen_random_uuid())"),
        ("vigil_console", "DELETE FROM referral_package"),
        ("vigil_stats", "SELECT sealed FROM referral_package"),
        ("vigil_public", "SELECT id FROM referral_package"),
        ("vigil_crawl", "SELECT id FROM referral_package"),
        ("vigil_wire", "SELECT id FROM referral_package"),
    ],
)
def test_what_the_roles_may_not_do(world, door, statement):
    with world.role(door, world.officer), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement)


def test_nobody_changes_what_was_sent(world):
    package_id = world.send()
    with (
        world.role("vigil_worker"),
        pytest.raises(DatabaseError, match="a sent package does not change"),
        transaction.atomic(),
    ):
        Package.objects.filter(id=package_id).update(manifest_digest="0" * 64)


# ---- receipts --------------------------------------------------------------------------------------------------------
def test_acknowledging_twice_is_calm(world, make_person):
    package_id = world.send()
    with world.role("vigil_partner", world.officer):
        first = services.acknowledge(actor=world.officer, package_id=package_id, at=clock.now())
    colleague = make_person(roles={"police_officer"}, clearance=1, agency_id=world.agency_id)
    with world.role("vigil_partner", colleague):
        second = services.acknowledge(actor=colleague, package_id=package_id, at=clock.now())

    assert second == first and first.acknowledged_by == world.officer.id
    assert Event.objects.filter(kind="referral.acknowledged").count() == 1


def test_an_outcome_comes_back_with_a_number_and_twice_is_calm(world):
    package_id = world.send()
    with world.role("vigil_partner", world.officer):
        with pytest.raises(NotAcknowledgedYet):
            services.return_outcome(actor=world.officer, package_id=package_id, kind="child_safe", at=clock.now())
        services.acknowledge(actor=world.officer, package_id=package_id, at=clock.now())
        with pytest.raises(OutcomeUnknown):
            services.return_outcome(actor=world.officer, package_id=package_id, kind="promoted", at=clock.now())
        first = services.return_outcome(actor=world.officer, package_id=package_id, kind="child_safe", at=clock.now())
        again = services.return_outcome(actor=world.officer, package_id=package_id, kind="child_safe", at=clock.now())
        services.return_outcome(actor=world.officer, package_id=package_id, kind="charged", at=clock.now())

    assert again == first
    assert resolve_number(first.number) == ("outcome", first.id)
    with world.role("vigil_console", world.liaison):
        (listed,) = selectors.packages_of_case(world.liaison, world.case_id)
    assert listed.package.state == "closed"
    assert [outcome.kind for outcome in listed.outcomes] == ["child_safe", "charged"]


def test_both_sides_see_who_took_the_package(world):
    package_id = world.send()
    taken(world, package_id)
    with world.role("vigil_partner", world.officer):
        assert [item.name for item in selectors.downloads_of(world.officer, package_id)] == [world.officer.name]
    with world.role("vigil_console", world.liaison):
        assert [item.name for item in selectors.downloads_of(world.liaison, package_id)] == [world.officer.name]


def test_every_step_is_in_the_audit_log(world, audit_rows):
    package_id = world.send()
    opened(world, package_id)
    taken(world, package_id)
    with world.role("vigil_partner", world.officer):
        services.acknowledge(actor=world.officer, package_id=package_id, at=clock.now())
        services.return_outcome(actor=world.officer, package_id=package_id, kind="other", at=clock.now())

    actions = {row["action"] for row in audit_rows(package_id)}
    assert actions >= {
        "referral.send", "referral.sent", "referral.view", "referral.download", "referral.acknowledge", "referral.outcome",
    }  # fmt: skip


def test_a_package_changed_in_the_database_is_not_handed_out(world):
    package_id = world.send()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE referral_package DISABLE TRIGGER package_sent_stays")
        cursor.execute("UPDATE referral_package SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)")
        cursor.execute("ALTER TABLE referral_package ENABLE TRIGGER package_sent_stays")

    with pytest.raises(Exception, match=r"crypto\.undecryptable"):
        taken(world, package_id)
    assert not Download.objects.exists()


def test_figures_read_only_what_their_role_may_read(world):
    since = clock.now().replace(year=2000)
    package_id = world.send()
    with world.role("vigil_partner", world.officer):
        services.acknowledge(actor=world.officer, package_id=package_id, at=clock.now())
        services.return_outcome(actor=world.officer, package_id=package_id, kind="other", at=clock.now())
    until = clock.now()

    with world.role("vigil_stats"):
        assert selectors.counts_between(since, until) == {"referrals_sent": 1}
        (seconds,) = selectors.acknowledgement_seconds_between(since, until)
        assert 0 <= seconds < 60
        assert selectors.outcome_kinds_between(since, until) == ["other"]


def test_contents_are_never_printed(world):
    found = opened(world, world.send())

    assert NARRATIVE not in repr(found)
    assert isinstance(found.contents, contents.Contents)
    assert keyd.is_answering()
