"""The worker's door: a published entry is matched against what was seen before; a withdrawn one leaves the open sightings."""

from __future__ import annotations

from datetime import datetime

from vigil.core import clock
from vigil.core.events import Event, every_tick, on
from vigil.crawl import services


@on("lists.entry_published")
def match_published_entry(event: Event) -> None:
    """Find the entry at places that were crawled before it was published."""
    services.match_again(entry_id=event.subject_id, at=clock.now())


@on("lists.entry_withdrawn")
def close_sightings_of_withdrawn_entry(event: Event) -> None:
    """Nobody needs to decide about a withdrawn entry's sightings."""
    services.close_for_withdrawn_entry(entry_id=event.subject_id, at=clock.now())


@on("lists.declared")
def match_declared_fingerprints(event: Event) -> None:
    """Find the pictures of a new image-help case at places that were crawled before."""
    services.match_declared_again(case_id=event.subject_id, at=clock.now())


@every_tick
def match_late_readings(now: datetime) -> None:
    """Look up again what was read while the index was behind the list."""
    services.match_late_readings(at=now)
