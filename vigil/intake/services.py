"""What changes intake's rows: sending a report, the thread with its reporter, and the work of staff on both."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, connection, transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.core import ids, keyd
from vigil.core.actors import REPORTER, Actor
from vigil.core.crypto import new_data_key
from vigil.core.events import emit
from vigil.core.keyd import SealedPlace
from vigil.intake import drafts, policies, receipts
from vigil.intake import questions as q
from vigil.intake.drafts import DraftBody
from vigil.intake.errors import (
    BadMessage,
    DraftAlreadySent,
    DraftIncomplete,
    DraftNotFound,
    QuestionNotAsked,
    ReportNotFound,
)
from vigil.intake.models import Message, Report, ReportLink, Thread
from vigil.intake.selectors import OpenThread, links_of, read_thread, thread_of

#: Codes that go into `Report.answers`; everything else a person writes is encrypted.
_ANSWER_CODES = ("danger", "who", "age_band", "situations", *q.FOLLOW_UPS)


# ---- the half-filled report ------------------------------------------------------------------------------------------------
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
    return _unwrap(row.report_id, row.salt, row.wrapped_key, receipt.secret) is not None


# ---- sending ---------------------------------------------------------------------------------------------------------------
@transaction.atomic
def submit_report(*, token: bytes, language: str, at: datetime) -> DraftBody:
    """Turn a draft into a report, once: report, links, thread, number, sealed keys, event and audit row commit together.

    Sending again (double click, reload, another tab) changes nothing and returns the same receipt.
    Raises DraftNotFound, or DraftIncomplete with the step that needs an answer.
    """
    draft = drafts.load(token, at=at, lock=True)
    if draft is None:
        raise DraftNotFound()
    if draft.sent:
        return draft
    step = policies.missing_step(draft.answers, draft.done)
    if step is not None:
        raise DraftIncomplete(fields={step: "missing"})
    report_id, attempt = ids.new_id(), 0
    while True:
        receipt = receipts.receipt_of(token, attempt)
        try:
            ids.issue_number("report", report_id, receipt.number)
            break
        except IntegrityError:
            attempt += 1  # this number belongs to another report
            if attempt == 8:
                raise
    _insert_report(draft.answers, report_id, receipt, language=language, at=at)
    draft.sent = {"attempt": attempt, "young": q.is_under_18(draft.answers), "language": language}
    draft.answers, draft.typed, draft.done, draft.rows = {}, {}, [], {}
    drafts.save(draft, at=at)
    emit("intake.report_submitted", report_id, actor=REPORTER, at=at)
    audit.record(actor=REPORTER, action="report.submit", subject_kind="report", subject_id=report_id, at=at)
    return draft


def _insert_report(
    answers: dict[str, Any], report_id: UUID, receipt: receipts.Receipt, *, language: str, at: datetime
) -> None:
    codes = {name: answers[name] for name in _ANSWER_CODES if answers.get(name)}
    wanted = q.follow_ups_for(answers.get("situations", []), answers.get("who", ""))
    codes = {name: value for name, value in codes.items() if name not in q.FOLLOW_UPS or name in wanted}
    contact = {name: answers[name] for name in ("contact_name", "contact_way", "contact_safe") if answers.get(name)}
    codes["contact"] = "yes" if contact else "no"
    if contact:
        # The answer to "may it go to the police" is kept with the details: it is gone when they are withdrawn.
        contact["may_share"] = answers.get("may_share") or "no"
    report = Report(
        id=report_id,
        number=receipt.number,
        submitted_at=at,
        language=language,
        source="web",
        question_set=q.QUESTION_SET,
        answers=codes,
        under_18=q.is_under_18(answers),
    )
    if answers.get("narrative"):
        key = new_data_key(record_id=report_id, klass="narrative")
        report.narrative = key.encrypt(
            answers["narrative"], table="intake_report", column="narrative", row_id=report_id
        )
    if contact:
        key = new_data_key(record_id=report_id, klass="contact")
        report.contact = key.encrypt(json.dumps(contact), table="intake_report", column="contact", row_id=report_id)
    Report.objects.bulk_create([report])
    named = [("link", text) for text in answers.get("links", [])] + [
        ("handle", text) for text in answers.get("handles", [])
    ]
    if named:
        key = new_data_key(record_id=report_id, klass="link")
        links = []
        for position, (kind, text) in enumerate(named):
            link_id = ids.new_id()
            value = key.encrypt(text, table="intake_reportlink", column="value", row_id=link_id)
            links.append(ReportLink(id=link_id, report_id=report_id, position=position, kind=kind, value=value))
        ReportLink.objects.bulk_create(links)
    thread_key, salt = new_data_key(record_id=report_id, klass="thread"), os.urandom(16)
    wrapped = receipts.wrap_thread_key(thread_key.secret, secret=receipt.secret, salt=salt, report_id=report_id)
    Thread.objects.bulk_create([Thread(report_id=report_id, salt=salt, wrapped_key=wrapped)])


# ---- the reporter's thread ---------------------------------------------------------------------------------------------------
def _unwrap(report_id: UUID, salt: bytes, wrapped: bytes, secret: str) -> bytes | None:
    return receipts.unwrap_thread_key(wrapped, secret=secret, salt=salt, report_id=report_id)


@transaction.atomic
def open_thread(*, number: str, secret: str) -> OpenThread:
    """The thread that number and secret open. Raises NoSuchThread, the same for every reason and after the same work."""
    return read_thread(number=number, secret=secret)


@transaction.atomic
def add_message(*, number: str, secret: str, text: str, once: UUID, at: datetime) -> bool:
    """Add a reporter's message. `once` names the form it came from: the same form again adds nothing and returns False.

    Raises NoSuchThread, BadMessage, QuestionNotAsked (the report is closed).
    """
    thread = open_thread(number=number, secret=secret)
    text = _usable(text)
    if thread.state == "closed":
        raise QuestionNotAsked()
    message_id = uuid5(thread.report_id, str(once))
    body = thread.key.encrypt(text, table="intake_message", column="body", row_id=message_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_add_message(%s, %s, %s, %s)", [thread.number, message_id, body, at])
        (is_new,) = cursor.fetchone()
    if is_new:
        emit("intake.message_added", thread.report_id, actor=REPORTER, at=at)
        audit.record(actor=REPORTER, action="report.message", subject_kind="report", subject_id=thread.report_id, at=at)
    return bool(is_new)


@transaction.atomic
def withdraw_contact(*, number: str, secret: str, at: datetime) -> bool:
    """Delete the contact details of a report at its reporter's wish. False when there are none (any more)."""
    thread = open_thread(number=number, secret=secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_withdraw_contact(%s, %s)", [thread.number, at])
        (withdrawn,) = cursor.fetchone()
    if withdrawn:
        emit("intake.contact_withdrawn", thread.report_id, actor=REPORTER, at=at)
        audit.record(
            actor=REPORTER, action="report.withdraw_contact", subject_kind="report", subject_id=thread.report_id, at=at
        )
    return bool(withdrawn)


def _usable(text: str) -> str:
    text = text.strip()
    if not text or len(text) > q.MAX_MESSAGE_CHARACTERS or "\x00" in text:
        raise BadMessage(fields={"message": "message.unusable"})
    return text


# ---- staff -------------------------------------------------------------------------------------------------------------------
@transaction.atomic
def mark_read(*, actor: Actor, report_id: UUID, at: datetime, item: Any = None) -> bool:
    """Say that a person has read a report: its reporter then sees "read". False when that stood already.

    `item` (the caller's incident) carries the sensitivity that the permission is judged by. Raises NotPermitted.
    """
    require(actor, "report.view", item)
    changed = Thread.objects.filter(report_id=report_id, state="received").update(state="read")
    if changed:
        audit.record(actor=actor, action="report.read", subject_kind="report", subject_id=report_id, at=at)
    return bool(changed)


@transaction.atomic
def ask_reporter(*, actor: Actor, report_id: UUID, text: str, at: datetime, ticket: str, item: Any = None) -> UUID:
    """Put a question to the reporter: it waits in the thread, and the state becomes "question". Returns the message's id.

    Raises ReportNotFound, NotPermitted, BadMessage, QuestionNotAsked (closed), Unavailable when the key process is away.
    """
    require(actor, "question.ask", item)
    text = _usable(text)
    thread = Thread.objects.select_for_update().filter(report_id=report_id).first()
    if thread is None:
        raise ReportNotFound(report_id)
    if thread.state == "closed":
        raise QuestionNotAsked(report_id)
    key = keyd.open_key(record_id=report_id, klass="thread", purpose="casework.ask", actor=actor, ticket=ticket)
    message_id = ids.new_id()
    body = key.encrypt(text, table="intake_message", column="body", row_id=message_id)
    Message.objects.bulk_create([Message(id=message_id, thread_id=report_id, direction="staff", body=body, at=at)])
    thread.state = "question"
    thread.save(update_fields=["state"])
    audit.record(
        actor=actor,
        action="report.ask",
        subject_kind="report",
        subject_id=report_id,
        at=at,
        data={"message": str(message_id)},
    )
    return message_id


@transaction.atomic
def close_thread(*, actor: Actor, report_id: UUID, at: datetime, item: Any = None) -> bool:
    """Say that the work on a report has ended; the reporter sees "closed" and nothing about how it ended."""
    require(actor, "question.ask", item)
    changed = Thread.objects.filter(report_id=report_id).exclude(state="closed").update(state="closed")
    if changed:
        audit.record(actor=actor, action="report.close", subject_kind="report", subject_id=report_id, at=at)
    return bool(changed)


def seal_links_for_crawl(*, actor: Actor, report_id: UUID, purpose: str, ticket: str) -> list[SealedPlace]:
    """A report's links, prepared for the crawl inside the key process; no address comes back. Handles are left out.

    Unusable links come back with `error`. Raises Unavailable when the key process is away, NotPermitted when it refuses.
    """
    items = [(link.id, link.value, "intake_reportlink", "value") for link in links_of(report_id) if link.kind == "link"]
    if not items:
        return []
    return keyd.seal_places(items=items, record_id=report_id, purpose=purpose, actor=actor, ticket=ticket)


# ---- jobs --------------------------------------------------------------------------------------------------------------------
def index_links(*, actor: Actor, report_id: UUID) -> int:
    """Give a report's links their blind indexes, so that the same link is found in other reports. Safe to run twice."""
    count = 0
    for place in seal_links_for_crawl(
        actor=actor, report_id=report_id, purpose="intake.index", ticket=f"report:{report_id}"
    ):
        if not place.error:
            count += ReportLink.objects.filter(id=place.link_id).update(blind_index=place.blind_index)
    return count


def delete_expired_drafts(*, at: datetime) -> int:
    """Delete half-filled reports whose two hours are over."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM intake_draft WHERE expires_at <= %s", [at])
        return int(cursor.rowcount)
