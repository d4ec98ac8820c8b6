"""What staff can do about a notice: have it tried now, or go on after a dispute."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.core.actors import Actor
from vigil.removal.errors import NoticeClosed
from vigil.removal.models import Notice, NoticeState
from vigil.removal.services.mailing import MAILABLE_STATES
from vigil.removal.services.rows import lock_notice


@transaction.atomic
def try_again_now(*, actor: Actor, notice_id: UUID, at: datetime) -> Notice:
    """Do not wait for the next due time: look the provider up again, mail again, or look at the place again, now.

    A mail that was sent is not sent again before its reminder is due. Raises NoticeNotFound, NotPermitted, NoticeClosed.
    """
    notice = _open_notice(actor, notice_id)
    if notice.provider_id is None:
        notice.next_lookup_at = at
        if notice.state == NoticeState.NO_ADDRESS:
            notice.state = NoticeState.DUE
    elif notice.state in MAILABLE_STATES and (notice.round_sent_at is None or notice.failures):
        notice.next_mail_at = at
    notice.next_check_at = at
    notice.save(update_fields=["state", "next_lookup_at", "next_mail_at", "next_check_at"])
    audit.record(actor=actor, action="notice.try_again", subject_kind="notice", subject_id=notice.id, at=at)
    return notice


@transaction.atomic
def continue_reminders(*, actor: Actor, notice_id: UUID, at: datetime) -> Notice:
    """Go on with a notice whose provider disagreed or asked for more: the next mail is due now.

    Raises NoticeNotFound, NotPermitted, NoticeClosed.
    """
    notice = _open_notice(actor, notice_id)
    if notice.state in {NoticeState.DISPUTED, NoticeState.ANSWERED}:
        notice.state, notice.next_mail_at = NoticeState.SENT, at
        notice.save(update_fields=["state", "next_mail_at"])
        audit.record(actor=actor, action="notice.continue", subject_kind="notice", subject_id=notice.id, at=at)
    return notice


def _open_notice(actor: Actor, notice_id: UUID) -> Notice:
    notice = lock_notice(notice_id)
    require(actor, "notice.send", notice)
    if notice.is_closed:
        raise NoticeClosed(notice_id)
    return notice
