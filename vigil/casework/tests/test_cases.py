"""Cases: moving an incident never lets anybody see more (rule 6)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.casework import services
from vigil.casework.errors import AlreadyInCase, CaseNotFound, ClaimNeeded, NotInCase
from vigil.casework.models import Case, Incident
from vigil.casework.tests.factories import NOON, make_case, make_incident, reload
from vigil.core.errors import VigilError

MINUTE = timedelta(minutes=1)


@pytest.fixture
def analyst(make_person):
    return make_person(clearance=3)


def claimed(role, actor, **changes):
    incident = make_incident(**changes)
    with role("vigil_console", actor=actor):
        services.claim_incident(actor=actor, incident_id=incident.id, at=NOON)
    return incident


def test_a_case_takes_the_highest_sensitivity_and_the_most_urgent_band(role, analyst):
    first, second = claimed(role, analyst), claimed(role, analyst, sensitivity=3)
    with role("vigil_console", actor=analyst):
        case = services.open_case(actor=analyst, incident_id=first.id, at=NOON)
        services.add_to_case(actor=analyst, incident_id=second.id, case_id=case.id, at=NOON)

    assert (reload(case).sensitivity, reload(case).band) == (3, 1)
    assert reload(first).sensitivity == 1
    assert {reload(first).case_id, reload(second).case_id} == {case.id}


def test_taking_out_is_undone_moving_and_leaves_the_case_as_protected_as_it_was(role, analyst):
    incident = claimed(role, analyst, sensitivity=2)
    with role("vigil_console", actor=analyst):
        case = services.open_case(actor=analyst, incident_id=incident.id, at=NOON)
        services.take_out_of_case(actor=analyst, incident_id=incident.id, at=NOON)

    assert reload(incident).case_id is None
    assert reload(case).sensitivity == 2


def test_an_incident_is_not_put_twice_into_a_case_and_not_taken_out_of_none(role, analyst):
    incident = claimed(role, analyst)
    with role("vigil_console", actor=analyst):
        with pytest.raises(NotInCase), transaction.atomic():
            services.take_out_of_case(actor=analyst, incident_id=incident.id, at=NOON)
        case = services.open_case(actor=analyst, incident_id=incident.id, at=NOON)
        for call in (
            lambda: services.open_case(actor=analyst, incident_id=incident.id, at=NOON),
            lambda: services.add_to_case(actor=analyst, incident_id=incident.id, case_id=case.id, at=NOON),
        ):
            with pytest.raises(AlreadyInCase), transaction.atomic():
                call()
    assert Case.objects.count() == 1


def test_whoever_does_not_hold_the_claim_moves_nothing(role, analyst, make_person):
    incident, case, other = claimed(role, analyst), make_case(), make_person(clearance=3)
    with role("vigil_console", actor=other), pytest.raises(ClaimNeeded), transaction.atomic():
        services.add_to_case(actor=other, incident_id=incident.id, case_id=case.id, at=NOON)
    assert reload(incident).case_id is None


def test_a_case_above_clearance_does_not_exist_for_the_person(role, make_person):
    low = make_person(clearance=1)
    incident, hidden = claimed(role, low), make_case(sensitivity=2)
    with role("vigil_console", actor=low), pytest.raises(CaseNotFound), transaction.atomic():
        services.add_to_case(actor=low, incident_id=incident.id, case_id=hidden.id, at=NOON)
    assert reload(hidden).sensitivity == 2


@pytest.mark.parametrize(
    "sql", ["UPDATE casework_case SET sensitivity = 1", "UPDATE casework_incident SET case_id = '{low}'"]
)
def test_the_database_refuses_a_case_less_protected_than_its_incidents(role, analyst, sql):
    incident, low = claimed(role, analyst, sensitivity=3), make_case(sensitivity=1)
    with role("vigil_console", actor=analyst):
        case = services.open_case(actor=analyst, incident_id=incident.id, at=NOON)
        where = f" WHERE id = '{case.id}'" if "casework_case" in sql else f" WHERE id = '{incident.id}'"
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(sql.format(low=low.id) + where)


moves = st.lists(
    st.tuples(st.sampled_from(["open", "add", "out"]), st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)),
    max_size=12,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
def test_no_sequence_of_moves_lets_anybody_see_an_item_they_did_not_see(role, make_person, moves):
    """Random people move random incidents between random cases; afterwards no (person, item) pair is new."""
    with transaction.atomic():
        people = [make_person(clearance=level) for level in (1, 2, 3)]
        incidents = [make_incident(sensitivity=level) for level in (1, 2, 3, 1)]
        cases = [make_case(sensitivity=level) for level in (1, 2, 3)]

        def visible() -> set:
            pairs = set()
            for person in people:
                with role("vigil_console", actor=person):
                    for model in (Incident, Case):
                        pairs |= {(person.id, id_) for id_ in model.objects.values_list("id", flat=True)}
            return pairs

        before, known = visible(), {*[i.id for i in incidents], *[c.id for c in cases]}
        for kind, which_incident, which_case, who in moves:
            actor, incident, case = people[who], incidents[which_incident], cases[which_case]
            with role("vigil_console", actor=actor):
                try:
                    with transaction.atomic():
                        services.claim_incident(actor=actor, incident_id=incident.id, at=NOON)
                        if kind == "open":
                            services.open_case(actor=actor, incident_id=incident.id, at=NOON)
                        elif kind == "add":
                            services.add_to_case(actor=actor, incident_id=incident.id, case_id=case.id, at=NOON)
                        else:
                            services.take_out_of_case(actor=actor, incident_id=incident.id, at=NOON)
                        services.release_incident(actor=actor, incident_id=incident.id, at=NOON)
                except VigilError:
                    pass
        after = visible()

        assert {pair for pair in after if pair[1] in known} <= before
        for row in Incident.objects.filter(id__in=known, case__isnull=False).select_related("case"):
            assert row.case.sensitivity >= row.sensitivity
        transaction.set_rollback(True)
