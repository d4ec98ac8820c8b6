"""How soon each band is first looked at and then decided. Shown to staff on each row; never promised to the public.

Source: experience.md, section 4 (proposals). An operator's own values are a later depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

CLAIM_IDLE = timedelta(minutes=15)


@dataclass(frozen=True)
class Limit:
    """Time from arrival to the first look, and from arrival to a decision."""

    first_look: timedelta
    decision: timedelta


LIMITS: tuple[Limit, ...] = (
    Limit(timedelta(minutes=15), timedelta(hours=1)),
    Limit(timedelta(hours=1), timedelta(hours=4)),
    Limit(timedelta(hours=4), timedelta(hours=24)),
    Limit(timedelta(hours=24), timedelta(hours=72)),
    Limit(timedelta(hours=24), timedelta(hours=72)),
    Limit(timedelta(days=5), timedelta(days=5)),
)


def due_at(band: int, *, created_at: datetime, first_look_at: datetime | None) -> datetime:
    """When the next limit of an open incident is reached: the first look's until there was one, then the decision's."""
    limit = LIMITS[band]
    return created_at + (limit.first_look if first_look_at is None else limit.decision)
