"""Taking a report in, by whatever door, and what is done with its links."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from vigil.audit import services as audit
from vigil.core import ids, keyd
from vigil.core.actors import REPORTER, Actor
from vigil.core.crypto import DataKey, new_data_keys
from vigil.core.events import emit
from vigil.core.keyd import SealedPlace
from vigil.intake import drafts, policies, receipts
from vigil.intake.drafts import DraftBody
from vigil.intake.errors import DraftIncomplete, DraftNotFound, UnusableAnswers
from vigil.intake.models import Report, ReportLink, Thread
from vigil.intake.questions import QuestionSet, current_set
from vigil.intake.receipts import Receipt
from vigil.intake.selectors import links_of

MOST_NUMBERS_TRIED = 8


@transaction.atomic
def submit_report(*, token: bytes, language: str, at: datetime) -> DraftBody:
    """Turn a draft into a report, once: report, links, thread, number, sealed keys, event and audit row commit together.

    Sending again (double click, reload, another tab) changes nothing and returns the same receipt.
    Raises DraftNotFound, or DraftIncomplete with the page that needs an answer.
    """
    draft = drafts.load(token, at=at, lock=True)
    if draft is None or draft.saved:
        raise DraftNotFound()
    if draft.sent:
        return draft
    page = policies.missing_page(draft.questions, draft.answers, draft.done)
    if page is not None:
        raise DraftIncomplete(fields={page: "missing"})
    answers, young = draft.answers, draft.young
    panels = sorted(draft.questions.panels_for(answers))
    if draft.kept_under:
        drafts.discard(bytes.fromhex(draft.kept_under))  # the copy that was saved for later has served its purpose
    report_id, receipt, attempt = _numbered(token)
    signals = _insert_report(draft.questions, answers, report_id, receipt, source="web", language=language, at=at)
    draft.sent = {
        "attempt": attempt,
        "young": young,
        "language": language,
        "at": at.isoformat(),
        "region": signals.get("region", ""),
        "danger": signals.get("danger", ""),
        "panels": panels,
    }
    draft.answers, draft.typed, draft.done, draft.rows = {}, {}, [], {}
    drafts.save(draft, at=at)
    emit("intake.report_submitted", report_id, actor=REPORTER, at=at)
    audit.record(
        actor=REPORTER,
        action="report.submit",
        subject_kind="report",
        subject_id=report_id,
        at=at,
        data={"source": "web"},
    )
    return draft


@transaction.atomic
def take_report(
    answers: Mapping[str, Any],
    *,
    source: str,
    language: str,
    at: datetime,
    actor: Actor,
    question_set: QuestionSet | None = None,
    token: bytes | None = None,
    partner_id: UUID | None = None,
) -> Receipt:
    """Take a report in from any door, without a draft: the same report, links, thread, sealed keys, event and audit row.

    answers: by question code of the set (`current_set()` unless another is given): option codes for radio and select,
    lists of codes for checkbox, lists of texts for links and handles, `date_answer(...)` for dates, texts otherwise.
    token: what the receipt is derived from, when the caller may have to show it again; partner_id: who handed it in.
    Returns number and secret, which nothing stores. Raises UnusableAnswers with a problem code for each question.
    """
    asked = question_set or current_set()
    given = {code: value for code, value in answers.items() if value not in (None, "", [], ())}
    if problems := asked.problems(given):
        raise UnusableAnswers(fields=problems)
    report_id, receipt, _attempt = _numbered(token or receipts.new_token())
    _insert_report(asked, given, report_id, receipt, source=source, language=language, at=at, partner_id=partner_id)
    emit("intake.report_submitted", report_id, actor=actor, at=at)
    audit.record(
        actor=actor, action="report.submit", subject_kind="report", subject_id=report_id, at=at, data={"source": source}
    )
    return receipt


def _numbered(token: bytes) -> tuple[UUID, Receipt, int]:
    """A new report's id, and the first receipt of the token whose number is free."""
    report_id = ids.new_id()
    for attempt in range(MOST_NUMBERS_TRIED):
        receipt = receipts.receipt_of(token, attempt)
        try:
            ids.issue_number("report", report_id, receipt.number)
        except IntegrityError:
            if attempt + 1 == MOST_NUMBERS_TRIED:
                raise
            continue  # this number belongs to another report
        return report_id, receipt, attempt
    raise RuntimeError("no free number")


