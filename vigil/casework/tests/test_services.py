"""Incidents: opened once, claimed by one, decided under the claim; under the roles of the doors."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError

from vigil.accounts.errors import ActionNotPermitted
from vigil.accounts.policies import Role
from vigil.casework import limits, services
from vigil.casework.errors import (
    ClaimNeeded,
    ClaimStale,
    DecisionUnusable,
    IncidentClaimed,
    IncidentDecided,
    IncidentNotFound,
)
from vigil.casework.models import Incident, Note, Step
from vigil.casework.tests.factories import NOON, SEEN, WORKER, make_incident, make_incidents, make_report, reload
from vigil.core.models import Event
from vigil.intake.models import Thread

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def analyst(make_person):
    return make_person(clearance=3)


def claim(role, actor, incident, at=NOON):
    with role("vigil_console", actor=actor):
        return services.claim_incident(actor=actor, incident_id=incident.id, at=at)


def decide(role, actor, incident, *, at=NOON + MINUTE, **changes):
    values = {"fence": reload(incident).claim_fence, "decision": "actionable", "reason": "material_online"} | changes
    with role("vigil_console", actor=actor):
        return services.decide_incident(actor=actor, incident_id=incident.id, at=at, **values)


# ---- opening -----------------------------------------------------------------------------------------------------------------
def test_a_report_becomes_one_incident_per_situation_under_the_worker_role(role, owner):
    with owner():
        report_id = make_report(answers={"danger": "no", "who": "saw", "situations": ["seen_material", "enticement"]})
    with role("vigil_worker"):
        made = services.open_incidents(actor=WORKER, report_id=report_id, at=NOON)

    incidents = {row.situation: row for row in Incident.objects.filter(id__in=made)}
    assert {situation: row.band for situation, row in incidents.items()} == {"enticement": 2, "seen_material": 3}
    assert {row.sensitivity for row in incidents.values()} == {2}
    assert incidents["enticement"].reasons == ["enticement"]
    assert Event.objects.filter(kind="casework.incident_opened", subject_id__in=made).count() == 2


def test_opening_the_same_report_twice_makes_nothing_new(role, owner):
    with owner():
        report_id = make_report()
    for expected in (1, 0):
        with role("vigil_worker"):
            assert len(services.open_incidents(actor=WORKER, report_id=report_id, at=NOON)) == expected
    assert Incident.objects.filter(report_id=report_id).count() == 1


def test_a_report_without_a_chosen_situation_still_becomes_an_incident(role, owner):
    with owner():
        report_id = make_report(answers={"danger": "no", "who": "other", "situations": []})
    with role("vigil_worker"):
        services.open_incidents(actor=WORKER, report_id=report_id, at=NOON)
    assert Incident.objects.get(report_id=report_id).situation == "not_sure"


# ---- claims ------------------------------------------------------------------------------------------------------------------
def test_a_claim_lasts_fifteen_minutes_says_the_reporter_read_and_moves_the_limit(role, analyst):
    incident = make_incident()
    claimed = claim(role, analyst, incident, at=NOON + HOUR)

    assert claimed.claim_expires_at == NOON + HOUR + timedelta(minutes=15)
    assert reload(incident).first_look_at == NOON + HOUR
    assert reload(incident).due_at == NOON + limits.LIMITS[3].decision
    assert Thread.objects.get(report_id=incident.report_id).state == "read"


def test_a_claimed_incident_is_nobody_elses_and_the_other_is_told_whose_until_when(role, analyst, make_person):
    incident = make_incident()
    claim(role, analyst, incident)
    with pytest.raises(IncidentClaimed) as caught:
        claim(role, make_person(clearance=3), incident, at=NOON + 14 * MINUTE)

    assert (caught.value.claimed_by, caught.value.until) == (analyst.id, NOON + 15 * MINUTE)
    assert reload(incident).claimed_by == analyst.id


def test_an_idle_claim_ends_and_the_stale_holder_decides_nothing(role, analyst, make_person):
    incident = make_incident()
    stale = claim(role, analyst, incident)
    second = make_person(clearance=3)
    claim(role, second, incident, at=NOON + 15 * MINUTE)

    with pytest.raises(ClaimStale):
        decide(role, analyst, incident, at=NOON + 16 * MINUTE, fence=stale.claim_fence)
    assert reload(incident).state == "open"
    assert reload(incident).claimed_by == second.id


def test_the_same_person_with_an_old_page_decides_nothing_after_claiming_again(role, analyst):
    incident = make_incident()
    old = claim(role, analyst, incident)
    claim(role, analyst, incident, at=NOON + HOUR)

    with pytest.raises(ClaimStale):
        decide(role, analyst, incident, at=NOON + HOUR + MINUTE, fence=old.claim_fence)


def test_claiming_again_in_time_keeps_the_claim_and_its_number(role, analyst):
    incident = make_incident()
    first = claim(role, analyst, incident)
    again = claim(role, analyst, incident, at=NOON + 10 * MINUTE)

    assert again.claim_fence == first.claim_fence
    assert reload(incident).claim_expires_at == NOON + 25 * MINUTE


def test_a_released_incident_is_free(role, analyst, make_person):
    incident = make_incident()
    claim(role, analyst, incident)
    with role("vigil_console", actor=analyst):
        services.release_incident(actor=analyst, incident_id=incident.id, at=NOON + MINUTE)
    other = make_person(clearance=3)
    assert claim(role, other, incident, at=NOON + MINUTE).claimed_by == other.id


def test_who_holds_no_claim_cannot_release_it(role, analyst, make_person):
    incident = make_incident()
    claim(role, analyst, incident)
    other = make_person(clearance=3)
    with role("vigil_console", actor=other), pytest.raises(ClaimNeeded):
        services.release_incident(actor=other, incident_id=incident.id, at=NOON + MINUTE)
    assert reload(incident).claimed_by == analyst.id


@pytest.mark.parametrize(
    "other_role", [r for r in Role if r not in {Role.INTAKE_ANALYST, Role.PROVIDER, Role.POLICE_OFFICER}]
)
def test_only_an_analyst_claims(role, make_person, other_role):
    incident = make_incident()
    with pytest.raises(ActionNotPermitted):
        claim(role, make_person(roles={other_role}, clearance=3), incident)
    assert reload(incident).claimed_by is None


# ---- deciding ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("decision", "reason", "state"),
    [
        ("actionable", "material_online", "decided"),
        ("out_of_scope", "adults_only", "decided"),
        ("needs_more", "place_missing", "open"),
    ],
)
def test_a_decision_is_kept_with_its_reason_and_ends_the_claim(role, analyst, decision, reason, state):
    incident = make_incident()
    claim(role, analyst, incident)
    decide(role, analyst, incident, decision=decision, reason=reason)

    row = reload(incident)
    assert (row.decision, row.decision_reason, row.state, row.claimed_by) == (decision, reason, state, None)
    assert (row.decided_by, row.decided_at) == (analyst.id, NOON + MINUTE)


def test_a_duplicate_names_the_other_incident(role, analyst):
    incident, original = make_incident(), make_incident()
    claim(role, analyst, incident)
    decide(role, analyst, incident, decision="duplicate", reason="sent_twice", duplicate_of=original.number)
    assert reload(incident).duplicate_of_id == original.id


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"decision": ""}, "decision"),
        ({"decision": "delete"}, "decision"),
        ({"reason": ""}, "reason"),
        ({"reason": "adults_only"}, "reason"),
        ({"note": "x" * 5001}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"decision": "duplicate", "reason": "sent_twice"}, "duplicate_of"),
        ({"decision": "duplicate", "reason": "sent_twice", "duplicate_of": "0000-000-000"}, "duplicate_of"),
    ],
)
def test_a_decision_without_what_it_needs_is_refused_field_by_field(role, analyst, changes, field):
    incident = make_incident()
    claim(role, analyst, incident)
    with pytest.raises(DecisionUnusable) as caught:
        decide(role, analyst, incident, **changes)
    assert field in caught.value.fields
    assert reload(incident).decision is None


def test_an_incident_is_not_its_own_duplicate_nor_that_of_one_the_person_may_not_see(role, make_person):
    analyst = make_person(clearance=1)
    incident, hidden = make_incident(), make_incident(sensitivity=3)
    claim(role, analyst, incident)
    for number in (incident.number, hidden.number):
        with pytest.raises(DecisionUnusable):
            decide(role, analyst, incident, decision="duplicate", reason="sent_twice", duplicate_of=number)


def test_a_decided_incident_is_not_claimed_or_decided_again(role, analyst):
    incident = make_incident()
    claim(role, analyst, incident)
    decide(role, analyst, incident)
    with pytest.raises(IncidentDecided):
        claim(role, analyst, incident, at=NOON + HOUR)
    with pytest.raises(IncidentDecided):
        decide(role, analyst, incident, decision="out_of_scope", reason="lawful")
    assert reload(incident).decision == "actionable"


def test_a_note_is_stored_encrypted_and_the_timeline_has_codes_only(role, analyst):
    incident = make_incident()
    claim(role, analyst, incident)
    decide(role, analyst, incident, note="Synthetic words of a colleague.")

    note = Note.objects.get(incident=incident)
    assert b"Synthetic" not in bytes(note.body)
    assert "Synthetic" not in str(list(Step.objects.filter(incident=incident).values_list("data", flat=True)))


# ---- what the role itself holds ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE casework_incident SET sensitivity = 1",
        "UPDATE casework_incident SET band = 5",
        "DELETE FROM casework_incident",
        "DELETE FROM casework_step",
        "UPDATE casework_step SET kind = 'opened'",
        "UPDATE casework_note SET body = ''",
        "DELETE FROM casework_case",
    ],
)
def test_the_console_cannot_rewrite_what_happened(role, analyst, sql):
    make_incident()
    with role("vigil_console", actor=analyst), pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(sql)


@pytest.mark.parametrize("door", ["vigil_public", "vigil_partner", "vigil_wire", "vigil_crawl", "vigil_index"])
@pytest.mark.parametrize("table", ["incident", "case", "step", "note", "reportedplace"])
def test_other_doors_cannot_read_casework(role, analyst, door, table):
    with role(door, actor=analyst), pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute(f"SELECT 1 FROM casework_{table}")


def test_without_an_actor_the_console_fails_loudly(role, analyst):
    make_incident()
    with role("vigil_console"), pytest.raises(DatabaseError), transaction.atomic():
        list(Incident.objects.all())


def test_an_incident_above_clearance_does_not_exist_for_any_service(role, make_person, analyst):
    hidden = make_incident(sensitivity=2)
    claim(role, analyst, hidden)
    low = make_person(clearance=1)
    calls = [
        lambda: services.claim_incident(actor=low, incident_id=hidden.id, at=NOON),
        lambda: services.release_incident(actor=low, incident_id=hidden.id, at=NOON),
        lambda: services.open_case(actor=low, incident_id=hidden.id, at=NOON),
        lambda: services.take_out_of_case(actor=low, incident_id=hidden.id, at=NOON),
        lambda: services.ask_reporter(actor=low, incident_id=hidden.id, text="Hello?", at=NOON),
    ]
    for call in calls:
        with role("vigil_console", actor=low), pytest.raises(IncidentNotFound), transaction.atomic():
            call()


def test_all_incidents_of_a_report_are_as_protected_as_the_most_protected_one(db):
    incidents = make_incidents(answers={**SEEN, "situations": ["seen_material", "trafficking", "other"]})
    assert {row.sensitivity for row in incidents} == {3}
