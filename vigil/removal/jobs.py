"""The worker's door: what other rooms tell this one, and what is due."""

from __future__ import annotations

from datetime import datetime

from vigil.core import clock
from vigil.core.events import Event, every_tick, on
from vigil.removal import services


@on("crawl.sighting_confirmed")
def open_notice(event: Event) -> None:
    """A confirmed sighting calls for a notice."""
    services.open_notice(sighting_id=event.subject_id, at=clock.now())


@on("lists.entry_withdrawn")
def stop_notices(event: Event) -> None:
    """A withdrawn entry: nobody is asked to remove it any more."""
    services.stop_notices_for_entry(entry_id=event.subject_id, at=clock.now())


@on("removal.lookup_due")
def look_up_provider(event: Event) -> None:
    """Ask the registration data for a notice's provider."""
    services.look_up_provider(notice_id=event.subject_id, at=clock.now())


@on("removal.check_due")
def ask_check(event: Event) -> None:
    """Have a notice's place looked at."""
    services.ask_check(notice_id=event.subject_id, at=clock.now())


@on("crawl.check_done")
def take_check(event: Event) -> None:
    """The crawl has looked at a place: mail, count the visit, or wait."""
    services.take_check(check_id=event.subject_id, at=clock.now())


@on("casework.places_known")
def take_reported_places(event: Event) -> None:
    """A place that this room knows was reported again: link the two, and look at what was removed."""
    services.take_reported_places(incident_id=event.subject_id, at=clock.now())


@on("removal.answered")
def resume_after_answer(event: Event) -> None:
    """A provider answered: look at the place, or hand the dispute to a person."""
    services.resume_after_answer(notice_id=event.subject_id, at=clock.now())


@every_tick
def ask_for_what_is_due(now: datetime) -> None:
    """Lookups, mails, reminders and visits whose time has come."""
    services.ask_due_lookups(at=now)
    services.ask_due_checks(at=now)
