"""Somebody reports a place that a notice is about: an open notice is linked; a removed place is looked at, at once.

If it is up, its thread opens again (`checking.take_check`): a report of a removed place is a reappearance, never a double.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from vigil.audit import services as audit
from vigil.casework import selectors as casework
from vigil.casework import services as casework_services
from vigil.core.events import emit
from vigil.removal.models import CLOSED_STATES, Notice, NoticeState
from vigil.removal.services.rows import WORKER


@transaction.atomic
def take_reported_places(*, incident_id: UUID, at: datetime) -> int:
    """Link an incident's known places with their notices, and have what was removed looked at now. Safe to run twice.

    Of several notices about one place the one that is open counts, else the one that was closed last. Returns how many looks
    were asked for.
    """
    asked = 0
    for known in casework.known_places_of(incident_id):
        notice = _notice_of(known.place_id)
        if notice is None:
            continue
        is_new = casework_services.note_notice(
            known_place_id=known.id,
            notice_id=notice.id,
            notice_number=notice.number,
            removal_number=notice.removals.order_by("-confirmed_at").values_list("number", flat=True).first() or "",
            is_open=not notice.is_closed,
            at=at,
        )
        if not is_new or not notice.is_closed:
            continue
        # In a job of its own, like every look: asking locks a host of the crawl.
        notice.next_check_at = notice.check_asked_at = at
        notice.save(update_fields=["next_check_at", "check_asked_at"])
        emit("removal.check_due", notice.id, actor=WORKER, at=at)
        audit.record(
            actor=WORKER,
            action="notice.reported_again",
            subject_kind="notice",
            subject_id=notice.id,
            at=at,
            data={"incident": str(incident_id)},
        )
        asked += 1
    return asked


def _notice_of(place_id: UUID) -> Notice | None:
    rows = Notice.objects.select_for_update().filter(Q(place_id=place_id) | Q(page_place_id=place_id))
    found = sorted(rows.exclude(state=NoticeState.STOPPED), key=lambda row: (row.is_closed, row.id))
    if found and not found[0].is_closed:
        return found[0]
    closed = [row for row in found if row.state in CLOSED_STATES and row.closed_at]
    return max(closed, key=lambda row: (row.closed_at, row.id), default=None)
