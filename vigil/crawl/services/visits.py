"""What a visit found is recorded here, under the lease: one transaction that either all counts or, coming late, not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from vigil.core.actors import process_actor
from vigil.core.events import emit
from vigil.core.ids import new_id
from vigil.crawl.fetch.outcomes import Outcome
from vigil.crawl.models import Candidate, Host, Place, Reading, Seed, Shown, Visit
from vigil.crawl.services.declared import record_declared_matches
from vigil.crawl.services.leases import Lease, hold
from vigil.crawl.services.places import KnownPlace, NewPlace, hurry, insert_places, lock_hosts, make_due
from vigil.crawl.services.sightings import record_sightings, wait_for_matching_again, worth_believing
from vigil.lists import selectors as lists
from vigil.matching import services as matching

CRAWLER = process_actor("crawl")
RETRY_FIRST_SECONDS = 60.0
#: Outcomes after which the same look may well succeed a little later.
PASSING = frozenset(
    {
        Outcome.DEAD_HOST, Outcome.TIMEOUT, Outcome.TOO_MANY_REQUESTS, Outcome.SERVER_ERROR, Outcome.CONNECTION_BROKEN,
        Outcome.TLS_FAILED, Outcome.ROBOTS_UNAVAILABLE, Outcome.NOT_READ,
    }
)  # fmt: skip
#: Outcomes that say something about the whole host: its other places wait too.
OF_THE_HOST = frozenset({Outcome.DEAD_HOST, Outcome.ROBOTS_UNAVAILABLE, Outcome.BLOCKED_ADDRESS})


@dataclass(frozen=True, slots=True)
class VisitResult:
    """What one visit found. `picture` and `answer` belong together; a page has links instead."""

    outcome: Outcome
    kind: str = Place.Kind.UNKNOWN
    status: int = 0
    server_address: str = ""
    redirects: int = 0
    milliseconds: int = 0
    size_bytes: int = 0
    retry_after_seconds: float | None = None
    media: Sequence[NewPlace] = field(default_factory=tuple)
    pages: Sequence[NewPlace] = field(default_factory=tuple)
    picture: matching.PictureFacts | None = None
    answer: matching.Answer | None = None


def record_visit(*, lease: Lease, place_id: UUID, result: VisitResult, at: datetime) -> list[UUID]:
    """Record a visit under a lease; returns the new sightings. Raises StaleLease, and then nothing has changed.

    Safe to repeat: a visit that was killed before its end is made again after the lease, and nothing counts twice.
    """
    with transaction.atomic():
        if result.picture is not None:
            wait_for_matching_again()
        known = insert_places([*result.media, *result.pages], at=at)
        lock_hosts([lease.host_id, *(place.host_id for place in known.values())])
        hold(lease)
        place = Place.objects.get(id=place_id, host_id=lease.host_id)
        _record_look(place, lease, result, at)
        if result.kind == Place.Kind.PAGE and result.outcome is Outcome.OK:
            _record_links(place, result, known, at)
        _settle_seeds(place, result, at)
        make_due((target.host_id for target in known.values() if target.host_id != lease.host_id), at=at)
        return _record_picture(place, result, at) if result.picture is not None else []


def _record_look(place: Place, lease: Lease, result: VisitResult, at: datetime) -> None:
    Visit.objects.bulk_create(
        [
            Visit(
                id=new_id(), place=place, at=at, outcome=result.outcome, status=result.status,
                server_address=result.server_address or None, redirects=result.redirects, milliseconds=result.milliseconds,
                size_bytes=result.size_bytes, fence=lease.fence,
            )
        ]
    )  # fmt: skip
    is_passing = result.outcome in PASSING
    place.failures = place.failures + 1 if is_passing else 0
    place.next_at = next_look(result.outcome, place.failures, at)
    place.tried_at, place.outcome, place.is_urgent = at, result.outcome, False
    if result.kind != Place.Kind.UNKNOWN:
        place.kind = result.kind
    place.save(update_fields=["failures", "next_at", "tried_at", "outcome", "is_urgent", "kind"])
    if result.outcome in OF_THE_HOST:
        Place.objects.filter(host_id=lease.host_id, next_at__lte=at, is_urgent=False).update(next_at=place.next_at)
    _record_host(lease, result)


def _record_host(lease: Lease, result: VisitResult) -> None:
    if result.outcome in OF_THE_HOST:
        Host.objects.filter(id=lease.host_id).update(failures=F("failures") + 1)
    elif lease.failures:
        Host.objects.filter(id=lease.host_id).update(failures=0)
    if result.retry_after_seconds and result.outcome in PASSING:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE crawl_host SET not_before = clock_timestamp() + make_interval(secs => %s::double precision) WHERE id = %s",
                [result.retry_after_seconds, lease.host_id],
            )


def next_look(outcome: Outcome, failures: int, at: datetime) -> datetime:
    """When to look again: at the next round, or sooner (1, 4, 16 ... minutes) after what may pass."""
    usual = float(settings.CRAWL_REVISIT_SECONDS)
    if outcome not in PASSING:
        return at + timedelta(seconds=usual)
    return at + timedelta(seconds=min(RETRY_FIRST_SECONDS * 4 ** max(0, min(failures - 1, 8)), usual))


def _record_links(place: Place, result: VisitResult, known: dict[bytes, KnownPlace], at: datetime) -> None:
    media_ids = sorted({known[new.url_digest].id for new in result.media} - {place.id})
    with connection.cursor() as cursor:
        for media_id in media_ids:
            cursor.execute(
                "INSERT INTO crawl_shown (id, page_id, media_id, seen_at) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (page_id, media_id) DO UPDATE SET seen_at = EXCLUDED.seen_at",
                [new_id(), place.id, media_id, at],
            )
    if Seed.objects.filter(place=place, incident_id__isnull=False, done_at=None).exists():
        # An incident waits for these pictures: look at them now, whenever they were seen last.
        hurry(media_ids, at=at)
        make_due(set(Place.objects.filter(id__in=media_ids).values_list("host_id", flat=True)), at=at, is_urgent=True)


def _record_picture(place: Place, result: VisitResult, at: datetime) -> list[UUID]:
    picture, answer = result.picture, result.answer
    assert picture is not None and answer is not None
    feed_version = lists.feed_version()
    if answer.feed_version < feed_version:
        # The list changed between the look-up and now: ask again, while nothing can be published past us.
        answer = matching.lookup(pdqs=picture.pdq_orientations, sha256=picture.sha256)
    reading = Reading(
        place=place, sha256=picture.sha256, md5=picture.md5, pdqs=b"".join(picture.pdq_orientations),
        quality=picture.quality, width=picture.width, height=picture.height, read_at=at,
        server_address=result.server_address or None, matched_version=answer.feed_version,
        is_late=answer.feed_version < feed_version,
    )  # fmt: skip
    changing = [field.name for field in Reading._meta.fields if not field.primary_key]
    Reading.objects.bulk_create([reading], update_conflicts=True, unique_fields=["place"], update_fields=changing)
    found = record_sightings(
        place_id=place.id, hits=worth_believing(answer.hits, picture.quality), feed_version=answer.feed_version,
        server_address=result.server_address or None, seen_at=at, at=at, actor=CRAWLER,
    )  # fmt: skip
    record_declared_matches(reading, actor=CRAWLER, at=at)
    return found


# ---- incidents wait for their places -------------------------------------------------------------------------------------
def _settle_seeds(place: Place, result: VisitResult, at: datetime) -> None:
    """Note what was found for each incident that named this place, or a page that shows it; say so when all was tried."""
    own = list(Seed.objects.select_for_update().filter(place=place, done_at=None).order_by("id"))
    for seed in own:
        seed.seen_at, seed.outcome = at, result.outcome
        seed.save(update_fields=["seen_at", "outcome"])
        if result.picture is not None and seed.incident_id is not None:
            _record_candidate(seed.incident_id, place, None, result.picture, at)
    waiting = Seed.objects.select_for_update(of=("self",)).filter(
        place__shows__media=place, done_at=None, seen_at__isnull=False, incident_id__isnull=False
    )
    shown_for = [seed for seed in waiting.order_by("id") if seed.place_id != place.id]
    for seed in shown_for:
        if result.picture is not None and seed.incident_id is not None:
            _record_candidate(seed.incident_id, place, seed.place_id, result.picture, at)
    for seed in {seed.id: seed for seed in [*own, *shown_for]}.values():
        if not _is_waiting(seed):
            seed.done_at = at
            seed.save(update_fields=["done_at"])
            if seed.incident_id is not None:
                emit("crawl.candidates_found", seed.incident_id, actor=CRAWLER, at=at)


def _is_waiting(seed: Seed) -> bool:
    """Whether a picture that the page showed at its last look has not been tried since."""
    seen_at = seed.seen_at
    if seed.outcome != Outcome.OK or seen_at is None:
        return False
    tried = Shown.objects.filter(page_id=seed.place_id, seen_at__gte=seen_at).values_list("media__tried_at", flat=True)
    return any(tried_at is None or tried_at < seen_at for tried_at in tried)


def _record_candidate(
    incident_id: UUID, place: Place, page_place_id: UUID | None, picture: matching.PictureFacts, at: datetime
) -> None:
    Candidate.objects.bulk_create(
        [
            Candidate(
                id=new_id(), incident_id=incident_id, place=place, page_place_id=page_place_id, sha256=picture.sha256,
                md5=picture.md5, pdq=picture.pdq_orientations[0], quality=picture.quality, width=picture.width,
                height=picture.height, seen_at=at,
            )
        ],
        ignore_conflicts=True,
    )  # fmt: skip
