"""Reads of the crawl: frozen facts for other rooms and for pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vigil.accounts.policies import require
from vigil.core.actors import Actor
from vigil.crawl.errors import DeclaredMatchNotFound, PlaceNotFound, SightingNotFound
from vigil.crawl.models import Candidate, Check, DeclaredMatch, Place, Seed, Shown, Sighting, Visit


@dataclass(frozen=True)
class PlaceFacts:
    """A place as other rooms see it: sealed. Only the key process, for a purpose, opens the address."""

    id: UUID
    host_id: UUID
    url_sealed: bytes
    kind: str
    outcome: str
    tried_at: datetime | None


@dataclass(frozen=True)
class CandidateView:
    """A picture found at an incident's reported place: fingerprints and where, never the picture."""

    id: UUID
    incident_id: UUID
    place_id: UUID
    page_place_id: UUID | None
    sha256: bytes
    md5: bytes
    pdq: bytes
    quality: int
    width: int
    height: int
    seen_at: datetime


@dataclass(frozen=True)
class SightingFacts:
    """A place shows a listed picture, says a match."""

    id: UUID
    number: str
    place_id: UUID
    page_place_id: UUID | None
    entry_id: UUID
    match: str
    distance: int
    orientation: int
    feed_version: int
    seen_at: datetime
    server_address: str | None
    sensitivity: int
    state: str
    reason: str
    decided_by: UUID | None
    decided_at: datetime | None


@dataclass(frozen=True)
class CheckFacts:
    """A question about a place and, when done, its answer: up, down or unknown."""

    id: UUID
    place_id: UUID
    sighting_id: UUID | None
    asked_by_kind: str
    asked_for: UUID
    asked_at: datetime
    due_at: datetime
    done_at: datetime | None
    verdict: str
    detail: str
    status: int


@dataclass(frozen=True)
class PictureTried:
    """One picture that a reported page shows, and how looking at it ended (an outcome's code; empty: not yet)."""

    place_id: UUID
    outcome: str
    tried_at: datetime | None


@dataclass(frozen=True)
class ReportedPlace:
    """A reported place of an incident and how looking at it ended. `outcome` is empty while it waits; `done_at` says when
    all its pictures had been tried."""

    place_id: UUID
    asked_at: datetime
    seen_at: datetime | None
    done_at: datetime | None
    outcome: str
    pictures: tuple[PictureTried, ...]


def place(place_id: UUID) -> PlaceFacts:
    """One place. Raises PlaceNotFound."""
    row = Place.objects.filter(id=place_id).first()
    if row is None:
        raise PlaceNotFound(place_id)
    return PlaceFacts(row.id, row.host_id, bytes(row.url_sealed), row.kind, row.outcome, row.tried_at)


def known_places(digests: list[bytes]) -> dict[bytes, UUID]:
    """Which of these addresses (the crawl's keyed digests) are places that the crawl knows: digest -> place."""
    rows = Place.objects.filter(url_digest__in=digests).values_list("url_digest", "id")
    return {bytes(digest): place_id for digest, place_id in rows}


def candidates_for(incident_id: UUID) -> list[CandidateView]:
    """What the crawl found at an incident's reported places, oldest first. The caller has checked `incident.view`."""
    rows = Candidate.objects.filter(incident_id=incident_id).order_by("seen_at", "id")
    return [
        CandidateView(
            row.id, row.incident_id, row.place_id, row.page_place_id, bytes(row.sha256), bytes(row.md5), bytes(row.pdq),
            row.quality, row.width, row.height, row.seen_at,
        )
        for row in rows
    ]  # fmt: skip


def places_for(incident_id: UUID) -> list[ReportedPlace]:
    """Each reported place of an incident with its outcome and that of its pictures. The caller has checked `incident.view`."""
    return [
        ReportedPlace(seed.place_id, seed.asked_at, seed.seen_at, seed.done_at, seed.outcome, _pictures_of(seed))
        for seed in Seed.objects.filter(incident_id=incident_id).order_by("asked_at", "id")
    ]


def _pictures_of(seed: Seed) -> tuple[PictureTried, ...]:
    if seed.seen_at is None:
        return ()
    shown = (
        Shown.objects.filter(page_id=seed.place_id, seen_at__gte=seed.seen_at).select_related("media").order_by("id")
    )
    return tuple(
        PictureTried(row.media_id, row.media.outcome, row.media.tried_at)
        if row.media.tried_at is not None and row.media.tried_at >= seed.seen_at
        else PictureTried(row.media_id, "", None)
        for row in shown
    )


