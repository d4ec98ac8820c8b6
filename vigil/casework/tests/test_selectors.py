"""Who sees what, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.accounts import policies as accounts_policies
from vigil.accounts.errors import ActionNotPermitted, ItemUnseen
from vigil.accounts.policies import Role
from vigil.casework import selectors, services
from vigil.casework.errors import CaseNotFound, IncidentNotFound
from vigil.casework.limits import LIMITS
from vigil.casework.models import Case, Incident, Note, ReportedPlace, Step
from vigil.casework.tests.factories import NOON, SEEN, make_case, make_incident, make_incidents, reload
from vigil.core.ids import new_id

MINUTE = timedelta(minutes=1)
SEEING = {Role.INTAKE_ANALYST, Role.POLICE_LIAISON, Role.AUDITOR}
ON_STAFF = [role for role in Role if role not in {Role.POLICE_OFFICER, Role.PROVIDER}]


@pytest.fixture
def analyst(make_person):
    return make_person(clearance=3)


@pytest.fixture
def shelf_of_three(db):
    """One incident in one case, for each sensitivity, with everything that hangs on an incident."""
    made = {}
    for level in (1, 2, 3):
        incident, case = make_incident(sensitivity=level), make_case(sensitivity=level)
        Incident.objects.filter(id=incident.id).update(case=case)
        Note.objects.create(incident=incident, body=b"x", written_by=new_id(), at=NOON)
        ReportedPlace.objects.create(incident=incident, link_id=new_id(), asked_by=new_id(), asked_at=NOON)
        made[level] = (incident, case)
    return made


# ---- the matrix: role x sensitivity --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("clearance", [1, 2, 3])
@pytest.mark.parametrize("person_role", ON_STAFF)
def test_role_and_clearance_decide_what_is_seen(role, make_person, shelf_of_three, person_role, clearance):
    person = make_person(roles={person_role}, clearance=clearance)
    for level, (incident, case) in shelf_of_three.items():
        for read in (
            lambda incident=incident: selectors.incident_by_number(person, incident.number),
            lambda case=case: selectors.case_by_number(person, case.number),
        ):
            with role("vigil_console", actor=person):
                if person_role in SEEING and level <= clearance:
                    assert read().sensitivity == level
                else:
                    expected = ItemUnseen if person_role in SEEING else ActionNotPermitted
                    with pytest.raises(expected):
                        read()


@pytest.mark.parametrize("clearance", [1, 2, 3])
def test_with_the_permission_check_patched_out_the_rows_are_still_not_there(
    role, make_person, shelf_of_three, monkeypatch, clearance
):
    """Row-level security is the second fence: as if somebody had forgotten every check."""
    monkeypatch.setattr(accounts_policies, "refusal", lambda *_args: None)
    person = make_person(roles={Role.REMOVAL_OFFICER}, clearance=clearance)
    with role("vigil_console", actor=person):
        everybody = selectors.Actor(id=person.id, kind="person", name="", clearance=3)
        queue = selectors.queue(everybody, at=NOON)
        cases = selectors.cases(everybody)
        rows = {model: model.objects.count() for model in (Incident, Case, Step, Note, ReportedPlace)}
    assert {row.incident.sensitivity for row in queue.rows} == set(range(1, clearance + 1))
    assert {case.sensitivity for case in cases} == set(range(1, clearance + 1))
    assert set(rows.values()) == {clearance}


@pytest.mark.parametrize("person_role", [role for role in ON_STAFF if role not in SEEING])
def test_whoever_does_not_work_on_incidents_has_no_queue(role, make_person, person_role):
    person = make_person(roles={person_role}, clearance=3)
    with role("vigil_console", actor=person), pytest.raises(ActionNotPermitted):
        selectors.queue(person, at=NOON)


@pytest.mark.parametrize("number", ["", "nonsense", "0000-000-000", "<script>"])
def test_a_number_that_is_none_is_not_found(role, analyst, number):
    with role("vigil_console", actor=analyst):
        with pytest.raises(IncidentNotFound):
            selectors.incident_by_number(analyst, number)
        with pytest.raises(CaseNotFound):
            selectors.case_by_number(analyst, number)


def test_the_number_of_another_kind_is_not_found(role, analyst):
    case = make_case()
    with role("vigil_console", actor=analyst), pytest.raises(IncidentNotFound):
        selectors.incident_by_number(analyst, case.number)


def test_a_case_shows_only_the_incidents_that_the_person_may_see(role, make_person, analyst):
    hidden, seen, case = make_incident(sensitivity=3), make_incident(sensitivity=1), make_case(sensitivity=3)
    Incident.objects.filter(id__in=[hidden.id, seen.id]).update(case=case)
    low = make_person(clearance=1)
    with role("vigil_console", actor=low):
        (row,) = selectors.queue(low, at=NOON).rows
        assert row.case_number == ""
        assert selectors.case_number(low, case.id) == ""
    with role("vigil_console", actor=analyst):
        assert {row.id for row in selectors.case(analyst, case.id).incidents} == {hidden.id, seen.id}


# ---- the order -----------------------------------------------------------------------------------------------------------------
def order(role, actor, at=NOON, **changes):
    with role("vigil_console", actor=actor):
        return [row.incident.id for row in selectors.queue(actor, at=at, **changes).rows]


def test_imminent_danger_that_arrives_last_is_first(role, analyst):
    earlier = [make_incident(at=NOON + n * MINUTE) for n in range(3)]
    danger = make_incident(answers={**SEEN, "danger": "yes"}, at=NOON + timedelta(days=1))
    assert order(role, analyst) == [danger.id, *[row.id for row in earlier]]


def test_inside_a_band_the_nearest_limit_comes_first_then_the_oldest(role, analyst):
    older, newer = make_incident(at=NOON), make_incident(at=NOON + MINUTE)
    assert order(role, analyst) == [older.id, newer.id]
    with role("vigil_console", actor=analyst):
        services.claim_incident(actor=analyst, incident_id=older.id, at=NOON)
    # The first look was had: what counts for it now is the limit of the decision, which is later.
    assert order(role, analyst) == [newer.id, older.id]
    assert reload(older).due_at == NOON + LIMITS[3].decision


bands = st.lists(st.tuples(st.sampled_from(["yes", "no", "unsure"]), st.integers(0, 5000)), min_size=1, max_size=8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=bands, size=st.integers(1, 3))
def test_pages_follow_each_other_in_one_order_and_lose_nobody(role, make_person, arrivals, size):
    from django.db import transaction

    with transaction.atomic():
        person = make_person(clearance=3)
        for danger, minutes in arrivals:
            make_incident(answers={**SEEN, "danger": danger}, at=NOON + minutes * MINUTE)
        seen, after = [], ""
        with role("vigil_console", actor=person):
            while True:
                page = selectors.queue(person, at=NOON, after=after, limit=size)
                seen += [(row.incident.band, row.incident.due_at, row.incident.created_at) for row in page.rows]
                after = page.next_after
                if not after:
                    break
        assert len(seen) == len(arrivals) == page.waiting
        assert seen == sorted(seen)
        transaction.set_rollback(True)


def test_the_queue_says_who_holds_what_and_only_while_the_claim_lasts(role, make_person, analyst):
    incident = make_incident()
    with role("vigil_console", actor=analyst):
        services.claim_incident(actor=analyst, incident_id=incident.id, at=NOON)
    other = make_person(clearance=3)
    with role("vigil_console", actor=other):
        (held,) = selectors.queue(other, at=NOON + MINUTE).rows
        (free,) = selectors.queue(other, at=NOON + 15 * MINUTE).rows
    assert (held.holder, held.is_mine, held.is_held) == (analyst.name, False, True)
    assert (free.holder, free.is_held) == ("", False)
    assert order(role, analyst, at=NOON + MINUTE, mine=True) == [incident.id]
    assert order(role, other, at=NOON + MINUTE, mine=True) == []


def test_decided_incidents_leave_the_queue_and_needs_more_stays(role, analyst):
    closed, waiting = make_incidents(answers={**SEEN, "situations": ["seen_material", "other"]})
    for incident, decision, reason in ((closed, "out_of_scope", "lawful"), (waiting, "needs_more", "unclear")):
        with role("vigil_console", actor=analyst):
            fence = services.claim_incident(actor=analyst, incident_id=incident.id, at=NOON).claim_fence
            services.decide_incident(
                actor=analyst, incident_id=incident.id, fence=fence, decision=decision, reason=reason, at=NOON
            )
    assert order(role, analyst) == [waiting.id]


def test_figures_count_incidents_of_a_half_open_interval(role, db):
    for at in (NOON - MINUTE, NOON, NOON + timedelta(hours=1)):
        make_incident(at=at)
    with role("vigil_stats"):
        assert selectors.incidents_between(NOON, NOON + timedelta(hours=1)) == [("seen_material", 3, "web")]


def test_the_queue_can_be_kept_to_one_source(role, make_person):
    analyst = make_person(roles={"intake_analyst"}, clearance=3)
    web, phone = make_incident(), make_incident()
    Incident.objects.filter(id=phone.id).update(source="phone")
    with role("vigil_console", actor=analyst):
        page = selectors.queue(analyst, at=NOON, source="phone")
        everything = selectors.queue(analyst, at=NOON)
    assert [row.incident.id for row in page.rows] == [phone.id]
    assert everything.sources == ("phone", "web") and {row.incident.id for row in everything.rows} == {web.id, phone.id}
