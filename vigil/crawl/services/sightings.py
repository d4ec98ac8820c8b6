"""Sightings: a place shows a listed picture. Exact ones are confirmed by rule, near ones by a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID

import numpy as np
from django.db import connection, transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.core.actors import Actor, process_actor
from vigil.core.events import emit
from vigil.core.ids import issue_number, new_id, random_number
from vigil.crawl.errors import SightingAlreadyDecided, SightingNotFound
from vigil.crawl.models import Reading, Shown, Sighting
from vigil.lists import selectors as lists
from vigil.matching import services as matching

MATCH_LOCK = 7_316_010
ORIENTATIONS = 8
MAX_DISTANCE_BITS = 31
# Below this PDQ says little: flat pictures look alike to it. An exact match counts whatever the quality. Source: PDQ's authors.
QUALITY_MINIMUM = 50
WORKER = process_actor("worker")

_Row = tuple[UUID, bytes | memoryview, bytes | memoryview, int, datetime, str | None]

_INSERT = """
INSERT INTO crawl_sighting (id, number, place_id, page_place_id, entry_id, match, distance, orientation, feed_version, seen_at,
    server_address, sensitivity, state, reason, decided_by, decided_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, NULL, %s)
ON CONFLICT (place_id, entry_id) DO NOTHING
"""


def wait_for_matching_again() -> None:
    """Taken by whoever records a picture, shared: matching a new entry against old readings (exclusive) never runs between
    a picture's look-up and its record, so no entry slips through between the two."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [MATCH_LOCK])


def record_sightings(
    *, place_id: UUID, hits: Iterable[matching.Hit], feed_version: int, server_address: str | None, seen_at: datetime,
    at: datetime, actor: Actor,
) -> list[UUID]:  # fmt: skip
    """Record what matched at a place, each entry once for ever. Returns the new ones. Only published entries count."""
    found: list[UUID] = []
    hits = list(hits)
    if not hits:
        return found
    pages = Shown.objects.filter(media_id=place_id).order_by("-seen_at").values_list("page_id", flat=True)
    page_place_id = pages.first()
    for hit in hits:
        entry = lists.entry(hit.entry_id)
        if entry.state != "published":
            continue
        sighting_id, number = new_id(), random_number()
        is_exact = hit.match == "exact"
        state, reason = (Sighting.State.CONFIRMED, "exact") if is_exact else (Sighting.State.PROPOSED, "")
        with connection.cursor() as cursor:
            cursor.execute(
                _INSERT,
                [
                    sighting_id, number, place_id, page_place_id, hit.entry_id, hit.match, hit.distance, hit.orientation,
                    feed_version, seen_at, server_address, entry.sensitivity, str(state), reason, at if is_exact else None,
                ],
            )  # fmt: skip
            if cursor.rowcount != 1:
                continue
        issue_number("sighting", sighting_id, number=number)
        emit("crawl.sighting_found", sighting_id, actor=actor, at=at)
        if is_exact:
            emit("crawl.sighting_confirmed", sighting_id, actor=actor, at=at)
        found.append(sighting_id)
    for sighting_id in found:
        audit.record(actor=actor, action="sighting.found", subject_kind="sighting", subject_id=sighting_id, at=at)
    return found


def confirm_sighting(*, actor: Actor, sighting_id: UUID, at: datetime) -> Sighting:
    """A person says that a near match is one. Raises SightingNotFound, NotPermitted, SightingAlreadyDecided."""
    return _decide(actor, sighting_id, Sighting.State.CONFIRMED, "person", at)


def reject_sighting(*, actor: Actor, sighting_id: UUID, at: datetime) -> Sighting:
    """A person says that a near match is none. Raises SightingNotFound, NotPermitted, SightingAlreadyDecided."""
    return _decide(actor, sighting_id, Sighting.State.REJECTED, "person", at)


@transaction.atomic
def _decide(actor: Actor, sighting_id: UUID, state: str, reason: str, at: datetime) -> Sighting:
    sighting = Sighting.objects.select_for_update(of=("self",)).filter(id=sighting_id).first()
    if sighting is None:
        raise SightingNotFound(sighting_id)
    require(actor, "sighting.confirm", sighting)
    if sighting.state != Sighting.State.PROPOSED:
        raise SightingAlreadyDecided(sighting_id)
    sighting.state, sighting.reason, sighting.decided_by, sighting.decided_at = state, reason, actor.id, at
    sighting.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    if state == Sighting.State.CONFIRMED:
        emit("crawl.sighting_confirmed", sighting.id, actor=actor, at=at)
    audit.record(
        actor=actor, action=f"sighting.{state}", subject_kind="sighting", subject_id=sighting.id, at=at,
        data={"distance": sighting.distance},
    )  # fmt: skip
    return sighting


