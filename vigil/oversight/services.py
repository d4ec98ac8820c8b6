"""Commands of oversight: ask for a release, release the figures of a period."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import translation

from vigil.accounts.policies import require, require_fresh
from vigil.audit import services as audit
from vigil.core.actors import Actor
from vigil.core.events import Event, emit
from vigil.core.ids import new_id
from vigil.oversight.errors import ReleaseFailed, StillBusy, TooSoon
from vigil.oversight.indicators import DEFINITIONS, INDICATORS, Period, Value, count, release_values, rule_holds
from vigil.oversight.models import Figure, Release, ReleaseRequest
from vigil.oversight.texts import NOTES, TOTAL, TOTAL_LABEL, rule_text

# Months in production. A demonstration or a test, whose clock may be moved, releases whenever asked.
MINIMUM_PERIOD = timedelta(days=28)
_RELEASE_LOCK = 7_316_002


@transaction.atomic
def ask_for_release(*, actor: Actor, request_id: UUID, at: datetime) -> UUID:
    """Ask the statistics process for a release, in this person's name. The same `request_id` again asks nothing new.

    Raises NotPermitted, StepUpNeeded, TooSoon.
    """
    require(actor, "statistics.release")
    require_fresh(actor)
    if ReleaseRequest.objects.filter(id=request_id).exists():
        return request_id
    _require_a_period(Release.objects.order_by("-version").first(), at)
    ReleaseRequest.objects.create(id=request_id, asked_by=actor.id, asked_at=at)
    audit.record(actor=actor, action="statistics.release", subject_kind="release_request", subject_id=request_id, at=at)
    return request_id


@transaction.atomic
def release(*, actor: Actor, at: datetime, request_id: UUID | None = None) -> Release:
    """Release the figures from the end of the last release until `at`, frozen with their definitions.

    Runs as the statistics process. Raises NotPermitted, TooSoon, ReleaseFailed.
    """
    if request_id is None:
        require(actor, "statistics.release")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_RELEASE_LOCK])
    if request_id is not None and (made := Release.objects.filter(request_id=request_id).first()) is not None:
        return made
    last = Release.objects.order_by("-version").first()
    period = Period(last.period_end if last else first_instant(at), at)
    _require_a_period(last, at)
    values = release_values(count(period))
    if not rule_holds(values):
        raise ReleaseFailed("rule")
    made = Release.objects.create(
        id=new_id(),
        version=(last.version if last else 0) + 1,
        period_start=period.start,
        period_end=period.end,
        released_at=at,
        released_by=actor.id,
        request_id=request_id,
        definitions=DEFINITIONS,
        document=frozen_document(),
    )
    Figure.objects.bulk_create(_figure(made, position, value) for position, value in enumerate(values))
    emit("oversight.released", made.id, actor=actor, at=at)
    audit.record(
        actor=actor,
        action="statistics.released",
        subject_kind="release",
        subject_id=made.id,
        at=at,
        data={
            "version": made.version,
            "shown": sum(value.state == "shown" for value in values),
            "figures": len(values),
        },
    )
    return made


def _require_a_period(last: Release | None, at: datetime) -> None:
    if last is None:
        return
    minimum = timedelta(0) if settings.CLOCK_MAY_DRIFT else MINIMUM_PERIOD
    if at <= last.period_end or at - last.period_end < minimum:
        raise TooSoon()


def _figure(made: Release, position: int, value: Value) -> Figure:
    return Figure(
        id=new_id(),
        release=made,
        code=value.code,
        cell=value.cell,
        position=position,
        unit=value.unit,
        state=value.state,
        value=value.value,
        numerator=value.numerator,
        denominator=value.denominator,
    )


def first_instant(at: datetime) -> datetime:
    """Where the first release begins: midnight, in the operator's zone, before anything happened."""
    earliest = Event.objects.order_by("at").values_list("at", flat=True).first() or at
    zone = ZoneInfo(settings.TIME_ZONE)
    return min(earliest, at).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def frozen_document() -> dict[str, object]:
    """What the figures mean, in English, French and the public languages, as it is stored with a release."""
    return {language: _in(language) for language, _name in settings.LANGUAGES}


def _in(language: str) -> dict[str, object]:
    with translation.override(language):
        return {
            "rule": rule_text(),
            "notes": [str(note) for note in NOTES],
            "time_zone": settings.TIME_ZONE,
            "indicators": {
                indicator.code: {
                    "title": str(indicator.title),
                    "definition": str(indicator.definition),
                    "numerator": str(indicator.numerator),
                    "denominator": str(indicator.denominator),
                    "note": str(indicator.note),
                    "cells": {cell: str(label) for cell, label in indicator.cells.items()}
                    | ({TOTAL: str(TOTAL_LABEL)} if indicator.has_total and TOTAL not in indicator.cells else {}),
                }
                for indicator in INDICATORS
            },
        }


# ---- before a release: everything that happened before its end must be in the tables -------------------------------------------
def wait_until_settled(
    *, until: datetime, timeout_seconds: float = 30.0, pending: Iterable[Callable[[datetime], int]] = ()
) -> None:
    """Wait until no transaction that began before now is still open, and nothing of before `until` waits for the worker.

    Otherwise a row with an earlier time could appear after the release, and a recount would rightly differ. Call it outside
    of a transaction. Raises StillBusy.
    """
    deadline = time.monotonic() + timeout_seconds
    barrier = _snapshot("xmax")
    while _snapshot("xmin") < barrier or any(waiting(until) for waiting in pending):
        if time.monotonic() > deadline:
            raise StillBusy()
        time.sleep(0.2)


def _snapshot(part: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_snapshot_{part}(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