def _insert_report(
    asked: QuestionSet,
    answers: Mapping[str, Any],
    report_id: UUID,
    receipt: Receipt,
    *,
    source: str,
    language: str,
    at: datetime,
    partner_id: UUID | None = None,
) -> dict[str, Any]:
    """Write everything of a report: codes in clear, words under a key for each class. Returns its signals."""
    parts = sort_answers(asked, answers)
    signals = asked.signals(answers)
    classes = ["thread"]
    if parts.narrative or parts.words:
        classes.append("narrative")
    if parts.contact:
        classes.append("contact")
    if parts.named:
        classes.append("link")
    keys = new_data_keys(record_id=report_id, classes=classes)
    keep_questions(asked, at=at)
    report = Report(
        id=report_id,
        number=receipt.number,
        submitted_at=at,
        language=language,
        source=source,
        partner_id=partner_id,
        question_set=asked.name,
        asked_id=asked.digest,
        answers={**parts.clear, "contact": "yes" if parts.contact else "no"},
        signals=signals,
        under_18=asked.is_under_18(answers),
    )
    if parts.narrative:
        report.narrative = _field(keys["narrative"], parts.narrative, "narrative")
    if parts.words:
        report.words = _field(keys["narrative"], json.dumps(parts.words), "words")
    if parts.contact:
        report.contact = _field(keys["contact"], json.dumps(parts.contact), "contact")
    Report.objects.bulk_create([report])
    links = []
    for position, (kind, text) in enumerate(parts.named):
        link_id = ids.new_id()
        value = keys["link"].encrypt(text, table="intake_reportlink", column="value", row_id=link_id)
        links.append(ReportLink(id=link_id, report_id=report_id, position=position, kind=kind, value=value))
    if links:
        ReportLink.objects.bulk_create(links)
    salt = os.urandom(16)
    wrapped = receipts.wrap_thread_key(keys["thread"].secret, secret=receipt.secret, salt=salt, report_id=report_id)
    Thread.objects.bulk_create([Thread(report_id=report_id, salt=salt, wrapped_key=wrapped)])
    return signals


def _field(key: DataKey, text: str, column: str) -> bytes:
    return key.encrypt(text, table="intake_report", column=column, row_id=key.record_id)


class Parts:
    """A report's answers by the place where they are kept."""

    def __init__(self) -> None:
        self.clear: dict[str, Any] = {}
        self.narrative = ""
        self.words: dict[str, Any] = {}
        self.contact: dict[str, str] = {}
        self.named: list[tuple[str, str]] = []


def sort_answers(asked: QuestionSet, answers: Mapping[str, Any]) -> Parts:
    """Every answer to a question that belongs to the others, by the place where it is kept; the rest is dropped."""
    parts, reachable = Parts(), False
    for question in asked.asked(answers):
        answer = answers.get(question.code)
        if not answer:
            continue
        if question.place == "links":
            parts.named += [(question.type.removesuffix("s"), text) for text in answer]
        elif question.place == "contact":
            parts.contact[question.code] = answer
            reachable = reachable or not question.is_choice
        elif question.means == "narrative":
            parts.narrative = answer
        elif question.place == "words":
            parts.words[question.code] = answer
        else:
            parts.clear[question.code] = answer
    # Without a name or a way there is nobody to contact: how and in which language says nothing then.
    share = asked.meaning("may_share")
    if not reachable:
        parts.contact = {}
    elif share is not None and share.place == "contact":
        # The answer to "may it go to the police" is kept with the details: it is gone when they are withdrawn.
        parts.contact.setdefault(share.code, "no")
    return parts


def keep_questions(asked: QuestionSet, *, at: datetime) -> None:
    """Store a question set as it is asked, once: reports point to it, and render from it when its file has changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT intake_keep_questions(%s, %s, %s, %s)", [asked.digest, asked.name, asked.text, at])


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
