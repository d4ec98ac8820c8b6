"""Reports that somebody else hands in: by telephone or letter through an analyst, as a list, by mail, by program.

One call, form or mail is one delivery. It commits as a whole (every report of it, and the answer for every line), and the same
delivery again gives the same answer and makes nothing: whoever did not hear the answer may always send again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from vigil.accounts.policies import require
from vigil.accounts.selectors import KeyHolder
from vigil.audit import services as audit
from vigil.core.actors import Actor
from vigil.core.ids import new_id
from vigil.intake.errors import DeliveryReused, NotAPartner, NothingHandedIn
from vigil.intake.models import Delivery
from vigil.intake.questions import QuestionSet
from vigil.intake.questions.reading import from_body
from vigil.intake.receipts import Receipt, receipt_of
from vigil.intake.services.reports import take_report
from vigil.intake.wire.lines import Parsed, RefusedLine

LINES_FILE = Path(__file__).resolve().parent.parent / "question_sets" / "lines" / "2026-11.toml"
MOST_LINKS_A_REPORT = 20
MOST_WORDS = 5000


@dataclass(frozen=True)
class Origin:
    """Where a delivery comes from: the source code that every report keeps, the partner if any, and who acts."""

    source: str
    actor: Actor
    partner_id: UUID | None = None


@dataclass(frozen=True)
class Item:
    """One report of a delivery: answers to the questions of `lines_set()`, and the places of its links in normal form."""

    number: int
    answers: Mapping[str, Any]
    places: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Item({self.number})"


@dataclass(frozen=True)
class Answered:
    """What became of one line: a report's number, or a code that says why not.

    `same_as`: the number of an earlier line of this delivery with the same place: both are reports, linked, none is dropped.
    """

    line: int
    number: str = ""
    code: str = ""
    same_as: int | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the line is a report now."""
        return bool(self.number)


@dataclass(frozen=True)
class Delivered:
    """The answer to one delivery. `is_new` is False when it had been handed in before."""

    id: UUID
    answers: tuple[Answered, ...]
    is_new: bool
    taken: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "taken", sum(1 for answer in self.answers if answer.is_taken))


@cache
def lines_set() -> QuestionSet:
    """What a line of a list answers: kept with each of its reports like any other question set."""
    return from_body(tomllib.loads(LINES_FILE.read_text(encoding="utf-8")))


def origin_of(holder: KeyHolder, *, source: str) -> Origin:
    """Where a partner's delivery comes from. What a police service hands in has the source `police`, by whatever door.

    Raises NotAPartner when the key belongs to a provider.
    """
    if holder.kind != "organisation":
        raise NotAPartner()
    actor = Actor(id=holder.holder_id, kind="provider", name=holder.partner_code)
    return Origin("police" if holder.partner_kind == "police" else source, actor, holder.holder_id)


def once_of(origin: Origin, *parts: str) -> bytes:
    """The name of one delivery of one sender. Keyed: it says nothing to who can read the database."""
    sender = origin.partner_id or origin.actor.id
    text = "\x1f".join([str(sender), *parts])
    return hmac.digest(settings.SECRET_KEY.encode(), f"vigil delivery 1\x1f{text}".encode(), hashlib.sha256)


@transaction.atomic
def take_call(
    answers: Mapping[str, Any], *, origin: Origin, language: str, token: bytes, question_set: QuestionSet, at: datetime
) -> Receipt:
    """Take what somebody told by telephone or wrote in a letter. The same form again (its token) gives the same receipt.

    Raises NotPermitted, UnusableAnswers.
    """
    require(origin.actor, "report.create")
    once = once_of(origin, "form", token.hex())
    before = _before(once)
    if before is not None:
        return _receipt_again(token, before.answers[0].number)
    receipt = take_report(
        answers,
        source=origin.source,
        language=language,
        at=at,
        actor=origin.actor,
        question_set=question_set,
        token=token,
    )
    _keep(once, origin, [Answered(1, receipt.number)], at=at)
    return receipt