def sighting(sighting_id: UUID) -> SightingFacts:
    """One sighting. Raises SightingNotFound (also when row policies hide it)."""
    row = Sighting.objects.filter(id=sighting_id).first()
    if row is None:
        raise SightingNotFound(sighting_id)
    return facts_of(row)


def sightings(actor: Actor, *, state: str | None = None, limit: int = 200, offset: int = 0) -> list[SightingFacts]:
    """Sightings that this actor may see: those that wait first in, first out; decided ones newest first."""
    require(actor, "sighting.view")
    rows = Sighting.objects.filter(sensitivity__lte=actor.clearance)
    if state is not None:
        rows = rows.filter(state=state)
    order = ("seen_at", "id") if state == Sighting.State.PROPOSED else ("-seen_at", "id")
    return [facts_of(row) for row in rows.order_by(*order)[offset : offset + limit]]


def count_sightings(actor: Actor, *, state: str) -> int:
    """How many sightings in a state this actor may see."""
    require(actor, "sighting.view")
    return Sighting.objects.filter(sensitivity__lte=actor.clearance, state=state).count()


def sightings_of_entry(entry_id: UUID) -> list[SightingFacts]:
    """Where an entry was seen, oldest first."""
    return [facts_of(row) for row in Sighting.objects.filter(entry_id=entry_id).order_by("seen_at", "id")]


def confirmed_matches_between(since: datetime, until: datetime) -> list[str]:
    """`exact` or `near` of each sighting confirmed in [since, until): figures count these."""
    rows = Sighting.objects.filter(state="confirmed", decided_at__gte=since, decided_at__lt=until)
    return list(rows.order_by("decided_at", "id").values_list("match", flat=True))


def check(check_id: UUID) -> CheckFacts:
    """One check. Raises PlaceNotFound when there is none."""
    row = Check.objects.filter(id=check_id).first()
    if row is None:
        raise PlaceNotFound(check_id)
    return _check_facts(row)


def checks_of_place(place_id: UUID) -> list[CheckFacts]:
    """Every check of a place, oldest first."""
    return [_check_facts(row) for row in Check.objects.filter(place_id=place_id).order_by("asked_at", "id")]


def visits_of_place(place_id: UUID, *, limit: int = 20) -> list[tuple[datetime, str, int]]:
    """The last looks at a place: (when, outcome, status), newest first."""
    rows = Visit.objects.filter(place_id=place_id).order_by("-at", "-id")
    return list(rows.values_list("at", "outcome", "status")[:limit])


def facts_of(row: Sighting) -> SightingFacts:
    """The facts of a sighting's row."""
    return SightingFacts(
        row.id, row.number, row.place_id, row.page_place_id, row.entry_id, row.match, row.distance, row.orientation,
        row.feed_version, row.seen_at, row.server_address, row.sensitivity, row.state, row.reason, row.decided_by, row.decided_at,
    )  # fmt: skip


def _check_facts(row: Check) -> CheckFacts:
    return CheckFacts(
        row.id, row.place_id, row.sighting_id, row.asked_by_kind, row.asked_for, row.asked_at, row.due_at, row.done_at,
        row.verdict, row.detail, row.status,
    )  # fmt: skip


@dataclass(frozen=True)
class DeclaredMatchFacts:
    """A place shows what fits a fingerprint that somebody declared of their own picture: a reason to look, not a finding."""

    id: UUID
    place_id: UUID
    declared_id: UUID
    help_case_id: UUID
    match: str
    distance: int
    seen_at: datetime


def declared_match(match_id: UUID) -> DeclaredMatchFacts:
    """One match. Raises DeclaredMatchNotFound."""
    row = DeclaredMatch.objects.filter(id=match_id).first()
    if row is None:
        raise DeclaredMatchNotFound(match_id)
    return _match_facts(row)


def declared_matches_of_case(help_case_id: UUID) -> list[DeclaredMatchFacts]:
    """Where pictures were seen that fit a case's fingerprints, oldest first. For staff; a person's own page never shows it."""
    rows = DeclaredMatch.objects.filter(help_case_id=help_case_id).order_by("seen_at", "id")
    return [_match_facts(row) for row in rows]


def _match_facts(row: DeclaredMatch) -> DeclaredMatchFacts:
    return DeclaredMatchFacts(
        row.id, row.place_id, row.declared_id, row.help_case_id, row.match, row.distance, row.seen_at
    )
