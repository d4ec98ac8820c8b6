"""Matches against fingerprints that people declared of their own pictures. A match proposes work to a person, nothing more."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from vigil.audit import services as audit
from vigil.core.actors import Actor, process_actor
from vigil.core.events import emit
from vigil.core.ids import new_id
from vigil.crawl.errors import DeclaredMatchNotFound
from vigil.crawl.models import Candidate, DeclaredMatch, Reading, Shown
from vigil.crawl.services.sightings import MATCH_LOCK, orientations_of
from vigil.lists import selectors as lists
from vigil.matching import services as matching

WORKER = process_actor("worker")

_INSERT = """
INSERT INTO crawl_declaredmatch (id, place_id, page_place_id, declared_id, help_case_id, match, distance, orientation,
    feed_version, seen_at, sha256, md5, pdq, quality, width, height)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (place_id, declared_id) DO NOTHING
"""


def record_declared_matches(reading: Reading, *, actor: Actor, at: datetime) -> list[UUID]:
    """Compare what a place shows with the declared fingerprints and record what fits, each once for ever.

    Runs inside the transaction that records the reading, under the lock that matching again waits for.
    """
    pdqs = bytes(reading.pdqs)
    answer = matching.lookup_declared(pdqs=orientations_of(pdqs), quality=reading.quality, md5=bytes(reading.md5))
    if not answer.hits:
        return []
    page_id = Shown.objects.filter(media_id=reading.place_id).order_by("-seen_at").values_list("page_id", flat=True)
    page_place_id, found = page_id.first(), []
    for hit in answer.hits:
        match_id = new_id()
        with connection.cursor() as cursor:
            cursor.execute(
                _INSERT,
                [
                    match_id, reading.place_id, page_place_id, hit.declared_id, hit.case_id, hit.match, hit.distance,
                    hit.orientation, answer.feed_version, reading.read_at, bytes(reading.sha256), bytes(reading.md5),
                    pdqs[:32], reading.quality, reading.width, reading.height,
                ],
            )  # fmt: skip
            if cursor.rowcount != 1:
                continue
        emit("crawl.declared_match_found", match_id, actor=actor, at=at)
        found.append(match_id)
    for match_id in found:
        audit.record(actor=actor, action="declared.match", subject_kind="declared_match", subject_id=match_id, at=at)
    return found


@transaction.atomic
def match_declared_again(*, case_id: UUID, at: datetime) -> list[UUID]:
    """Compare what was crawled before a case's fingerprints were listed. Returns the new matches. For the worker."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MATCH_LOCK])
    wanted = lists.declared_of_case(case_id)
    if not wanted:
        return []
    found: list[UUID] = []
    for reading in matching.near_declared(wanted, Reading.objects.order_by("place_id").iterator(chunk_size=4096)):
        found += record_declared_matches(reading, actor=WORKER, at=at)
    return found


@transaction.atomic
def propose_candidate(*, match_id: UUID, incident_id: UUID, actor: Actor, at: datetime) -> bool:
    """Put what matched among an incident's candidates, where a person may propose it for the list. False when it is there.

    Raises DeclaredMatchNotFound.
    """
    match = DeclaredMatch.objects.filter(id=match_id).first()
    if match is None:
        raise DeclaredMatchNotFound(match_id)
    is_there = Candidate.objects.filter(
        incident_id=incident_id, place_id=match.place_id, sha256=bytes(match.sha256)
    ).exists()
    if is_there:
        return False
    Candidate.objects.bulk_create(
        [
            Candidate(
                id=new_id(), incident_id=incident_id, place_id=match.place_id, page_place_id=match.page_place_id,
                sha256=match.sha256, md5=match.md5, pdq=match.pdq, quality=match.quality, width=match.width,
                height=match.height, seen_at=match.seen_at,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    audit.record(
        actor=actor, action="declared.propose", subject_kind="declared_match", subject_id=match_id, at=at,
        data={"incident": str(incident_id)},
    )  # fmt: skip
    return True
