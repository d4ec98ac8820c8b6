"""Looking at the place again: before each mail, after each answer, and until two visits find it gone.

"Unknown" never counts: it neither confirms a removal nor undoes a visit that found the file gone.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from vigil.audit import services as audit
from vigil.casework import services as casework
from vigil.core.events import emit
from vigil.core.ids import issue_number, new_id
from vigil.crawl import selectors as crawl
from vigil.crawl import services as crawl_services
from vigil.lists import selectors as lists
from vigil.removal.models import AnswerKind, Notice, NoticeCheck, NoticeState, Removal
from vigil.removal.services.mailing import MAILABLE_STATES, is_mail_due, send_mail
from vigil.removal.services.opening import mark_reappeared
from vigil.removal.services.rows import WORKER, lock_notice
from vigil.removal.services.timing import (
    FRESH_CHECK,
    LOST_CHECK,
    WATCH_EVERY,
    WATCH_FOR,
    after_unknown,
    reminder_every,
    visits_apart,
)

CLAIMS_OF_REMOVAL = (AnswerKind.REMOVED, AnswerKind.ALREADY_GONE)


@transaction.atomic
def ask_due_checks(*, at: datetime, limit: int = 100) -> int:
    """Find every notice whose place is to be looked at: a mail is waiting for it, or a visit is due. The number found.

    Each look is asked for in a job of its own: asking locks a host of the crawl, and locks of many hosts in one
    transaction would be taken in another order than the crawl's.
    """
    mail_due = Q(next_mail_at__lte=at, state__in=MAILABLE_STATES, provider__isnull=False)
    not_asked = Q(check_asked_at__isnull=True) | Q(check_asked_at__lte=at - LOST_CHECK)
    due = (
        Notice.objects.select_for_update(skip_locked=True)
        .filter(mail_due | Q(next_check_at__lte=at), not_asked)
        .exclude(state=NoticeState.STOPPED)
        .order_by("opened_at")
    )
    notices = list(due[:limit])
    for notice in notices:
        notice.check_asked_at = at
        notice.save(update_fields=["check_asked_at"])
        emit("removal.check_due", notice.id, actor=WORKER, at=at)
    return len(notices)


@transaction.atomic
def ask_check(*, notice_id: UUID, at: datetime) -> UUID | None:
    """Ask the crawl to look at the place of one notice; the look's id. None when the notice was stopped meanwhile."""
    notice = lock_notice(notice_id)
    if notice.state == NoticeState.STOPPED:
        return None
    check = crawl_services.ask_check(
        place_id=notice.place_id, sighting_id=notice.last_sighting_id, asked_for=notice.id, at=at
    )
    NoticeCheck.objects.create(id=check.id, notice=notice, asked_at=at)
    notice.pending_check_id, notice.check_asked_at = check.id, at
    notice.save(update_fields=["pending_check_id", "check_asked_at"])
    return check.id


@transaction.atomic
def take_check(*, check_id: UUID, at: datetime) -> Notice | None:
    """Take the crawl's answer to a look this room asked for, and do what follows from it. None when it was not ours."""
    row = NoticeCheck.objects.filter(id=check_id).first()
    if row is None:
        return None
    notice = lock_notice(row.notice_id)
    row.refresh_from_db()
    result = crawl.check(check_id)
    if row.done_at is not None or result.done_at is None:
        return notice
    row.done_at, row.verdict, row.detail = result.done_at, result.verdict, (result.detail or "")[:64]
    row.save()
    if notice.pending_check_id == check_id:
        notice.pending_check_id = notice.check_asked_at = None
    is_late = notice.last_checked_at is not None and row.done_at <= notice.last_checked_at
    if notice.state != NoticeState.STOPPED and not is_late:
        notice.last_checked_at, notice.place_state = row.done_at, row.verdict
        {"up": _found_up, "down": _found_down, "unknown": _found_unknown}[row.verdict](notice, row, result.done_at, at)
        casework.note_look(actor=WORKER, notice_id=notice.id, verdict=row.verdict, at=result.done_at)
    notice.save()
    # The one row of this look, last: what followed from it (a mail, a removal) stands beside it in the notice's history.
    audit.record(
        actor=WORKER,
        action="notice.check",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"check": str(check_id), "verdict": row.verdict, "state": notice.state, "mails_sent": notice.mails_sent},
    )
    return notice


