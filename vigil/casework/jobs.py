"""What the worker does for casework."""

from __future__ import annotations

from vigil.casework import services
from vigil.core.actors import Actor, process_actor
from vigil.core.events import Event, on


@on("intake.report_submitted")
def open_incidents_of_new_report(event: Event) -> None:
    """A new report becomes incidents: one per situation, in the queue within seconds."""
    services.open_incidents(actor=process_actor("worker"), report_id=event.subject_id, at=event.at)


@on("imagehelp.case_opened")
def open_incident_of_help_case(event: Event) -> None:
    """An image-help case with something to read becomes an incident."""
    services.open_incident_of_help_case(actor=process_actor("worker"), case_id=event.subject_id, at=event.at)


@on("crawl.declared_match_found")
def propose_declared_match(event: Event) -> None:
    """What fits a person's own fingerprint is put before a person, and nothing else happens."""
    services.propose_declared_match(actor=process_actor("worker"), match_id=event.subject_id, at=event.at)


@on("casework.incident_opened")
def note_known_places_of_new_incident(event: Event) -> None:
    """A reported place that was seen before is linked with what is known of it."""
    services.note_known_places(actor=process_actor("worker"), incident_id=event.subject_id, at=event.at)


@on("crawl.candidates_found")
def note_candidates_in_timeline(event: Event) -> None:
    """The incident's timeline says that the crawl found something at its places."""
    services.note_candidates(incident_id=event.subject_id, actor=process_actor("crawl"), at=event.at)


@on("lists.entry_published")
def note_published_entry(event: Event) -> None:
    """The incident's timeline says that an entry from it was published."""
    _note_entry("entry_published", event)


@on("lists.entry_refused")
def note_refused_entry(event: Event) -> None:
    """The incident's timeline says that an entry from it was refused."""
    _note_entry("entry_refused", event)


@on("lists.entry_withdrawn")
def note_withdrawn_entry(event: Event) -> None:
    """The incident's timeline says that an entry from it was withdrawn."""
    _note_entry("entry_withdrawn", event)


def _note_entry(kind: str, event: Event) -> None:
    by = Actor(id=event.actor_id, kind="process", name=event.actor_kind)
    services.note_entry_event(kind=kind, entry_id=event.subject_id, actor=by, at=event.at)
