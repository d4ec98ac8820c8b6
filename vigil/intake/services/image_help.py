"""A report out of an image-help case: what staff get to read of it, handed over without opening anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.audit import services as audit
from vigil.core import ids
from vigil.core.actors import Actor
from vigil.core.events import emit
from vigil.intake.models import Report, ReportLink

#: The name of a report's question set when it was not asked by questions but came out of an image-help case.
QUESTION_SET = "image_help"


@transaction.atomic
def take_help_report(
    *,
    report_id: UUID,
    language: str,
    signals: dict[str, object],
    under_18: bool,
    links: Sequence[tuple[UUID, str, bytes]],
    submitted_at: datetime,
    actor: Actor,
    at: datetime,
) -> bool:
    """Make the report of an image-help case, once; False when it is there. Runs as the worker.

    `links`: (id, `link` or `handle`, ciphertext) as the case has them: they were sealed for this report's id, table, column
    and row when the case was sent. There is no thread: the person follows the case by its own number and code.
    """
    if Report.objects.filter(id=report_id).exists():
        return False
    report = Report(
        id=report_id,
        number=ids.issue_number("report", report_id),
        submitted_at=submitted_at,
        language=language,
        source="web",
        question_set=QUESTION_SET,
        answers={},
        signals=signals,
        under_18=under_18,
    )
    Report.objects.bulk_create([report])
    ReportLink.objects.bulk_create(
        ReportLink(id=link_id, report_id=report_id, position=position, kind=kind, value=value)
        for position, (link_id, kind, value) in enumerate(links)
    )
    emit("intake.report_submitted", report_id, actor=actor, at=at)
    audit.record(
        actor=actor, action="report.submit", subject_kind="report", subject_id=report_id, at=at,
        data={"source": "web", "image_help": True},
    )  # fmt: skip
    return True
