"""Valid rows for tests: reports as the public door writes them, incidents as the worker opens them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from vigil.casework import services
from vigil.casework.models import Case, Incident
from vigil.core.actors import process_actor
from vigil.core.crypto import new_data_key
from vigil.core.ids import issue_number, new_id
from vigil.intake.models import Report, ReportLink, Thread

NOON = datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
WORKER = process_actor("worker")
SEEN = {"danger": "no", "who": "saw", "situations": ["seen_material"]}
ANSWERS_OF_SENSITIVITY: dict[int, dict[str, Any]] = {
    1: SEEN,
    2: {"danger": "no", "who": "saw", "situations": ["threat"]},
    3: {"danger": "no", "who": "saw", "situations": ["trafficking"]},
}


def make_report(
    *,
    answers: dict[str, Any] | None = None,
    narrative: str = "A page with pictures was reported.",
    links: tuple[str, ...] = ("https://pictures.example/gallery",),
    handles: tuple[str, ...] = (),
    contact: dict[str, str] | None = None,
    language: str = "en",
    at: datetime = NOON,
) -> UUID:
    """A report with encrypted words, links and thread."""
    report_id = new_id()
    report = Report(
        id=report_id,
        number=issue_number("report", report_id),
        submitted_at=at,
        language=language,
        source="web",
        question_set="2026-11",
        answers=answers or SEEN,
        under_18=(answers or {}).get("age_band") in {"under_13", "13_15", "16_17"},
    )
    if narrative:
        key = new_data_key(record_id=report_id, klass="narrative")
        report.narrative = key.encrypt(narrative, table="intake_report", column="narrative", row_id=report_id)
    if contact:
        key = new_data_key(record_id=report_id, klass="contact")
        report.contact = key.encrypt(json.dumps(contact), table="intake_report", column="contact", row_id=report_id)
    Report.objects.bulk_create([report])
    named = [("link", text) for text in links] + [("handle", text) for text in handles]
    if named:
        key = new_data_key(record_id=report_id, klass="link")
        rows = []
        for position, (kind, text) in enumerate(named):
            link_id = new_id()
            value = key.encrypt(text, table="intake_reportlink", column="value", row_id=link_id)
            rows.append(ReportLink(id=link_id, report_id=report_id, position=position, kind=kind, value=value))
        ReportLink.objects.bulk_create(rows)
    new_data_key(record_id=report_id, klass="thread")
    Thread.objects.bulk_create([Thread(report_id=report_id, salt=bytes(16), wrapped_key=bytes(64))])
    return report_id


def make_incidents(*, at: datetime = NOON, **changes: Any) -> list[Incident]:
    """The incidents of a new report."""
    report_id = make_report(at=at, **changes)
    ids = services.open_incidents(actor=WORKER, report_id=report_id, at=at)
    return list(Incident.objects.filter(id__in=ids).order_by("id"))


def make_incident(*, sensitivity: int = 1, **changes: Any) -> Incident:
    """One incident of a given sensitivity."""
    changes.setdefault("answers", ANSWERS_OF_SENSITIVITY[sensitivity])
    (incident,) = make_incidents(**changes)
    assert incident.sensitivity == sensitivity or "answers" in changes
    return incident


def make_case(*, sensitivity: int = 1, **changes: Any) -> Case:
    """An empty case of a given sensitivity."""
    case_id = new_id()
    values = {
        "number": issue_number("case", case_id),
        "sensitivity": sensitivity,
        "band": 5,
        "opened_by": WORKER.id,
        "opened_at": NOON,
    } | changes
    return Case.objects.create(id=case_id, **values)


def reload(row: Any) -> Any:
    """The row as it stands in the database."""
    return type(row).objects.get(pk=row.pk)