@transaction.atomic
def resume_after_answer(*, notice_id: UUID, at: datetime) -> Notice:
    """Do what a provider's answer calls for. "Removed" is a claim: the place is looked at at once, and twice."""
    notice = lock_notice(notice_id)
    last = notice.answers.order_by("-at").first()
    if last is None:
        return notice
    notice.last_answer = last.kind
    if not notice.is_closed:
        notice.next_mail_at = None
        if last.kind in CLAIMS_OF_REMOVAL:
            notice.state, notice.next_check_at = NoticeState.ANSWERED, at
        elif last.kind == AnswerKind.NEED_MORE:
            notice.state = NoticeState.ANSWERED
        else:
            notice.state = NoticeState.DISPUTED
    notice.save()
    audit.record(
        actor=WORKER,
        action="notice.answer_taken",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"kind": last.kind, "state": notice.state},
    )
    return notice


def _found_up(notice: Notice, row: NoticeCheck, done_at: datetime, at: datetime) -> None:
    is_back = notice.is_closed
    if is_back:
        mark_reappeared(notice, seen_at=done_at, at=at)
    notice.first_down_at = notice.first_down_check_id = None
    notice.next_check_at = done_at + visits_apart()
    if notice.last_failure == "check.unknown":
        notice.last_failure = ""
    if notice.state == NoticeState.ANSWERED and notice.last_answer in CLAIMS_OF_REMOVAL:
        if notice.answers.filter(at__gt=row.asked_at).exists():
            notice.next_check_at = at  # this look was asked for before the provider acted: it proves nothing
            return
        notice.state = NoticeState.SENT
    if notice.next_mail_at is None and notice.state in MAILABLE_STATES and notice.provider_id is not None:
        notice.next_mail_at = at
        if notice.round_sent_at is not None and notice.last_sent_at is not None:
            notice.next_mail_at = max(at, notice.last_sent_at + reminder_every())
    is_fresh = at - done_at <= FRESH_CHECK
    if is_mail_due(notice, at) and is_fresh and lists.published_state(notice.entry_id) == "published":
        send_mail(notice, verified_at=done_at, at=at)
    if is_back:
        # Last, like every audit row: nobody waits for the chain while a mail is on its way.
        audit.record(actor=WORKER, action="notice.reappeared", subject_kind="notice", subject_id=notice.id, at=at)


def _found_down(notice: Notice, row: NoticeCheck, done_at: datetime, at: datetime) -> None:
    if notice.is_closed:
        watched_until = (notice.closed_at or at) + WATCH_FOR
        notice.next_check_at = done_at + WATCH_EVERY if done_at + WATCH_EVERY <= watched_until else None
        return
    # Nothing is mailed about a place that is gone; a later look that finds it up makes the mail due again.
    notice.next_mail_at = None
    if notice.first_down_at is None:
        notice.first_down_at, notice.first_down_check_id = done_at, row.id
        notice.next_check_at = done_at + visits_apart()
    elif done_at - notice.first_down_at < visits_apart():
        notice.next_check_at = notice.first_down_at + visits_apart()
    else:
        _confirm_gone(notice, row, done_at, at)


def _found_unknown(notice: Notice, row: NoticeCheck, done_at: datetime, at: datetime) -> None:
    again = at + after_unknown()
    notice.next_check_at = again
    notice.last_failure = notice.last_failure or "check.unknown"
    if is_mail_due(notice, at):
        notice.next_mail_at = again


def _confirm_gone(notice: Notice, row: NoticeCheck, done_at: datetime, at: datetime) -> None:
    notice.closed_at = done_at
    notice.next_check_at = done_at + WATCH_EVERY
    notice.failures, notice.last_failure = 0, ""
    notice.next_lookup_at = None
    if notice.round_sent_at is None:
        notice.state = NoticeState.GONE
        audit.record(actor=WORKER, action="notice.gone_before_mail", subject_kind="notice", subject_id=notice.id, at=at)
        return
    assert notice.provider_id and notice.first_down_at and notice.first_down_check_id
    notice.state = NoticeState.REMOVED
    removal_id = new_id()
    removal = Removal.objects.create(
        id=removal_id,
        number=issue_number("removal", removal_id),
        notice=notice,
        provider_id=notice.provider_id,
        first_seen_at=notice.round_seen_at,
        notice_sent_at=notice.round_sent_at,
        first_down_at=notice.first_down_at,
        first_down_check_id=notice.first_down_check_id,
        confirmed_at=done_at,
        confirming_check=row,
    )
    emit("removal.confirmed", removal.id, actor=WORKER, at=at)
    audit.record(
        actor=WORKER,
        action="removal.confirm",
        subject_kind="removal",
        subject_id=removal.id,
        at=at,
        data={"notice": str(notice.id)},
    )
