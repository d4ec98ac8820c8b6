"""Arranged rows of the rooms to the right: a published entry, a confirmed sighting, a finished look at a place."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any
from uuid import UUID

from vigil.core import clock
from vigil.core.ids import issue_number, new_id
from vigil.core.keyd_store import KeyStore, root_key_from
from vigil.crawl import models as crawl
from vigil.crawl.services.places import insert_places, sealed
from vigil.lists import services as lists
from vigil.lists.models import FeedCounter
from vigil.lists.tests.factories import candidate, looked
from vigil.settings import secret

_counter = itertools.count(1)


def make_published_entry(make_person: Any, role: Any, **changes: Any) -> UUID:
    """An entry that two assessors looked at and published."""
    FeedCounter.objects.get_or_create(id=True)  # a test of committed rows empties the migrations' rows too
    classification = changes.pop("classification", "baseline")
    analyst, *assessors = (
        make_person(roles={name}, clearance=3) for name in ("intake_analyst", "assessor", "assessor")
    )
    with role("vigil_console", analyst):
        entry = lists.propose_entry(
            actor=analyst, candidate=candidate(**changes), classification=classification, at=clock.now()
        )
    for assessor in assessors:
        with role("vigil_console", assessor):
            looked(assessor, entry.id)
            lists.decide_assessment(actor=assessor, entry_id=entry.id, verdict="illegal", at=clock.now())
    return entry.id


def make_sighting(owner: Any, settings: Any, entry_id: UUID, **changes: Any) -> UUID:
    """A confirmed exact sighting of an entry at a place of its own."""
    n = next(_counter)
    values = {
        "url": f"http://pictures-{n}.example/picture.png",
        "page_url": f"http://pictures-{n}.example/album/1",
        "match": "exact",
        "state": "confirmed",
        "seen_at": clock.now(),
        "server_address": "198.51.100.7",
        "sensitivity": 1,
        "decided_by": None,
    } | changes
    key = KeyStore(settings.KEYD_DIR, root_key_from(secret("keyd-root-key"))).crawl_key()
    with owner():
        new = [sealed(key, values[name], kind="image", depth=0) for name in ("url", "page_url")]
        known = insert_places(new, at=values["seen_at"])
        sighting_id = new_id()
        crawl.Sighting.objects.create(
            id=sighting_id,
            number=issue_number("sighting", sighting_id),
            place_id=known[new[0].url_digest].id,
            page_place_id=known[new[1].url_digest].id,
            entry_id=entry_id,
            match=values["match"],
            distance=0,
            orientation=0,
            feed_version=1,
            seen_at=values["seen_at"],
            server_address=values["server_address"],
            sensitivity=values["sensitivity"],
            state=values["state"],
            decided_by=values["decided_by"],
            decided_at=values["seen_at"] if values["state"] != "proposed" else None,
        )
    return sighting_id


def finish_check(owner: Any, check_id: UUID, verdict: str, at: datetime) -> None:
    """The crawl's answer to a look that was asked for."""
    with owner():
        crawl.Check.objects.filter(id=check_id).update(verdict=verdict, done_at=at, detail="arranged")
