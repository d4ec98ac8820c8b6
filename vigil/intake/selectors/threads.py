"""Reads of threads: the reporter's by number and secret, the staff's through `keyd`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from vigil.core import keyd
from vigil.core.actors import Actor
from vigil.core.crypto import DataKey
from vigil.core.errors import Invalid
from vigil.core.ids import parse_number
from vigil.intake import receipts
from vigil.intake.errors import NoSuchThread
from vigil.intake.models import Message


@dataclass(frozen=True)
class MessageWords:
    """One message of a thread, opened."""

    direction: str
    text: str
    at: datetime

    def __repr__(self) -> str:
        return "MessageWords(...)"


@dataclass(frozen=True)
class ThreadRow:
    """What the database gives for a number; it opens nothing by itself."""

    report_id: UUID
    salt: bytes
    wrapped_key: bytes
    state: str
    language: str
    under_18: bool
    has_contact: bool
    submitted_at: datetime


@dataclass(frozen=True)
class OpenThread:
    """A thread that its reporter has opened."""

    number: str
    report_id: UUID
    key: DataKey
    state: str
    language: str
    under_18: bool
    has_contact: bool
    submitted_at: datetime
    messages: tuple[MessageWords, ...]

    def __repr__(self) -> str:
        return "OpenThread(...)"


def message_count(report_id: UUID) -> int:
    """How many messages a report's thread has."""
    return Message.objects.filter(thread_id=report_id).count()


def thread_words(*, report_id: UUID, actor: Actor, purpose: str, ticket: str) -> list[MessageWords]:
    """A thread's messages, opened for staff through the key process; an empty thread opens nothing."""
    rows = list(Message.objects.filter(thread_id=report_id).order_by("at", "id"))
    if not rows:
        return []
    key = keyd.open_key(record_id=report_id, klass="thread", purpose=purpose, actor=actor, ticket=ticket)
    return [
        MessageWords(
            row.direction, key.decrypt(bytes(row.body), table="intake_message", column="body", row_id=row.id), row.at
        )
        for row in rows
    ]


def thread_of(number: str) -> ThreadRow | None:
    """What stands behind a number, for the public door: by function, since that door cannot read the tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT report_id, salt, wrapped_key, state, language, under_18, has_contact, submitted_at"
            " FROM intake_thread_by_number(%s)",
            [number],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    report_id, salt, wrapped, state, language, under_18, has_contact, submitted_at = row
    return ThreadRow(report_id, bytes(salt), bytes(wrapped), state, language, under_18, has_contact, submitted_at)


def read_thread(*, number: str, secret: str) -> OpenThread:
    """Open a thread with number and secret. Raises NoSuchThread for every reason alike, after the same work."""
    canonical_secret = receipts.parse_secret(secret)
    try:
        canonical_number = parse_number(number)
    except Invalid:
        canonical_number = ""
    row = thread_of(canonical_number)
    key: bytes | None = None
    if row is None:
        receipts.unwrap_nothing(canonical_secret)
    else:
        key = receipts.unwrap_thread_key(
            row.wrapped_key, secret=canonical_secret, salt=row.salt, report_id=row.report_id
        )
    if row is None or key is None:
        raise NoSuchThread()
    data_key = DataKey(row.report_id, "thread", key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, direction, body, at FROM intake_messages_by_number(%s)", [canonical_number])
        rows = cursor.fetchall()
    messages = tuple(
        MessageWords(
            direction, data_key.decrypt(bytes(body), table="intake_message", column="body", row_id=message_id), at
        )
        for message_id, direction, body, at in rows
    )
    return OpenThread(
        number=canonical_number,
        report_id=row.report_id,
        key=data_key,
        state=row.state,
        language=row.language,
        under_18=row.under_18,
        has_contact=row.has_contact,
        submitted_at=row.submitted_at,
        messages=messages,
    )
