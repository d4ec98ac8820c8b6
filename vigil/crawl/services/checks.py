"""Checks: is a place still up? Asked for by other rooms, answered by the crawl under the host's lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.audit import services as audit
from vigil.core.actors import Actor, process_actor
from vigil.core.events import emit
from vigil.core.ids import new_id
from vigil.crawl.errors import PlaceNotFound
from vigil.crawl.fetch.outcomes import Outcome
from vigil.crawl.models import Check, Place, Visit
from vigil.crawl.services.leases import Lease, hold
from vigil.crawl.services.places import lock_hosts, make_due

WORKER, CRAWLER = process_actor("worker"), process_actor("crawl")


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found: the verdict, why, and the visit behind it."""

    verdict: str
    detail: str
    outcome: Outcome
    status: int = 0
    server_address: str = ""
    milliseconds: int = 0
    size_bytes: int = 0


@transaction.atomic
def ask_check(
    *,
    place_id: UUID,
    sighting_id: UUID | None,
    asked_for: UUID,
    at: datetime,
    asked_by_kind: str = "notice",
    due_at: datetime | None = None,
    actor: Actor = WORKER,
) -> Check:
    """Ask whether a place still shows what was sighted there, now or at `due_at`. Raises PlaceNotFound.

    The event `crawl.check_done` (subject: the check) follows; `selectors.check` then has the verdict: up, down or unknown.
    """
    host_id = Place.objects.filter(id=place_id).values_list("host_id", flat=True).first()
    if host_id is None:
        raise PlaceNotFound(place_id)
    due_at = due_at or at
    lock_hosts([host_id])
    check = Check(
        id=new_id(), place_id=place_id, sighting_id=sighting_id, asked_by_kind=asked_by_kind, asked_for=asked_for, asked_at=at,
        due_at=due_at,
    )  # fmt: skip
    Check.objects.bulk_create([check])
    make_due([host_id], at=due_at, is_urgent=True)
    audit.record(
        actor=actor, action="check.ask", subject_kind="check", subject_id=check.id, at=at,
        data={"place": str(place_id), "for": str(asked_for)},
    )  # fmt: skip
    return check


def record_check(*, lease: Lease, check_id: UUID, result: CheckResult, at: datetime) -> bool:
    """Record a check's verdict under a lease. False when it was answered before; raises StaleLease when it comes late."""
    with transaction.atomic():
        lock_hosts([lease.host_id])
        hold(lease)
        # Only these columns: this role may write the answer of a check, not the question.
        changed = Check.objects.filter(id=check_id, done_at=None, place__host_id=lease.host_id).update(
            done_at=at, verdict=result.verdict, detail=result.detail, status=result.status
        )
        if not changed:
            return False
        place_id = Check.objects.values_list("place_id", flat=True).get(id=check_id)
        Visit.objects.bulk_create(
            [
                Visit(
                    id=new_id(), place_id=place_id, at=at, outcome=result.outcome, status=result.status,
                    server_address=result.server_address or None, milliseconds=result.milliseconds,
                    size_bytes=result.size_bytes, fence=lease.fence,
                )
            ]
        )  # fmt: skip
        emit("crawl.check_done", check_id, actor=CRAWLER, at=at)
    return True
