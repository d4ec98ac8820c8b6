"""The half-filled report: keeping it, saving it for later under a code, coming back to it, forgetting it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from vigil.intake import drafts, receipts
from vigil.intake.drafts import DraftBody
from vigil.intake.errors import DraftAlreadySent, NothingToSave, SavedDraftNotFound
from vigil.intake.questions import current_set
from vigil.intake.selectors import thread_of
from vigil.intake.services.reports import keep_questions

#: How long the page with the code can be opened again.
CODE_SHOWN = timedelta(minutes=15)


@transaction.atomic
def save_draft(*, token: bytes, change: Callable[[DraftBody], None], at: datetime) -> DraftBody:
    """Load (or begin) the draft of a token, change it, write it; its two hours start again.

    A draft that ran out begins anew under the same token, so the page that was just sent is never lost.
    Raises DraftAlreadySent when this token's report was sent.
    """
    draft = _begun(token, at=at)
    change(draft)
    drafts.save(draft, at=at)
    return draft


def _begun(token: bytes, *, at: datetime) -> DraftBody:
    draft = drafts.load(token, at=at, lock=True)
    if draft is None:
        if was_sent(token):
            raise DraftAlreadySent()
        # Its questions are stored with the first answer, so that they stay the same when the installation's change.
        keep_questions(current_set(), at=at)
        draft = DraftBody(token=token, asked=current_set().digest)
    if draft.sent:
        raise DraftAlreadySent()
    return draft


@transaction.atomic
def load_draft(*, token: bytes, at: datetime) -> DraftBody | None:
    """The draft of a token as it stands, or None."""
    return drafts.load(token, at=at)


@transaction.atomic
def discard_draft(*, token: bytes) -> None:
    """Forget the draft at once (leave quickly, finish). A copy that was saved under a code stays."""
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


# ---- save and come back ------------------------------------------------------------------------------------------------
def saved_days() -> int:
    """How many days a report that was saved for later can be taken up again: the operator's setting."""
    return int(settings.SAVED_DRAFT_DAYS)


@transaction.atomic
def save_for_later(*, token: bytes, change: Callable[[DraftBody], None] | None, at: datetime) -> DraftBody:
    """Move the draft under a code that only this person is shown; an older code of the same report ends.

    The draft of the token keeps what the page with the code needs and none of the answers. The same call again changes
    nothing. Raises NothingToSave, DraftAlreadySent.
    """
    draft = _begun(token, at=at)
    if draft.saved:
        return draft
    if change is not None:
        change(draft)
    if not draft.done and not any(any(values) for page in draft.typed.values() for values in page.values()):
        raise NothingToSave()
    life = timedelta(days=saved_days())
    kept = DraftBody(token=receipts.token_of_code(receipts.code_of(token)), **draft.content())
    kept.kept_under, kept.restarted = "", False
    drafts.save(kept, at=at, life=life)
    if draft.kept_under:
        drafts.discard(bytes.fromhex(draft.kept_under))
    draft.saved = {"until": (at + life).isoformat(), "young": draft.young}
    draft.answers, draft.typed, draft.done, draft.rows, draft.kept_under = {}, {}, [], {}, ""
    drafts.save(draft, at=at, life=CODE_SHOWN)
    return draft


@transaction.atomic
def come_back(*, code: str, token: bytes, at: datetime) -> DraftBody:
    """Continue a saved report in this browser, under a new token. The saved copy stays until it is sent, saved again or old.

    Raises SavedDraftNotFound, the same for every reason and after the same work.
    """
    kept_under = receipts.token_of_code(receipts.parse_code(code) or receipts.NO_CODE)
    kept = drafts.load(kept_under, at=at)
    if kept is None:
        raise SavedDraftNotFound()
    draft = DraftBody(token=token, **kept.content())
    draft.kept_under = kept_under.hex()
    drafts.save(draft, at=at)
    return draft


@transaction.atomic
def discard_saved(*, code: str) -> None:
    """Delete what was saved under a code; nothing happens when there is nothing."""
    drafts.discard(receipts.token_of_code(receipts.parse_code(code) or receipts.NO_CODE))


def delete_expired_drafts(*, at: datetime) -> int:
    """Delete half-filled reports whose time is over."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM intake_draft WHERE expires_at <= %s", [at])
        return int(cursor.rowcount)
