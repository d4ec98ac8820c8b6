"""The thread between a reporter and the readers: the reporter's side by number and secret, and the staff's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db import connection, transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.core import ids, keyd
from vigil.core.actors import REPORTER, Actor
from vigil.core.events import emit
from vigil.intake import questions as q
from vigil.intake.errors import BadMessage, QuestionNotAsked, ReportNotFound
from vigil.intake.models import Message, Thread
from vigil.intake.selectors import OpenThread, read_thread


# ---- the reporter ----------------------------------------------------------------------------------------------------------
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
