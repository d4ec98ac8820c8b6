"""Who may work on an incident, beyond the table of accounts: whoever holds its claim."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from vigil.core.actors import Actor


def is_claimed(item: Any, *, at: datetime) -> bool:
    """Whether anybody holds the item's claim at this instant."""
    return item.claimed_by is not None and item.claim_expires_at is not None and item.claim_expires_at > at


def holds_claim(actor_id: UUID, item: Any, *, at: datetime) -> bool:
    """Whether this person holds the item's claim at this instant."""
    return is_claimed(item, at=at) and item.claimed_by == actor_id


def may_work_on(actor: Actor, item: Any, *, at: datetime) -> bool:
    """Whether the actor may take steps on the incident: as the holder of its claim, or after it was found actionable."""
    if item.state == "decided":
        return bool(item.decision == "actionable")
    return holds_claim(actor.id, item, at=at)