@transaction.atomic
def close_for_withdrawn_entry(*, entry_id: UUID, at: datetime) -> int:
    """An entry was withdrawn: what still waits for a decision about it is rejected by rule. Returns how many."""
    waiting = Sighting.objects.select_for_update(of=("self",)).filter(entry_id=entry_id, state=Sighting.State.PROPOSED)
    ids = [sighting.id for sighting in waiting.order_by("id")]
    Sighting.objects.filter(id__in=ids).update(state=Sighting.State.REJECTED, reason="entry_withdrawn", decided_at=at)
    for sighting_id in ids:
        audit.record(
            actor=WORKER, action="sighting.rejected", subject_kind="sighting", subject_id=sighting_id, at=at,
            data={"reason": "entry_withdrawn"},
        )  # fmt: skip
    return len(ids)


# ---- an entry is published: it may have been seen before -----------------------------------------------------------------------
@transaction.atomic
def match_again(*, entry_id: UUID, at: datetime) -> list[UUID]:
    """Match everything that was read before against one entry, without a fetch. Returns the new sightings; safe to repeat.

    Exact: each of the eight orientations of every stored picture is compared with the entry's hash.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MATCH_LOCK])
    entry = lists.entry(entry_id)
    if entry.state != "published":
        return []
    feed_version = lists.feed_version()
    found: list[UUID] = []
    rows = Reading.objects.order_by("place_id").values_list(
        "place_id", "sha256", "pdqs", "quality", "read_at", "server_address"
    )
    for place_id, hit, read_at, server_address in _hits_among(rows.iterator(chunk_size=4096), entry):
        found += record_sightings(
            place_id=place_id, hits=[hit], feed_version=feed_version, server_address=server_address, seen_at=read_at, at=at,
            actor=WORKER,
        )  # fmt: skip
    return found


def _hits_among(
    rows: Iterator[_Row], entry: lists.EntryFacts
) -> Iterator[tuple[UUID, matching.Hit, datetime, str | None]]:
    wanted = np.frombuffer(entry.pdq, dtype=np.uint8)
    while batch := list(islice(rows, 4096)):
        stored = np.frombuffer(b"".join(bytes(row[2]) for row in batch), dtype=np.uint8).reshape(
            len(batch), ORIENTATIONS, 32
        )
        distances = np.bitwise_count(stored ^ wanted).sum(axis=2, dtype=np.int64)
        nearest = distances.argmin(axis=1)
        for row, orientation, distance in zip(batch, nearest, distances.min(axis=1), strict=True):
            place_id, sha256, _pdqs, quality, read_at, server_address = row
            if bytes(sha256) == entry.sha256:
                yield place_id, matching.Hit(entry.id, "exact", 0, 0), read_at, server_address
            elif distance <= MAX_DISTANCE_BITS and quality >= QUALITY_MINIMUM:
                yield place_id, matching.Hit(entry.id, "near", int(distance), int(orientation)), read_at, server_address


@transaction.atomic
def match_late_readings(*, at: datetime, limit: int = 200) -> list[UUID]:
    """Look up again what was recorded while the index was behind the list. Returns the new sightings."""
    late = (
        Reading.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(is_late=True)
        .order_by("read_at")[:limit]
    )
    found: list[UUID] = []
    for reading in late:
        pdqs = bytes(reading.pdqs)
        answer = matching.lookup(pdqs=orientations_of(pdqs), sha256=bytes(reading.sha256))
        if answer.feed_version < lists.feed_version():
            continue
        found += record_sightings(
            place_id=reading.place_id, hits=worth_believing(answer.hits, reading.quality), feed_version=answer.feed_version,
            server_address=reading.server_address, seen_at=reading.read_at, at=at, actor=WORKER,
        )  # fmt: skip
        reading.matched_version, reading.is_late = answer.feed_version, False
        reading.save(update_fields=["matched_version", "is_late"])
    return found


def worth_believing(hits: Iterable[matching.Hit], quality: int) -> list[matching.Hit]:
    """The hits of a picture of this PDQ quality, without near ones that its quality cannot carry."""
    return [hit for hit in hits if hit.match == "exact" or quality >= QUALITY_MINIMUM]


def orientations_of(pdqs: bytes) -> list[bytes]:
    """The eight hashes of a stored reading."""
    return [pdqs[start : start + 32] for start in range(0, 32 * ORIENTATIONS, 32)]
