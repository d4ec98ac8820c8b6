"""Sending a report, and what is done with its links."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from vigil.audit import services as audit
from vigil.core import ids, keyd
from vigil.core.actors import REPORTER, Actor
from vigil.core.crypto import new_data_key
from vigil.core.events import emit
from vigil.core.keyd import SealedPlace
from vigil.intake import drafts, policies, receipts
from vigil.intake import questions as q
from vigil.intake.drafts import DraftBody
from vigil.intake.errors import DraftIncomplete, DraftNotFound
from vigil.intake.models import Report, ReportLink, Thread
from vigil.intake.selectors import links_of

#: Codes that go into `Report.answers`; everything else a person writes is encrypted.
_ANSWER_CODES = ("danger", "who", "age_band", "situations", *q.FOLLOW_UPS)


@transaction.atomic
def submit_report(*, token: bytes, language: str, at: datetime) -> DraftBody:
    """Turn a draft into a report, once: report, links, thread, number, sealed keys, event and audit row commit together.

    Sending again (double click, reload, another tab) changes nothing and returns the same receipt.
    Raises DraftNotFound, or DraftIncomplete with the step that needs an answer.
    """
    draft = drafts.load(token, at=at, lock=True)
    if draft is None:
        raise DraftNotFound()
    if draft.sent:
        return draft
    step = policies.missing_step(draft.answers, draft.done)
    if step is not None:
        raise DraftIncomplete(fields={step: "missing"})
    report_id, attempt = ids.new_id(), 0
    while True:
        receipt = receipts.receipt_of(token, attempt)
        try:
            ids.issue_number("report", report_id, receipt.number)
            break
        except IntegrityError:
            attempt += 1  # this number belongs to another report
            if attempt == 8:
                raise
    _insert_report(draft.answers, report_id, receipt, language=language, at=at)
    draft.sent = {"attempt": attempt, "young": q.is_under_18(draft.answers), "language": language}
    draft.answers, draft.typed, draft.done, draft.rows = {}, {}, [], {}
    drafts.save(draft, at=at)
    emit("intake.report_submitted", report_id, actor=REPORTER, at=at)
    audit.record(actor=REPORTER, action="report.submit", subject_kind="report", subject_id=report_id, at=at)
    return draft


def _insert_report(
    answers: dict[str, Any], report_id: UUID, receipt: receipts.Receipt, *, language: str, at: datetime
) -> None:
    codes = {name: answers[name] for name in _ANSWER_CODES if answers.get(name)}
    wanted = q.follow_ups_for(answers.get("situations", []), answers.get("who", ""))
    codes = {name: value for name, value in codes.items() if name not in q.FOLLOW_UPS or name in wanted}
    contact = {name: answers[name] for name in ("contact_name", "contact_way", "contact_safe") if answers.get(name)}
    codes["contact"] = "yes" if contact else "no"
    if contact:
        # The answer to "may it go to the police" is kept with the details: it is gone when they are withdrawn.
        contact["may_share"] = answers.get("may_share") or "no"
    report = Report(
        id=report_id,
        number=receipt.number,
        submitted_at=at,
        language=language,
        source="web",
        question_set=q.QUESTION_SET,
        answers=codes,
        under_18=q.is_under_18(answers),
    )
    if answers.get("narrative"):
        key = new_data_key(record_id=report_id, klass="narrative")
        report.narrative = key.encrypt(
            answers["narrative"], table="intake_report", column="narrative", row_id=report_id
        )
    if contact:
        key = new_data_key(record_id=report_id, klass="contact")
        report.contact = key.encrypt(json.dumps(contact), table="intake_report", column="contact", row_id=report_id)
    Report.objects.bulk_create([report])
    named = [("link", text) for text in answers.get("links", [])] + [
        ("handle", text) for text in answers.get("handles", [])
    ]
    if named:
        key = new_data_key(record_id=report_id, klass="link")
        links = []
        for position, (kind, text) in enumerate(named):
            link_id = ids.new_id()
            value = key.encrypt(text, table="intake_reportlink", column="value", row_id=link_id)
            links.append(ReportLink(id=link_id, report_id=report_id, position=position, kind=kind, value=value))
        ReportLink.objects.bulk_create(links)
    thread_key, salt = new_data_key(record_id=report_id, klass="thread"), os.urandom(16)
    wrapped = receipts.wrap_thread_key(thread_key.secret, secret=receipt.secret, salt=salt, report_id=report_id)
    Thread.objects.bulk_create([Thread(report_id=report_id, salt=salt, wrapped_key=wrapped)])


def seal_links_for_crawl(*, actor: Actor, report_id: UUID, purpose: str, ticket: str) -> list[SealedPlace]:
    """A report's links, prepared for the crawl inside the key process; no address comes back. Handles are left out.

    Unusable links come back with `error`. Raises Unavailable when the key process is away, NotPermitted when it refuses.
    """
    items = [(link.id, link.value, "intake_reportlink", "value") for link in links_of(report_id) if link.kind == "link"]
    if not items:
        return []
    return keyd.seal_places(items=items, record_id=report_id, purpose=purpose, actor=actor, ticket=ticket)


def index_links(*, actor: Actor, report_id: UUID) -> int:
    """Give a report's links their blind indexes, so that the same link is found in other reports. Safe to run twice."""
    count = 0
    for place in seal_links_for_crawl(
        actor=actor, report_id=report_id, purpose="intake.index", ticket=f"report:{report_id}"
    ):
        if not place.error:
            count += ReportLink.objects.filter(id=place.link_id).update(blind_index=place.blind_index)
    return count
