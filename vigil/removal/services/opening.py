"""A confirmed sighting of a published entry opens a notice, once per entry and place; a withdrawn entry stops its notices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.audit import services as audit
from vigil.core.events import emit
from vigil.core.ids import issue_number, new_id
from vigil.crawl import selectors as crawl
from vigil.lists import selectors as lists
from vigil.removal.models import CLOSED_STATES, Notice, NoticeState
from vigil.removal.services.rows import WORKER


@transaction.atomic
def open_notice(*, sighting_id: UUID, at: datetime) -> Notice | None:
    """Open the notice that a confirmed sighting calls for, or join it to the one that this place has already.

    None when the sighting is not confirmed or its entry is no longer published: then there is nothing to ask for.
    A place that was confirmed gone comes back to life here.
    """
    sighting = crawl.sighting(sighting_id)
    if sighting.state != "confirmed" or lists.published_state(sighting.entry_id) != "published":
        return None
    known = Notice.objects.select_for_update().filter(entry_id=sighting.entry_id, place_id=sighting.place_id).first()
    if known is not None:
        return _joined(known, sighting_id=sighting_id, seen_at=sighting.seen_at, at=at)
    entry = lists.entry(sighting.entry_id)
    place = crawl.place(sighting.place_id)
    page = crawl.place(sighting.page_place_id) if sighting.page_place_id else None
    notice_id = new_id()
    notice = Notice.objects.create(
        id=notice_id,
        number=issue_number("notice", notice_id),
        entry_id=sighting.entry_id,
        sighting_id=sighting.id,
        last_sighting_id=sighting.id,
        place_id=place.id,
        place_sealed=bytes(place.url_sealed),
        page_place_id=page.id if page else None,
        page_sealed=bytes(page.url_sealed) if page else None,
        server_address=sighting.server_address or "",
        exact=sighting.match == "exact",
        classification=entry.classification,
        sensitivity=sighting.sensitivity,
        first_seen_at=sighting.seen_at,
        round_seen_at=sighting.seen_at,
        opened_at=at,
        next_lookup_at=at,
    )
    emit("removal.notice_opened", notice.id, actor=WORKER, at=at)
    audit.record(
        actor=WORKER,
        action="notice.open",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"sighting": str(sighting.id), "entry": str(sighting.entry_id)},
    )
    return notice


def _joined(notice: Notice, *, sighting_id: UUID, seen_at: datetime, at: datetime) -> Notice:
    if notice.state == NoticeState.STOPPED:
        return notice
    notice.last_sighting_id = sighting_id
    # Seen before the visits that confirmed it gone: an older sighting confirmed late does not bring the place back.
    is_back = notice.state in CLOSED_STATES and (notice.closed_at is None or seen_at > notice.closed_at)
    if is_back:
        mark_reappeared(notice, seen_at=seen_at, at=at)
    notice.save()
    if is_back:
        audit.record(actor=WORKER, action="notice.reappeared", subject_kind="notice", subject_id=notice.id, at=at)
    return notice


def mark_reappeared(notice: Notice, *, seen_at: datetime, at: datetime) -> None:
    """Open the thread of a place that is back (the caller saves the row and records it)."""
    notice.state = NoticeState.REAPPEARED
    notice.place_state = "up"
    notice.reappeared_at = at
    notice.round_seen_at = seen_at
    notice.round_sent_at = None
    notice.closed_at = None
    notice.first_down_at = notice.first_down_check_id = None
    notice.next_check_at = None
    notice.next_mail_at = at
    notice.failures, notice.last_failure = 0, ""
    if notice.provider_id is None:
        notice.next_mail_at, notice.next_lookup_at = None, at
    emit("removal.reappeared", notice.id, actor=WORKER, at=at)


@transaction.atomic
def stop_notices_for_entry(*, entry_id: UUID, at: datetime) -> int:
    """Stop every open notice of an entry that was withdrawn: no further mail, no further look. The number stopped."""
    notices = list(Notice.objects.select_for_update().filter(entry_id=entry_id).exclude(state__in=CLOSED_STATES))
    for notice in notices:
        notice.state, notice.stop_reason, notice.closed_at = NoticeState.STOPPED, "entry.withdrawn", at
        notice.next_lookup_at = notice.next_mail_at = notice.next_check_at = None
        notice.save()
    # A removed place is watched for reappearance; of a withdrawn entry nothing is watched any more.
    Notice.objects.filter(entry_id=entry_id).update(next_check_at=None)
    for notice in notices:
        emit("removal.stopped", notice.id, actor=WORKER, at=at)
    if notices:
        audit.record(
            actor=WORKER,
            action="notice.stop",
            subject_kind="entry",
            subject_id=entry_id,
            at=at,
            data={"notices": len(notices), "reason": "entry.withdrawn"},
        )
    return len(notices)
