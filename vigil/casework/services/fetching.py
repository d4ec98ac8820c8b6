"""Handing an incident's reported places to the crawl, and proposing what it found there for the list."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.casework.errors import CandidateNotFound, NothingToFetch, NotInCase
from vigil.casework.models import Case, Incident, ReportedPlace
from vigil.casework.services.incidents import add_step, lock_incident, require_work, touch
from vigil.core.actors import Actor
from vigil.core.ids import new_id
from vigil.crawl import selectors as crawl_selectors
from vigil.crawl import services as crawl
from vigil.intake import services as intake
from vigil.lists import selectors as lists_selectors
from vigil.lists import services as lists
from vigil.lists.services import CandidateFacts


@transaction.atomic
def fetch_reported_places(*, actor: Actor, incident_id: UUID, at: datetime) -> list[ReportedPlace]:
    """Have every reported link of an incident fetched by the crawler, now. May be pressed again: each is then tried anew.

    Links are turned into the crawl's places inside the key process; a link that is no address keeps its error.
    Raises IncidentNotFound, NotPermitted, ClaimNeeded, NothingToFetch, Unavailable without `keyd`.
    """
    incident = lock_incident(incident_id)
    require(actor, "incident.fetch", incident)
    require_work(actor, incident, at=at)
    sealed = intake.seal_links_for_crawl(
        actor=actor, report_id=incident.report_id, purpose="casework.fetch", ticket=incident.number
    )
    if not sealed:
        raise NothingToFetch(incident_id)
    usable = [place for place in sealed if not place.error]
    place_ids: dict[UUID, UUID] = {}
    if usable:
        seeded = crawl.seed_places(actor=actor, incident_id=incident_id, places=usable, at=at)
        place_ids = dict(zip((place.link_id for place in usable), seeded, strict=True))
    rows = [
        ReportedPlace(
            id=new_id(),
            incident=incident,
            link_id=place.link_id,
            place_id=place_ids.get(place.link_id),
            error=place.error,
            asked_by=actor.id,
            asked_at=at,
        )
        for place in sealed
    ]
    ReportedPlace.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["incident", "link_id"],
        update_fields=["place_id", "error", "asked_by", "asked_at"],
    )
    touch(incident, at=at)
    add_step(incident, "places_fetched", actor=actor, at=at, data={"places": len(usable)})
    audit.record(
        actor=actor,
        action="incident.fetch",
        subject_kind="incident",
        subject_id=incident_id,
        at=at,
        data={"places": len(usable), "unusable": len(sealed) - len(usable)},
    )
    return rows


@transaction.atomic
def propose_entry(*, actor: Actor, incident_id: UUID, candidate_id: UUID, classification: str, at: datetime) -> UUID:
    """Propose one candidate of an incident for the list; the incident must be in a case. Returns the entry's id.

    The entry is as protected as the case. Raises IncidentNotFound, NotPermitted, ClaimNeeded, NotInCase, CandidateNotFound,
    and the list's AlreadyAnEntry (with its number).
    """
    incident = lock_incident(incident_id)
    require(actor, "entry.propose", incident)
    require_work(actor, incident, at=at)
    candidate = next((c for c in crawl_selectors.candidates_for(incident_id) if c.id == candidate_id), None)
    if candidate is None:
        raise CandidateNotFound(candidate_id)
    case = Case.objects.filter(id=incident.case_id).first() if incident.case_id else None
    if case is None:
        raise NotInCase(incident_id)
    touch(incident, at=at)
    facts = CandidateFacts(
        candidate_id=candidate.id,
        place_id=candidate.place_id,
        incident_id=incident_id,
        case_id=case.id,
        sha256=bytes(candidate.sha256),
        md5=bytes(candidate.md5),
        pdq=bytes(candidate.pdq),
        quality=candidate.quality,
        sensitivity=case.sensitivity,
    )
    entry = lists.propose_entry(actor=actor, candidate=facts, classification=classification, at=at)
    add_step(incident, "entry_proposed", actor=actor, at=at, data={"entry": entry.number})
    return entry.id


@transaction.atomic
def note_entry_event(*, kind: str, entry_id: UUID, actor: Actor, at: datetime) -> None:
    """Write into the timeline of its incident what became of an entry (for the worker)."""
    entry = lists_selectors.entry(entry_id)
    incident = Incident.objects.filter(id=entry.incident_id).first()
    if incident is not None:
        add_step(incident, kind, actor=actor, at=at, data={"entry": entry.number})


@transaction.atomic
def note_candidates(*, incident_id: UUID, actor: Actor, at: datetime) -> None:
    """Write into the timeline of an incident that the crawl found candidates (for the worker)."""
    incident = Incident.objects.filter(id=incident_id).first()
    if incident is not None:
        found = len(crawl_selectors.candidates_for(incident_id))
        add_step(incident, "candidates_found", actor=actor, at=at, data={"count": found})
