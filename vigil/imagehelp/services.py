"""What changes the rows of image help: drafts, sending, taking back, and the jobs and the staff work that follow."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.core import ids, receipts
from vigil.core.actors import REPORTER, Actor
from vigil.core.crypto import new_data_key
from vigil.core.events import emit
from vigil.imagehelp import drafts, fingerprints
from vigil.imagehelp.drafts import HelpDraftBody
from vigil.imagehelp.errors import HelpCaseEnded, HelpCaseNotFound, HelpDraftIncomplete, HelpDraftNotFound
from vigil.imagehelp.models import HelpCase, HelpFingerprint, HelpLink
from vigil.imagehelp.selectors import OpenHelpCase, proof_context, proof_of, read_case
from vigil.lists import services as lists


# ---- what is half filled in --------------------------------------------------------------------------------------------
@transaction.atomic
def save_draft(*, token: bytes, change: Callable[[HelpDraftBody], None], at: datetime) -> HelpDraftBody:
    """Load (or begin) the draft of a token, change it, write it; its two hours start again. A sent one stays as it is."""
    draft = drafts.load(token, at=at, lock=True) or HelpDraftBody(token=token)
    if draft.sent is None:
        change(draft)
        drafts.save(draft, at=at)
    return draft


@transaction.atomic
def load_draft(*, token: bytes, at: datetime) -> HelpDraftBody | None:
    """The draft of a token as it stands, or None."""
    return drafts.load(token, at=at)


@transaction.atomic
def discard_draft(*, token: bytes) -> None:
    """Forget the draft at once."""
    drafts.discard(token)


@transaction.atomic
def was_sent(token: bytes) -> bool:
    """Whether the case that this token becomes exists. True also after the draft itself is gone."""
    receipt = drafts.help_receipt(token)
    return proof_of(receipt.number, receipt.secret) is not None


# ---- sending -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def open_case(*, token: bytes, language: str, at: datetime) -> HelpDraftBody:
    """Turn a draft into a case, once: case, fingerprints, links, number, event and audit row commit together.

    What happens does not depend on whether a fingerprint is known anywhere: nothing is looked up here. Sending again changes
    nothing and returns the same receipt. Raises HelpDraftNotFound, HelpDraftIncomplete (with the step), BadFingerprint.
    """
    draft = drafts.load(token, at=at, lock=True)
    if draft is None:
        raise HelpDraftNotFound()
    if draft.sent is not None:
        return draft
    missing = next((step for step in drafts.NEEDED if step not in draft.done), None)
    if missing or not draft.fingerprints:
        raise HelpDraftIncomplete(fields={missing or "files": "missing"})
    case_id, attempt = ids.new_id(), 0
    while True:
        receipt = drafts.help_receipt(token, attempt)
        try:
            ids.issue_number("image_help", case_id, receipt.number)
            break
        except IntegrityError:
            attempt += 1  # this number belongs to something else
            if attempt == 8:
                raise
    _insert_case(draft, case_id, receipt, language=language, at=at)
    draft.sent = attempt
    draft.fingerprints, draft.links, draft.handles, draft.done = [], [], [], []
    drafts.save(draft, at=at)
    emit("imagehelp.case_opened", case_id, actor=REPORTER, at=at)
    audit.record(actor=REPORTER, action="imagehelp.open", subject_kind="image_help", subject_id=case_id, at=at)
    return draft


def _insert_case(
    draft: HelpDraftBody, case_id: UUID, receipt: receipts.Receipt, *, language: str, at: datetime
) -> None:
    salt = os.urandom(16)
    wrapped = receipts.wrap(os.urandom(32), secret=receipt.secret, salt=salt, context=proof_context(case_id))
    case = HelpCase(
        id=case_id, number=receipt.number, opened_at=at, language=language, who=draft.who, age=draft.age,
        threat=draft.threat, salt=salt, wrapped_key=wrapped,
    )  # fmt: skip
    HelpCase.objects.bulk_create([case])
    made = fingerprints.parse_lines(draft.fingerprints)
    HelpFingerprint.objects.bulk_create(
        HelpFingerprint(
            id=ids.new_id(), case_id=case_id, position=position, kind=one.kind, value=one.value, quality=one.quality
        )
        for position, one in enumerate(made)
    )
    named = [("link", text) for text in draft.links] + [("handle", text) for text in draft.handles]
    if named:
        # As the links of the report that the case may become: staff get them without anything being opened on the way.
        key, rows = new_data_key(record_id=case.report_id, klass="link"), []
        for position, (kind, text) in enumerate(named):
            link_id = ids.new_id()
            value = key.encrypt(text, table="intake_reportlink", column="value", row_id=link_id)
            rows.append(HelpLink(id=link_id, case_id=case_id, position=position, kind=kind, value=value))
        HelpLink.objects.bulk_create(rows)


# ---- the person's own case -----------------------------------------------------------------------------------------------
@transaction.atomic
def open_own_case(*, number: str, code: str) -> OpenHelpCase:
    """The case that number and code open. Raises HelpCaseNotOpened, the same for every reason and after the same work."""
    return read_case(number=number, code=code)


@transaction.atomic
def withdraw_case(*, number: str, code: str, at: datetime) -> bool:
    """Take a case back at the person's wish: its fingerprints are out of every look-up at once, with a tombstone each.

    False when it had ended already. Raises HelpCaseNotOpened.
    """
    case = read_case(number=number, code=code)
    with connection.cursor() as cursor:
        cursor.execute("SELECT imagehelp_withdraw(%s, %s)", [case.number, at])
        (is_new,) = cursor.fetchone()
    if is_new:
        emit("imagehelp.case_ended", case.id, actor=REPORTER, at=at)
        audit.record(actor=REPORTER, action="imagehelp.withdraw", subject_kind="image_help", subject_id=case.id, at=at)
    return bool(is_new)


# ---- staff ---------------------------------------------------------------------------------------------------------------
SET_ASIDE_REASONS = ("contested", "asked_by_phone", "not_a_child", "mistake")


@transaction.atomic
def set_aside_case(*, actor: Actor, case_id: UUID, reason: str, at: datetime) -> HelpCase:
    """Take a case's fingerprints out of every look-up because somebody contests them, or for the person on the telephone.

    Raises HelpCaseNotFound, NotPermitted, HelpCaseEnded.
    """
    require(actor, "imagehelp.set_aside")
    if reason not in SET_ASIDE_REASONS:
        raise HelpDraftIncomplete(fields={"reason": "missing"})
    case = HelpCase.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise HelpCaseNotFound(case_id)
    if case.state != "open":
        raise HelpCaseEnded(case_id)
    case.state, case.ended_at, case.ended_reason = "set_aside", at, reason
    case.save(update_fields=["state", "ended_at", "ended_reason"])
    taken = lists.withdraw_declared(case_id=case_id, at=at)
    emit("imagehelp.case_ended", case_id, actor=actor, at=at)
    audit.record(
        actor=actor, action="imagehelp.set_aside", subject_kind="image_help", subject_id=case_id, at=at,
        data={"reason": reason, "fingerprints": taken},
    )  # fmt: skip
    return case


# ---- jobs ----------------------------------------------------------------------------------------------------------------
@transaction.atomic
def declare_fingerprints(*, actor: Actor, case_id: UUID, at: datetime) -> int:
    """Put a case's fingerprints on the list of those that people declared themselves. Safe to run twice."""
    lists.lock_declared_feed()  # before looking at the state: a case that is taken back meanwhile waits here, or came first
    if not HelpCase.objects.filter(id=case_id, state="open").exists():
        return 0
    rows = HelpFingerprint.objects.filter(case_id=case_id).order_by("position")
    wanted = [lists.DeclaredFingerprint(row.id, row.kind, bytes(row.value), row.quality) for row in rows]
    return lists.declare(actor=actor, case_id=case_id, fingerprints=wanted, at=at)


def delete_expired_drafts(*, at: datetime) -> int:
    """Delete what was half filled in and whose two hours are over."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM imagehelp_helpdraft WHERE expires_at <= %s", [at])
        return int(cursor.rowcount)
