"""Reads of reports. What staff see carries ciphertext; the words are opened through `keyd`, one record at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from vigil.core import keyd
from vigil.core.actors import Actor
from vigil.intake.errors import ReportNotFound
from vigil.intake.models import Report, ReportLink, Thread


@dataclass(frozen=True)
class ReportSummary:
    """A report without its words: what triage and lists need.

    `answers` are the codes of its own question set; `signals` say the same in the fixed words that triage and packages read.
    """

    id: UUID
    number: str
    submitted_at: datetime
    language: str
    source: str
    partner_id: UUID | None
    question_set: str
    asked: str
    answers: dict[str, Any]
    signals: dict[str, Any]
    under_18: bool
    has_narrative: bool
    has_contact: bool
    link_count: int
    handle_count: int
    state: str


@dataclass(frozen=True)
class LinkFacts:
    """One link or handle, encrypted."""

    id: UUID
    position: int
    kind: str
    value: bytes
    blind_index: bytes | None


@dataclass(frozen=True)
class ReportWords:
    """What a reporter wrote, opened for one person and one purpose. Never logged."""

    narrative: str
    links: tuple[tuple[UUID, str, str], ...]  # (id, kind, text)
    contact: dict[str, str]
    others: dict[str, Any] = field(default_factory=dict)  # further answers, by question code

    def __repr__(self) -> str:
        return "ReportWords(...)"


def report_summary(report_id: UUID) -> ReportSummary:
    """A report's codes and counts. Raises ReportNotFound."""
    report = Report.objects.filter(id=report_id).first()
    if report is None:
        raise ReportNotFound(report_id)
    kinds = list(ReportLink.objects.filter(report_id=report_id).values_list("kind", flat=True))
    state = Thread.objects.filter(report_id=report_id).values_list("state", flat=True).first()
    return ReportSummary(
        id=report.id,
        number=report.number,
        submitted_at=report.submitted_at,
        language=report.language,
        source=report.source,
        partner_id=report.partner_id,
        question_set=report.question_set,
        asked=report.asked_id or "",
        answers=report.answers,
        # Reports from before signals were kept have answers in those same words.
        signals=report.answers if report.signals is None else report.signals,
        under_18=report.under_18,
        has_narrative=report.narrative is not None,
        has_contact=report.contact is not None,
        link_count=kinds.count("link"),
        handle_count=kinds.count("handle"),
        state=state or "received",
    )


def links_of(report_id: UUID) -> list[LinkFacts]:
    """A report's links and handles, encrypted, in the order they were given."""
    rows = ReportLink.objects.filter(report_id=report_id).order_by("position")
    return [
        LinkFacts(row.id, row.position, row.kind, bytes(row.value), bytes(row.blind_index) if row.blind_index else None)
        for row in rows
    ]


def reports_with_link_like(report_id: UUID) -> list[UUID]:
    """Other reports that share a blind index with this one. The index is short: a shared one is a hint, not a proof."""
    indexes = [bytes(link.blind_index) for link in links_of(report_id) if link.blind_index is not None]
    if not indexes:
        return []
    others = ReportLink.objects.filter(blind_index__in=indexes).exclude(report_id=report_id)
    return sorted(set(others.values_list("report_id", flat=True)))


def report_words(*, report_id: UUID, actor: Actor, purpose: str, ticket: str, with_contact: bool = True) -> ReportWords:
    """Open what the reporter wrote, through the key process, which audits each class before it opens it.

    Call it before the caller's own audit row. Raises ReportNotFound, Unavailable, NotPermitted (grants table).
    """
    report = Report.objects.filter(id=report_id).first()
    if report is None:
        raise ReportNotFound(report_id)
    narrative, others, contact, links = "", {}, {}, links_of(report_id)
    if report.narrative is not None or report.words is not None:
        key = keyd.open_key(record_id=report_id, klass="narrative", purpose=purpose, actor=actor, ticket=ticket)
        if report.narrative is not None:
            narrative = key.decrypt(
                bytes(report.narrative), table="intake_report", column="narrative", row_id=report_id
            )
        if report.words is not None:
            text = key.decrypt(bytes(report.words), table="intake_report", column="words", row_id=report_id)
            others = dict(json.loads(text))
    opened: list[tuple[UUID, str, str]] = []
    if links:
        key = keyd.open_key(record_id=report_id, klass="link", purpose=purpose, actor=actor, ticket=ticket)
        opened = [
            (link.id, link.kind, key.decrypt(link.value, table="intake_reportlink", column="value", row_id=link.id))
            for link in links
        ]
    if with_contact and report.contact is not None:
        key = keyd.open_key(record_id=report_id, klass="contact", purpose=purpose, actor=actor, ticket=ticket)
        text = key.decrypt(bytes(report.contact), table="intake_report", column="contact", row_id=report_id)
        contact = dict(json.loads(text))
    return ReportWords(narrative, tuple(opened), contact, others)


def reports_between(since: datetime, until: datetime) -> list[tuple[str, str]]:
    """(source, language) of each report submitted in [since, until): figures count these."""
    rows = Report.objects.filter(submitted_at__gte=since, submitted_at__lt=until)
    return list(rows.order_by("submitted_at", "id").values_list("source", "language"))
