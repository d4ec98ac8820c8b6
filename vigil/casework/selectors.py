"""Reads of casework: frozen facts, filtered by clearance here and by the row policies behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q
from django.utils.translation import get_language

from vigil.accounts.errors import ItemUnseen
from vigil.accounts.policies import Action, permit, require
from vigil.accounts.selectors import names_of, organisation_names
from vigil.casework import limits, policies
from vigil.casework.errors import CaseNotFound, IncidentNotFound
from vigil.casework.models import REAPPEARANCES, Case, Incident, KnownPlace, Note, ReportedPlace, Step
from vigil.core import keyd
from vigil.core.actors import Actor
from vigil.core.errors import Invalid, NotFound
from vigil.core.ids import resolve_number
from vigil.intake import selectors as intake

PAGE_ROWS = 50
MOST_ALSO_REPORTED = 50
QUEUE_ORDER = ("band", "due_at", "created_at", "id")


@dataclass(frozen=True)
class IncidentFacts:
    """An incident as pages and other rooms see it. No words of the reporter."""

    id: UUID
    number: str
    report_id: UUID
    situation: str
    band: int
    reasons: tuple[str, ...]
    sensitivity: int
    language: str
    source: str
    partner_id: UUID | None
    under_18: bool
    link_count: int
    created_at: datetime
    first_look_at: datetime | None
    due_at: datetime
    state: str
    claimed_by: UUID | None
    claim_expires_at: datetime | None
    claim_fence: int
    case_id: UUID | None
    decision: str | None
    decision_reason: str | None
    duplicate_of_id: UUID | None
    decided_by: UUID | None
    decided_at: datetime | None

    def decision_due_at(self) -> datetime:
        """When the incident should be decided, by its band."""
        return self.created_at + limits.LIMITS[self.band].decision


@dataclass(frozen=True)
class CaseFacts:
    """A case and the incidents in it that the actor may see."""

    id: UUID
    number: str
    sensitivity: int
    band: int
    opened_by: UUID
    opened_at: datetime
    incidents: tuple[IncidentFacts, ...]


@dataclass(frozen=True)
class QueueRow:
    """One row of the queue, with who holds it now."""

    incident: IncidentFacts
    case_number: str
    holder: str
    is_held: bool
    is_mine: bool
    is_late: bool
    partner: str
    is_reappearance: bool


@dataclass(frozen=True)
class BandCount:
    """How many open incidents of a band there are, and how long the oldest has waited."""

    band: int
    waiting: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class QueuePage:
    """A page of the queue. `next_after` is the number to go on from, empty on the last page."""

    rows: tuple[QueueRow, ...]
    bands: tuple[BandCount, ...]
    waiting: int
    sources: tuple[str, ...]
    next_after: str


@dataclass(frozen=True)
class StepFacts:
    """One line of the timeline."""

    kind: str
    by: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class NoteWords:
    """A colleague's note, opened for one person."""

    by: str
    at: datetime
    text: str

    def __repr__(self) -> str:
        return "NoteWords(...)"


@dataclass(frozen=True)
class KnownFacts:
    """A link of an incident whose place was known before: what was known, and what a look at it found since.

    state: known, open (a notice is open), removed_before (a look is asked for), back, still_gone, unknown.
    """

    id: UUID
    link_id: UUID
    place_id: UUID
    state: str
    notice_id: UUID | None
    notice_number: str
    removal_number: str
    looked_at: datetime | None

    @property
    def is_reappearance(self) -> bool:
        """Whether the place was confirmed removed and is not known to be gone still."""
        return self.state in REAPPEARANCES


@dataclass(frozen=True)
class PlaceAsked:
    """A reported link that was handed to the crawl, or why it could not be."""

    link_id: UUID
    place_id: UUID | None
    error: str
    asked_at: datetime


