"""The one clock. Due times stand in tables and are compared with `now()`; a demonstration or a test drives it forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection


def now() -> datetime:
    """The present instant, in UTC. Where the clock may drift (demo, tests), shifted by the offset in `core_clock`."""
    instant = datetime.now(UTC)
    if not settings.CLOCK_MAY_DRIFT:
        return instant
    return instant + timedelta(seconds=_offset_seconds())


def advance(seconds: float) -> None:
    """Move the clock of a demonstration or a test forward, for every process. Refused elsewhere."""
    if not settings.CLOCK_MAY_DRIFT:
        raise RuntimeError("only a demonstration or a test moves the clock")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_clock (id, offset_seconds) VALUES (true, %s::double precision)"
            " ON CONFLICT (id) DO UPDATE SET offset_seconds = core_clock.offset_seconds + EXCLUDED.offset_seconds",
            [float(seconds)],
        )


def _offset_seconds() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT offset_seconds FROM core_clock")
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0
