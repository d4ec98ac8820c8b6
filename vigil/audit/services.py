"""Writing to the log: in the transaction that the row describes, or for refusals in one of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from vigil.core.actors import Actor


def record(
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID,
    at: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append one event to this process's chain, in the current transaction. Take it last: the chain is locked until commit.

    `data` holds ids, codes and counts only, never a reporter's words, a link or a hash that was looked up.
    """
    body = {
        "at": at.isoformat(timespec="microseconds"),
        "actor": str(actor.id),
        "actor_kind": actor.kind,
        "action": action,
        "subject_kind": subject_kind,
        "subject": str(subject_id),
        "data": dict(data or {}),
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit.append(%s, %s)", [settings.PROCESS, text])


def record_refusal(
    *, actor: Actor, action: str, subject_kind: str, subject_id: UUID, at: datetime, reason: str
) -> None:
    """Append that something was refused, in a transaction of its own. Call it after the refused one was rolled back."""
    with transaction.atomic(durable=not settings.TESTING):
        record(
            actor=actor,
            action=f"{action}.refused",
            subject_kind=subject_kind,
            subject_id=subject_id,
            at=at,
            data={"reason": reason},
        )
