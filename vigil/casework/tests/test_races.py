"""Two people at once: one wins, the other is told; nobody decides twice."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from vigil.casework import services
from vigil.casework.errors import ClaimStale, IncidentClaimed, IncidentDecided
from vigil.casework.models import Incident, Step
from vigil.casework.tests.factories import NOON, make_incident, make_report

ROUNDS = 25


def at_once(role_of, calls):
    """Run each call in a thread of its own, all released together; what each returned or raised, in order."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(index, actor, call):
        try:
            barrier.wait(timeout=10)
            with role_of("vigil_console", actor=actor):
                results[index] = call(actor)
        except Exception as exc:
            results[index] = exc
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i, actor, call)) for i, (actor, call) in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


@pytest.fixture
def door(transactional_db):
    from conftest import as_role

    return as_role


@pytest.fixture
def people(transactional_db):
    from vigil.accounts.factories import make_person

    return [make_person(clearance=3) for _ in range(3)]


def test_of_several_people_who_claim_at_once_exactly_one_wins_and_the_others_learn_who(door, people):
    for _ in range(ROUNDS):
        incident = make_incident()

        def claim(actor, incident=incident):
            return services.claim_incident(actor=actor, incident_id=incident.id, at=NOON)

        results = at_once(door, [(actor, claim) for actor in people])

        winners = [actor for actor, result in zip(people, results, strict=True) if isinstance(result, Incident)]
        assert len(winners) == 1
        losers = [result for result in results if not isinstance(result, Incident)]
        assert all(isinstance(result, IncidentClaimed) and result.claimed_by == winners[0].id for result in losers)
        row = Incident.objects.get(id=incident.id)
        assert (row.claimed_by, row.claim_fence) == (winners[0].id, 1)
        assert Step.objects.filter(incident=incident, kind="claimed").count() == 1


def test_a_decision_sent_twice_at_once_is_made_once(door, people):
    actor = people[0]
    for _ in range(ROUNDS):
        incident = make_incident()
        with door("vigil_console", actor=actor):
            fence = services.claim_incident(actor=actor, incident_id=incident.id, at=NOON).claim_fence

        def decide(actor, incident=incident, fence=fence):
            return services.decide_incident(
                actor=actor,
                incident_id=incident.id,
                fence=fence,
                decision="actionable",
                reason="material_online",
                at=NOON,
            )

        results = at_once(door, [(actor, decide), (actor, decide)])

        assert sorted(type(result).__name__ for result in results) == ["Incident", "IncidentDecided"]
        assert Step.objects.filter(incident=incident, kind="decided").count() == 1


def test_a_stale_holder_and_the_new_one_who_decide_at_once_make_one_decision(door, people):
    stale, holder = people[:2]
    later = NOON + timedelta(minutes=16)
    for _ in range(ROUNDS):
        incident = make_incident()
        with door("vigil_console", actor=stale):
            old = services.claim_incident(actor=stale, incident_id=incident.id, at=NOON).claim_fence
        with door("vigil_console", actor=holder):
            new = services.claim_incident(actor=holder, incident_id=incident.id, at=later).claim_fence

        def decide(actor, fences={stale.id: old, holder.id: new}, incident=incident):  # noqa: B006
            return services.decide_incident(
                actor=actor,
                incident_id=incident.id,
                fence=fences[actor.id],
                decision="out_of_scope",
                reason="lawful",
                at=later,
            )

        first, second = at_once(door, [(stale, decide), (holder, decide)])

        assert isinstance(first, (ClaimStale, IncidentDecided))
        assert isinstance(second, Incident)
        assert Incident.objects.get(id=incident.id).decided_by == holder.id


def test_a_report_opened_by_two_workers_at_once_becomes_its_incidents_once(door, people):
    from django.db import IntegrityError

    from vigil.casework.tests.factories import WORKER

    for _ in range(5):
        report_id = make_report()

        def worker_door(_role, actor):
            return door("vigil_worker", actor=actor)

        def open_(actor, report_id=report_id):
            return services.open_incidents(actor=WORKER, report_id=report_id, at=NOON)

        results = at_once(worker_door, [(WORKER, open_), (WORKER, open_)])

        assert Incident.objects.filter(report_id=report_id).count() == 1
        # The one that came second either saw the first or was stopped by the constraint: the job is tried again then.
        assert all(isinstance(result, (list, IntegrityError)) for result in results)
