"""Where the crawl starts: reported places of an incident, and the operator's own list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from vigil.audit import services as audit
from vigil.core.actors import Actor
from vigil.core.crypto import CrawlKey
from vigil.core.errors import Invalid
from vigil.core.ids import new_id
from vigil.core.keyd import SealedPlace
from vigil.crawl.services.places import KnownPlace, NewPlace, hurry, insert_places, lock_hosts, make_due, sealed


def seed_places(*, actor: Actor, incident_id: UUID, places: Sequence[SealedPlace], at: datetime) -> list[UUID]:
    """Have an incident's reported places looked at soon; asked again, they are looked at again. Returns the places' ids.

    Links that the key process could not use (`error`) are left out. When all pictures of a place have been tried the event
    `crawl.candidates_found` (subject: the incident) follows. The caller has checked `incident.fetch`.
    """
    usable = [place for place in places if not place.error]
    new = [NewPlace(place.url_digest, place.url_sealed, place.host_digest, place.host_sealed) for place in usable]
    with transaction.atomic():
        known = insert_places(new, at=at)
        ids = [known[place.url_digest].id for place in new]
        _wake(known.values(), at=at)
        with connection.cursor() as cursor:
            for place_id in sorted(set(ids)):
                cursor.execute(
                    """INSERT INTO crawl_seed (id, place_id, incident_id, asked_at, outcome) VALUES (%s, %s, %s, %s, '')
                    ON CONFLICT (place_id, incident_id)
                    DO UPDATE SET asked_at = EXCLUDED.asked_at, seen_at = NULL, done_at = NULL, outcome = ''""",
                    [new_id(), place_id, incident_id, at],
                )
        audit.record(
            actor=actor, action="crawl.seed", subject_kind="incident", subject_id=incident_id, at=at,
            data={"places": [str(place_id) for place_id in ids], "unusable": len(places) - len(usable)},
        )  # fmt: skip
    return ids


def add_watch_seeds(*, actor: Actor, key: CrawlKey, urls: Sequence[str], at: datetime) -> int:
    """Add the operator's own places to watch (crawl process only: it alone has the key). Returns how many were usable."""
    new: list[NewPlace] = []
    for url in urls:
        try:
            new.append(sealed(key, url, kind="unknown", depth=0))
        except Invalid:
            continue
    if not new:
        return 0
    with transaction.atomic():
        known = insert_places(new, at=at)
        lock_hosts(place.host_id for place in known.values())
        make_due((place.host_id for place in known.values()), at=at)
        with connection.cursor() as cursor:
            for place in sorted(known.values(), key=lambda place: place.id):
                cursor.execute(
                    """INSERT INTO crawl_seed (id, place_id, incident_id, asked_at, outcome) VALUES (%s, %s, NULL, %s, '')
                    ON CONFLICT (place_id) WHERE incident_id IS NULL DO NOTHING""",
                    [new_id(), place.id, at],
                )
        audit.record(
            actor=actor,
            action="crawl.watch",
            subject_kind="crawl",
            subject_id=actor.id,
            at=at,
            data={"places": len(new)},
        )
    return len(new)


def _wake(known: Collection[KnownPlace], *, at: datetime) -> None:
    lock_hosts(place.host_id for place in known)
    hurry([place.id for place in known], at=at, depth=0)
    make_due((place.host_id for place in known), at=at, is_urgent=True)