@transaction.atomic
def hand_in(
    items: Sequence[Item | RefusedLine],
    *,
    origin: Origin,
    once: bytes,
    content: str,
    language: str,
    at: datetime,
    **answer: Any,
) -> Delivered:
    """Take a delivery: one report for each item, and an answer for each item and each refused line, in order.

    once: the delivery's name (`once_of`); content: everything that was sent, of which a keyed digest is kept.
    answer: `message_id`, `attachments`, `answer_due_at` when the answer goes out by mail. Raises NotPermitted, NothingHandedIn,
    DeliveryReused when the same name comes with another content.
    """
    _require(origin)
    if not items:
        raise NothingHandedIn()
    if (before := _before(once, content=content)) is not None:
        return before
    answers: list[Answered] = []
    first_at: dict[str, int] = {}
    for item in items:
        if isinstance(item, RefusedLine):
            answers.append(Answered(item.number, code=item.code))
            continue
        receipt = take_report(
            item.answers,
            source=origin.source,
            language=language,
            at=at,
            actor=origin.actor,
            question_set=lines_set(),
            partner_id=origin.partner_id,
        )
        earlier = [first_at[place] for place in item.places if place in first_at]
        for place in item.places:
            first_at.setdefault(place, item.number)
        answers.append(Answered(item.number, receipt.number, same_as=min(earlier) if earlier else None))
    return _keep(once, origin, answers, at=at, content=content, **answer)


def items_of_lines(parsed: Sequence[Parsed]) -> list[Item | RefusedLine]:
    """The lines of a list as items of a delivery."""
    return [
        line
        if isinstance(line, RefusedLine)
        else Item(
            line.number,
            {"situations": [line.situation], "links": [line.link], "narrative": line.note},
            (line.place,),
        )
        for line in parsed
    ]


def items_of_words(text: str, links: Sequence[str]) -> list[Item | RefusedLine]:
    """A text as one item with the links that stand in it; as several when it is longer, or has more, than one may have."""
    text = text.strip()
    words = [text[start : start + MOST_WORDS] for start in range(0, len(text), MOST_WORDS)]
    named = [list(links[start : start + MOST_LINKS_A_REPORT]) for start in range(0, len(links), MOST_LINKS_A_REPORT)]
    return [
        Item(
            index + 1,
            {
                "situations": ["seen_material" if links else "not_sure"],
                "links": named[index] if index < len(named) else [],
                "narrative": words[index] if index < len(words) else words[0],
            },
        )
        for index in range(max(len(words), len(named)))
    ]


def before_of(once: bytes) -> Delivered | None:
    """The answer that a delivery had, or None when it is new."""
    return _before(once)


def _require(origin: Origin) -> None:
    # A partner's right is the scope of its key, which its door has asked for; a person's is an action.
    if origin.partner_id is None or origin.actor.kind == "person":
        require(origin.actor, "report.create")


def _before(once: bytes, *, content: str | None = None) -> Delivered | None:
    """What was answered to this delivery before. Two at a time: the second one waits here for the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(once[:8], "big", signed=True)])
        cursor.execute("SELECT delivery_id, content_digest, results FROM intake_delivery_of(%s)", [once])
        row = cursor.fetchone()
    if row is None:
        return None
    delivery_id, digest, results = row
    if content is not None and bytes(digest) != _digest(once, content):
        raise DeliveryReused()
    listed = json.loads(results) if isinstance(results, str) else results
    return Delivered(delivery_id, tuple(_answered(each) for each in listed), False)


def _keep(
    once: bytes, origin: Origin, answers: Sequence[Answered], *, at: datetime, content: str = "", **answer: Any
) -> Delivered:
    delivery_id = new_id()
    Delivery.objects.bulk_create(
        [
            Delivery(
                id=delivery_id,
                once=once,
                content_digest=_digest(once, content),
                source=origin.source,
                partner_id=origin.partner_id,
                by=origin.actor.id,
                at=at,
                results=[_stored(each) for each in answers],
                **answer,
            )
        ]
    )
    audit.record(
        actor=origin.actor,
        action="report.hand_in",
        subject_kind="delivery",
        subject_id=delivery_id,
        at=at,
        data={
            "source": origin.source,
            "taken": sum(1 for each in answers if each.is_taken),
            "refused": sum(1 for each in answers if not each.is_taken),
        },
    )
    return Delivered(delivery_id, tuple(answers), True)


def _digest(once: bytes, content: str) -> bytes:
    return hmac.digest(once, content.encode(), hashlib.sha256)


def _stored(answer: Answered) -> dict[str, Any]:
    kept: dict[str, Any] = {"line": answer.line}
    if answer.number:
        kept["number"] = answer.number
    if answer.code:
        kept["code"] = answer.code
    if answer.same_as is not None:
        kept["same_as"] = answer.same_as
    return kept


def _answered(kept: Mapping[str, Any]) -> Answered:
    return Answered(int(kept["line"]), kept.get("number", ""), kept.get("code", ""), kept.get("same_as"))


def _receipt_again(token: bytes, number: str) -> Receipt:
    return next(
        (receipt for attempt in range(8) if (receipt := receipt_of(token, attempt)).number == number),
        receipt_of(token),
    )
