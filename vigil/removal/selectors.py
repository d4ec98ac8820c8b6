"""Reads of the removal room. What a person may not see is not in any answer; row policies stand behind that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q

from vigil.accounts.policies import require
from vigil.core import keyd
from vigil.core.actors import Actor
from vigil.core.ids import parse_number
from vigil.removal.errors import NoticeNotFound
from vigil.removal.models import (
    CLOSED_STATES,
    Answer,
    Notice,
    NoticeAttempt,
    NoticeCheck,
    NoticeState,
    Provider,
    Removal,
)

BOARD_ROWS = 100


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """One notice as other rooms and the board may know it: no link, no host."""

    id: UUID
    number: str
    entry_id: UUID
    sighting_id: UUID
    place_id: UUID
    provider_id: UUID | None
    provider_name: str
    state: str
    place_word: str  # up, down, unknown, reappeared, removed, gone, stopped
    sensitivity: int
    first_seen_at: datetime
    opened_at: datetime
    sent_at: datetime | None
    last_checked_at: datetime | None
    closed_at: datetime | None
    mails_sent: int
    attempts: int
    failures: int
    last_failure: str
    last_answer: str


@dataclass(frozen=True, slots=True)
class RemovalFacts:
    """One confirmed removal with its times."""

    id: UUID
    number: str
    notice_id: UUID
    provider_id: UUID
    sensitivity: int
    first_seen_at: datetime
    notice_sent_at: datetime
    first_down_at: datetime
    confirmed_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider on the board: how many places are in which state."""

    name: str
    open: int
    unknown: int
    removed: int
    reappeared: int