# ---- the queue -----------------------------------------------------------------------------------------------------------------
def queue(
    actor: Actor,
    *,
    at: datetime,
    band: int | None = None,
    mine: bool = False,
    source: str = "",
    after: str = "",
    limit: int = PAGE_ROWS,
) -> QueuePage:
    """Open incidents in the order in which they should be looked at: band, then nearest limit, then oldest.

    `after`: the number of the last row of the page before. Raises NotPermitted.
    """
    require(actor, "incident.view")
    visible = Incident.objects.filter(state="open", sensitivity__lte=actor.clearance)
    counts = {
        row["band"]: row for row in visible.values("band").annotate(waiting=Count("id"), oldest_at=Min("created_at"))
    }
    bands = tuple(
        BandCount(level, counts[level]["waiting"], counts[level]["oldest_at"])
        if level in counts
        else BandCount(level, 0, None)
        for level in range(6)
    )
    wanted = visible
    if band is not None:
        wanted = wanted.filter(band=band)
    sources = tuple(sorted(set(visible.values_list("source", flat=True))))
    if source:
        wanted = wanted.filter(source=source)
    if mine:
        wanted = wanted.filter(claimed_by=actor.id, claim_expires_at__gt=at)
    if after:
        wanted = wanted.filter(_behind(after, actor))
    rows = list(wanted.select_related("case").order_by(*QUEUE_ORDER)[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    names = names_of({row.claimed_by for row in rows if row.claimed_by is not None})
    partners = organisation_names(
        {row.partner_id for row in rows if row.partner_id is not None}, get_language() or "en"
    )
    again = set(
        KnownPlace.objects.filter(incident__in=rows, state__in=REAPPEARANCES).values_list("incident_id", flat=True)
    )
    return QueuePage(
        rows=tuple(
            _queue_row(row, actor=actor, names=names, partners=partners, is_reappearance=row.id in again, at=at)
            for row in rows
        ),
        sources=sources,
        bands=bands,
        waiting=sum(count.waiting for count in bands),
        next_after=rows[-1].number if more and rows else "",
    )


def _behind(number: str, actor: Actor) -> Q:
    """Rows behind the one with this number, in the order of the queue."""
    last = incident_by_number(actor, number)
    return (
        Q(band__gt=last.band)
        | Q(band=last.band, due_at__gt=last.due_at)
        | Q(band=last.band, due_at=last.due_at, created_at__gt=last.created_at)
        | Q(band=last.band, due_at=last.due_at, created_at=last.created_at, id__gt=last.id)
    )


def _queue_row(
    row: Incident,
    *,
    actor: Actor,
    names: dict[UUID, str],
    partners: dict[UUID, str],
    is_reappearance: bool,
    at: datetime,
) -> QueueRow:
    held = policies.is_claimed(row, at=at)
    # A case above the actor's clearance is not named, although the incident in it may be seen.
    case = row.case if row.case_id is not None else None
    return QueueRow(
        incident=_facts(row),
        case_number=case.number if case is not None and case.sensitivity <= actor.clearance else "",
        holder=names.get(row.claimed_by, "") if held and row.claimed_by else "",
        is_held=held,
        is_mine=held and row.claimed_by == actor.id,
        is_late=row.due_at <= at,
        partner=partners.get(row.partner_id, "") if row.partner_id else "",
        is_reappearance=is_reappearance,
    )


# ---- incidents -----------------------------------------------------------------------------------------------------------------
def incident_by_number(actor: Actor, number: str) -> IncidentFacts:
    """An incident by its public number.

    Raises IncidentNotFound, ItemUnseen for one that exists above the actor's clearance, NotPermitted.
    """
    return incident(actor, _resolve(number, "incident", IncidentNotFound))


def incident(actor: Actor, incident_id: UUID) -> IncidentFacts:
    """An incident by id. Raises ItemUnseen when the actor may not see it (or it does not exist), NotPermitted."""
    row = _visible(actor, "incident.view", Incident, incident_id)
    return _facts(row)


def incidents_of_report(actor: Actor, report_id: UUID) -> list[IncidentFacts]:
    """The incidents of one report that the actor may see, in the order they were opened."""
    require(actor, "incident.view")
    rows = Incident.objects.filter(report_id=report_id, sensitivity__lte=actor.clearance).order_by("id")
    return [_facts(row) for row in rows]


def steps_of(incident_id: UUID) -> list[StepFacts]:
    """The timeline of an incident, oldest first, with names."""
    rows = list(Step.objects.filter(incident_id=incident_id).order_by("at", "id"))
    names = names_of({row.actor_id for row in rows})
    return [StepFacts(row.kind, names.get(row.actor_id, ""), row.at, row.data) for row in rows]


def has_notes(incident_id: UUID) -> bool:
    """Whether colleagues wrote notes beside their decisions."""
    return Note.objects.filter(incident_id=incident_id).exists()


def note_words(*, actor: Actor, item: IncidentFacts) -> list[NoteWords]:
    """The notes of an incident, opened through the key process. Call it before the caller's own audit row."""
    rows = list(Note.objects.filter(incident_id=item.id).order_by("at", "id"))
    names = names_of({row.written_by for row in rows})
    opened = []
    for row in rows:
        key = keyd.open_key(record_id=row.id, klass="note", purpose="casework.view", actor=actor, ticket=item.number)
        text = key.decrypt(bytes(row.body), table="casework_note", column="body", row_id=row.id)
        opened.append(NoteWords(names.get(row.written_by, ""), row.at, text))
    return opened


def places_asked(incident_id: UUID) -> list[PlaceAsked]:
    """Which reported links were handed to the crawl for an incident."""
    rows = ReportedPlace.objects.filter(incident_id=incident_id).order_by("asked_at", "id")
    return [PlaceAsked(row.link_id, row.place_id, row.error, row.asked_at) for row in rows]


def known_places_of(incident_id: UUID) -> list[KnownFacts]:
    """The incident's links whose places were known before it, oldest first."""
    rows = KnownPlace.objects.filter(incident_id=incident_id).order_by("noted_at", "id")
    return [
        KnownFacts(
            row.id,
            row.link_id,
            row.place_id,
            row.state,
            row.notice_id,
            row.notice_number,
            row.removal_number,
            row.looked_at,
        )
        for row in rows
    ]


def also_reported(actor: Actor, item: IncidentFacts) -> list[IncidentFacts]:
    """Incidents of other reports that name the same place, as far as the actor may see them, oldest first.

    Found through places that the crawl knows, and through the blind index of links (short: a hint, not a proof).
    """
    places = list(KnownPlace.objects.filter(incident_id=item.id).values_list("place_id", flat=True))
    same = set(KnownPlace.objects.filter(place_id__in=places).values_list("incident_id", flat=True))
    same |= set(ReportedPlace.objects.filter(place_id__in=places).values_list("incident_id", flat=True))
    reports = intake.reports_with_link_like(item.report_id)
    rows = Incident.objects.filter(Q(id__in=same) | Q(report_id__in=reports), sensitivity__lte=actor.clearance)
    return [
        _facts(row) for row in rows.exclude(report_id=item.report_id).order_by("created_at", "id")[:MOST_ALSO_REPORTED]
    ]


# ---- cases ---------------------------------------------------------------------------------------------------------------------
def case_by_number(actor: Actor, number: str) -> CaseFacts:
    """A case by its public number. Raises CaseNotFound, ItemUnseen, NotPermitted."""
    return case(actor, _resolve(number, "case", CaseNotFound))


def case(actor: Actor, case_id: UUID) -> CaseFacts:
    """A case and those of its incidents that the actor may see. Raises ItemUnseen, NotPermitted."""
    row = _visible(actor, "case.view", Case, case_id)
    inside = Incident.objects.filter(case_id=case_id, sensitivity__lte=actor.clearance).order_by("band", "id")
    return CaseFacts(
        row.id,
        row.number,
        row.sensitivity,
        row.band,
        row.opened_by,
        row.opened_at,
        tuple(_facts(incident) for incident in inside),
    )


def case_number(actor: Actor, case_id: UUID | None) -> str:
    """The number of a case, or an empty text when there is none or the actor may not see it."""
    if case_id is None or not permit(actor, "case.view"):
        return ""
    found = Case.objects.filter(id=case_id, sensitivity__lte=actor.clearance).values_list("number", flat=True)
    return found.first() or ""


def incident_number(actor: Actor, incident_id: UUID | None) -> str:
    """The number of an incident, or an empty text when there is none or the actor may not see it."""
    if incident_id is None or not permit(actor, "incident.view"):
        return ""
    found = Incident.objects.filter(id=incident_id, sensitivity__lte=actor.clearance).values_list("number", flat=True)
    return found.first() or ""


def cases(actor: Actor, *, limit: int = 100) -> list[CaseFacts]:
    """The newest cases that the actor may see, without their incidents."""
    require(actor, "case.view")
    rows = Case.objects.filter(sensitivity__lte=actor.clearance).order_by("-opened_at", "-id")[:limit]
    return [CaseFacts(row.id, row.number, row.sensitivity, row.band, row.opened_by, row.opened_at, ()) for row in rows]


# ---- figures -------------------------------------------------------------------------------------------------------------------
def incidents_between(since: datetime, until: datetime) -> list[tuple[str, int, str]]:
    """(situation, band, source) of every incident whose report arrived in the half-open interval: for figures."""
    rows = Incident.objects.filter(created_at__gte=since, created_at__lt=until)
    return list(rows.values_list("situation", "band", "source"))


# ---- shared --------------------------------------------------------------------------------------------------------------------
def _resolve(number: str, wanted: str, missing: type[NotFound]) -> UUID:
    try:
        kind, subject_id = resolve_number(number)
    except (Invalid, NotFound) as exc:
        raise missing() from exc
    if kind != wanted:
        raise missing()
    return subject_id


def _visible(actor: Actor, action: Action, model: type[Incident] | type[Case], row_id: UUID) -> Any:
    """The row, if the actor may see it. What they may not see, and what is not there, is refused alike (and audited)."""
    require(actor, action)
    row = model.objects.filter(id=row_id).first()
    if row is None:
        raise ItemUnseen(action, subject_kind=action.partition(".")[0], subject_id=row_id)
    require(actor, action, row)
    return row


def _facts(row: Incident) -> IncidentFacts:
    return IncidentFacts(
        id=row.id,
        number=row.number,
        report_id=row.report_id,
        situation=row.situation,
        band=row.band,
        reasons=tuple(row.reasons),
        sensitivity=row.sensitivity,
        language=row.language,
        source=row.source,
        partner_id=row.partner_id,
        under_18=row.under_18,
        link_count=row.link_count,
        created_at=row.created_at,
        first_look_at=row.first_look_at,
        due_at=row.due_at,
        state=row.state,
        claimed_by=row.claimed_by,
        claim_expires_at=row.claim_expires_at,
        claim_fence=row.claim_fence,
        case_id=row.case_id,
        decision=row.decision,
        decision_reason=row.decision_reason,
        duplicate_of_id=row.duplicate_of_id,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )
