"""Reads of oversight: releases as the public sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from vigil.oversight.errors import ReleaseNotFound
from vigil.oversight.models import Figure, Release, ReleaseRequest


@dataclass(frozen=True, slots=True)
class FigureFacts:
    """One figure with its names. `value` is None unless `state` is "shown"."""

    code: str
    cell: str
    unit: str
    state: str
    value: int | None
    numerator: int | None
    denominator: int | None


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """One release: its period, what it means in both languages, and its figures in order."""

    version: int
    period_start: datetime
    period_end: datetime
    released_at: datetime
    definitions: str
    document: Mapping[str, Any]
    figures: tuple[FigureFacts, ...]

    def meaning(self, language: str) -> Mapping[str, Any]:
        """Titles, definitions and rule, as frozen with the release."""
        return self.document.get(language) or self.document["en"]


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release in a list."""

    version: int
    period_start: datetime
    period_end: datetime
    released_at: datetime


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """Somebody asked for a release."""

    id: UUID
    asked_by: UUID
    asked_at: datetime


_PUBLIC = ("id", "version", "period_start", "period_end", "released_at", "definitions", "document")


def release(version: int | None = None) -> ReleaseFacts:
    """One release, or the latest. Raises ReleaseNotFound."""
    rows = Release.objects.only(*_PUBLIC)
    row = rows.order_by("-version").first() if version is None else rows.filter(version=version).first()
    if row is None:
        raise ReleaseNotFound()
    figures = Figure.objects.filter(release_id=row.id).order_by("position")
    return ReleaseFacts(
        version=row.version,
        period_start=row.period_start,
        period_end=row.period_end,
        released_at=row.released_at,
        definitions=row.definitions,
        document=row.document,
        figures=tuple(
            FigureFacts(each.code, each.cell, each.unit, each.state, each.value, each.numerator, each.denominator)
            for each in figures
        ),
    )


def releases() -> list[ReleaseRow]:
    """All releases, newest first."""
    rows = Release.objects.order_by("-version").values_list("version", "period_start", "period_end", "released_at")
    return [ReleaseRow(*row) for row in rows]


def waiting_requests() -> list[RequestFacts]:
    """Requests newer than the last release, oldest first. A release covers everything asked for before its end."""
    last = Release.objects.order_by("-version").values_list("period_end", flat=True).first()
    rows = ReleaseRequest.objects.order_by("asked_at")
    if last is not None:
        rows = rows.filter(asked_at__gt=last)
    return [RequestFacts(*row) for row in rows.values_list("id", "asked_by", "asked_at")]