@dataclass(frozen=True, slots=True)
class BoardPage:
    """One page of the board; `has_more`: there is a next one."""

    rows: list[NoticeFacts]
    page: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """One answer of a provider. `has_words`: the provider wrote something; it is opened alone."""

    id: UUID
    kind: str
    kept_evidence: str
    at: datetime
    has_words: bool


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """One try to send one mail: when, which mail, to which mailbox, with which result."""

    at: datetime
    kind: str
    to: str
    is_sent: bool
    code: str


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Everything the page of one notice shows, except what must be opened."""

    notice: NoticeFacts
    provider: Provider | None
    row: Notice
    attempts: list[AttemptFacts]
    checks: list[NoticeCheck]
    answers: list[AnswerFacts]
    removals: list[RemovalFacts]


def board(actor: Actor, *, word: str = "", page: int = 1) -> BoardPage:
    """One page of the removal board: what is open first (oldest first), then what was closed last.

    `word` keeps the rows that the board shows under that word (up, down, unknown, reappeared, removed, gone, stopped).
    Raises NotPermitted without `board.view`.
    """
    require(actor, "board.view")
    rows = _notices_seen_by(actor)
    if word:
        rows = rows.filter(_shown_as(word))
    first = (max(page, 1) - 1) * BOARD_ROWS
    found = list(
        rows.order_by(F("closed_at").desc(nulls_first=True), "opened_at", "id")[first : first + BOARD_ROWS + 1]
    )
    return BoardPage([_facts(row) for row in found[:BOARD_ROWS]], max(page, 1), len(found) > BOARD_ROWS)


def board_providers(actor: Actor) -> list[ProviderRow]:
    """Counts for each provider with a notice that the actor may see."""
    require(actor, "board.view")
    is_open = ~Q(state__in=CLOSED_STATES)
    rows = (
        _seen_by(actor)
        .exclude(provider=None)
        .values("provider__name")
        .annotate(
            open=Count("id", filter=is_open),
            unknown=Count("id", filter=is_open & Q(place_state="unknown")),
            removed=Count("id", filter=Q(state=NoticeState.REMOVED)),
            reappeared=Count("id", filter=Q(reappeared_at__isnull=False)),
        )
        .order_by("provider__name")
    )
    return [
        ProviderRow(row["provider__name"], row["open"], row["unknown"], row["removed"], row["reappeared"])
        for row in rows
    ]


def notices_that_need_a_person(actor: Actor) -> list[NoticeFacts]:
    """Notices that stand still until somebody acts: no address, disputed, questions, or failing again and again."""
    require(actor, "notice.view")
    waiting = Q(state__in=[NoticeState.NO_ADDRESS, NoticeState.DISPUTED]) | Q(last_answer="need_more", state="answered")
    rows = _notices_seen_by(actor).exclude(state__in=CLOSED_STATES).filter(waiting | Q(failures__gte=3))
    return [_facts(row) for row in rows.order_by("opened_at")[:BOARD_ROWS]]


def notice_page(actor: Actor, notice_id: UUID) -> NoticePage:
    """One notice with its attempts, visits and answers. Raises NoticeNotFound, NotPermitted."""
    row = _notice_rows().filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound(notice_id)
    require(actor, "notice.view", row)
    return NoticePage(
        notice=_facts(row),
        provider=row.provider,
        row=row,
        attempts=[
            AttemptFacts(one.at, one.kind, one.provider.abuse_email, one.outcome == "sent", one.code)
            for one in row.attempts.select_related("provider").order_by("-at")
        ],
        checks=list(row.checks.order_by("-asked_at")[:100]),
        answers=[
            AnswerFacts(one.id, one.kind, one.kept_evidence, one.at, one.words is not None)
            for one in row.answers.order_by("-at")
        ],
        removals=[_removal_facts(one) for one in row.removals.select_related("notice").order_by("-confirmed_at")],
    )


def opened_places(actor: Actor, notice_id: UUID) -> tuple[str, str]:
    """The address of a notice's place and of the page around it, for the page of that notice: show them defanged only.

    Audited by the key process before it opens them. Raises NoticeNotFound, NotPermitted, keyd's errors.
    """
    row = _notice_rows().filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound(notice_id)
    require(actor, "notice.view", row)

    def opened(place_id: UUID | None, sealed: Any) -> str:
        if place_id is None:
            return ""
        return keyd.open_place(
            place_id=place_id, url_sealed=bytes(sealed), purpose="removal.view", actor=actor, ticket=str(row.id)
        )

    return opened(row.place_id, row.place_sealed), opened(row.page_place_id, row.page_sealed)


def opened_words(actor: Actor, notice_id: UUID) -> dict[UUID, str]:
    """What providers wrote in their answers to one notice, by answer. Audited by the key process."""
    row = _notice_rows().filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound(notice_id)
    require(actor, "notice.view", row)
    words = {}
    for one in Answer.objects.filter(notice=row, words__isnull=False):
        key = keyd.open_key(record_id=one.id, klass="note", purpose="removal.view", actor=actor, ticket=str(row.id))
        words[one.id] = key.decrypt(bytes(one.words), table="removal_answer", column="words", row_id=one.id)  # type: ignore[arg-type]
    return words


def notice_id_of(number: str) -> UUID:
    """The id of the notice with this public number, as somebody typed it. Raises Invalid, NoticeNotFound."""
    found = Notice.objects.filter(number=parse_number(number)).values_list("id", flat=True).first()
    if found is None:
        raise NoticeNotFound()
    return found


# ---- for other rooms and for `vigil trace` ------------------------------------------------------------------------------
def notice(notice_id: UUID) -> NoticeFacts:
    """One notice. Raises NoticeNotFound. The caller asks `permit(actor, "notice.view", facts)`."""
    row = _notice_rows().filter(id=notice_id).first()
    if row is None:
        raise NoticeNotFound(notice_id)
    return _facts(row)


def notices_of_sighting(sighting_id: UUID) -> list[NoticeFacts]:
    """The notice that a sighting opened or joined: none or one."""
    rows = _notice_rows().filter(Q(sighting_id=sighting_id) | Q(last_sighting_id=sighting_id))
    return [_facts(row) for row in rows]


def notices_of_entry(entry_id: UUID) -> list[NoticeFacts]:
    """Every notice of one entry, oldest first."""
    return [_facts(row) for row in _notice_rows().filter(entry_id=entry_id).order_by("opened_at")]


def removal(removal_id: UUID) -> RemovalFacts:
    """One confirmed removal. Raises NoticeNotFound when there is none."""
    row = Removal.objects.select_related("notice").filter(id=removal_id).first()
    if row is None:
        raise NoticeNotFound(removal_id)
    return _removal_facts(row)


def removals_of_notice(notice_id: UUID) -> list[RemovalFacts]:
    """The removals of one notice, oldest first: more than one when the place came back."""
    rows = Removal.objects.select_related("notice").filter(notice_id=notice_id).order_by("confirmed_at")
    return [_removal_facts(row) for row in rows]


# ---- for figures: only columns that the role of figures may read ------------------------------------------------------------
def counts_between(since: datetime, until: datetime) -> Mapping[str, int]:
    """Events of a period: notices opened and first mailed, mails sent, answers, removals confirmed."""
    span = {"gte": since, "lt": until}

    def during(field: str) -> dict[str, datetime]:
        return {f"{field}__{name}": value for name, value in span.items()}

    return {
        "notices_opened": Notice.objects.filter(**during("opened_at")).count(),
        "notices_sent": Notice.objects.filter(**during("sent_at")).count(),
        "mails_sent": NoticeAttempt.objects.filter(outcome="sent", **during("at")).count(),
        "answers": Answer.objects.filter(**during("at")).count(),
        "removals": Removal.objects.filter(**during("confirmed_at")).count(),
    }


def removal_seconds_between(since: datetime, until: datetime) -> list[tuple[float, float]]:
    """For each removal confirmed in a period: seconds from first sight to confirmation, and from the mail to first gone."""
    rows = Removal.objects.filter(confirmed_at__gte=since, confirmed_at__lt=until).order_by("confirmed_at")
    times = rows.values_list("first_seen_at", "notice_sent_at", "first_down_at", "confirmed_at")
    return [
        ((confirmed - seen).total_seconds(), (down - sent).total_seconds()) for seen, sent, down, confirmed in times
    ]


def _notice_rows() -> Any:
    return Notice.objects.select_related("provider").annotate(attempts_made=Count("attempts", distinct=True))


def _seen_by(actor: Actor) -> Any:
    return Notice.objects.filter(sensitivity__lte=actor.clearance)


def _notices_seen_by(actor: Actor) -> Any:
    return _notice_rows().filter(sensitivity__lte=actor.clearance)


# A place that came back and is up, in the round that began with its return.
_REAPPEARED = Q(place_state="up", reappeared_at__isnull=False) & ~Q(round_seen_at=F("first_seen_at"))


def _shown_as(word: str) -> Q:
    """The rows that `_place_word` shows under a word."""
    if word in CLOSED_STATES:
        return Q(state=word)
    is_open = ~Q(state__in=CLOSED_STATES)
    if word == "reappeared":
        return is_open & _REAPPEARED
    return is_open & Q(place_state=word) & ~_REAPPEARED


def _place_word(row: Notice) -> str:
    """One word for the board. A look that failed is "unknown", whatever it was before."""
    if row.is_closed:
        return str(row.state)
    if row.place_state == "up" and row.reappeared_at is not None and row.round_seen_at != row.first_seen_at:
        return "reappeared"
    return str(row.place_state)


def _facts(row: Any) -> NoticeFacts:
    return NoticeFacts(
        id=row.id,
        number=row.number,
        entry_id=row.entry_id,
        sighting_id=row.sighting_id,
        place_id=row.place_id,
        provider_id=row.provider_id,
        provider_name=row.provider.name if row.provider else "",
        state=row.state,
        place_word=_place_word(row),
        sensitivity=row.sensitivity,
        first_seen_at=row.first_seen_at,
        opened_at=row.opened_at,
        sent_at=row.sent_at,
        last_checked_at=row.last_checked_at,
        closed_at=row.closed_at,
        mails_sent=row.mails_sent,
        attempts=row.attempts_made,
        failures=row.failures,
        last_failure=row.last_failure,
        last_answer=row.last_answer,
    )


def _removal_facts(row: Removal) -> RemovalFacts:
    return RemovalFacts(
        id=row.id,
        number=row.number,
        notice_id=row.notice_id,
        provider_id=row.provider_id,
        sensitivity=row.notice.sensitivity,
        first_seen_at=row.first_seen_at,
        notice_sent_at=row.notice_sent_at,
        first_down_at=row.first_down_at,
        confirmed_at=row.confirmed_at,
    )
