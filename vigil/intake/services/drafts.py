"""The half-filled report: keeping it, forgetting it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction

from vigil.intake import drafts, receipts
from vigil.intake.drafts import DraftBody
from vigil.intake.errors import DraftAlreadySent
from vigil.intake.selectors import thread_of


@transaction.atomic
def save_draft(*, token: bytes, change: Callable[[DraftBody], None], at: datetime) -> DraftBody:
    """Load (or begin) the draft of a token, change it, write it; its two hours start again.

    A draft that ran out begins anew under the same token, so the page that was just sent is never lost.
    Raises DraftAlreadySent when this token's report was sent.
    """
    draft = drafts.load(token, at=at, lock=True)
    if draft is None:
        if was_sent(token):
            raise DraftAlreadySent()
        draft = DraftBody(token=token)
    if draft.sent:
        raise DraftAlreadySent()
    change(draft)
    drafts.save(draft, at=at)
    return draft


@transaction.atomic
def load_draft(*, token: bytes, at: datetime) -> DraftBody | None:
    """The draft of a token as it stands, or None."""
    return drafts.load(token, at=at)


@transaction.atomic
def discard_draft(*, token: bytes) -> None:
    """Forget the draft at once (leave quickly, finish)."""
    drafts.discard(token)


@transaction.atomic
def was_sent(token: bytes) -> bool:
    """Whether the report that this token becomes exists. True also after the draft itself is gone."""
    receipt = receipts.receipt_of(token)
    row = thread_of(receipt.number)
    if row is None:
        receipts.unwrap_nothing(receipt.secret)
        return False
    key = receipts.unwrap_thread_key(row.wrapped_key, secret=receipt.secret, salt=row.salt, report_id=row.report_id)
    return key is not None


def delete_expired_drafts(*, at: datetime) -> int:
    """Delete half-filled reports whose two hours are over."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM intake_draft WHERE expires_at <= %s", [at])
        return int(cursor.rowcount)
