"""Places and hosts enter the frontier here, whoever names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from vigil.core.addresses import host_of, normalise
from vigil.core.crypto import CrawlKey
from vigil.core.ids import new_id
from vigil.crawl.models import Host, Place

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NewPlace:
    """An address for the frontier, sealed: nothing here can be read without the crawl's key."""

    url_digest: bytes
    url_sealed: bytes
    host_digest: bytes
    host_sealed: bytes
    kind: str = Place.Kind.UNKNOWN
    depth: int = 0


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A place's id and its host's."""

    id: UUID
    host_id: UUID


def sealed(key: CrawlKey, url: str, *, kind: str, depth: int) -> NewPlace:
    """Seal an address for the frontier. Raises Invalid when it is not an address of the web."""
    url = normalise(url)
    host = host_of(url)
    return NewPlace(key.digest(url), key.seal(url), key.host_digest(host), key.seal(host), kind, depth)


def insert_places(places: Sequence[NewPlace], *, at: datetime) -> dict[bytes, KnownPlace]:
    """Add what is new, due now; what is known stays as it is. Returns every place by its digest.

    Every transaction of this room first inserts (in the order of the digests), then locks hosts (in the order of their ids),
    then touches places, seeds and the rest: so two of them never wait for each other.
    """
    if not places:
        return {}
    hosts = {place.host_digest: place for place in places}
    Host.objects.bulk_create(
        [
            Host(
                id=new_id(),
                digest=digest,
                sealed=hosts[digest].host_sealed,
                due_at=at,
                not_before=LONG_AGO,
                lease_until=LONG_AGO,
            )
            for digest in sorted(hosts)
        ],
        ignore_conflicts=True,
    )
    host_ids = {
        bytes(digest): host_id
        for digest, host_id in Host.objects.filter(digest__in=list(hosts)).values_list("digest", "id")
    }
    by_digest = {place.url_digest: place for place in places}
    Place.objects.bulk_create(
        [
            Place(
                id=new_id(), host_id=host_ids[place.host_digest], url_digest=digest, url_sealed=place.url_sealed, kind=place.kind,
                depth=place.depth, next_at=at, found_at=at,
            )
            for digest, place in sorted(by_digest.items())
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    rows = Place.objects.filter(url_digest__in=list(by_digest)).values_list("url_digest", "id", "host_id")
    return {bytes(digest): KnownPlace(place_id, host_id) for digest, place_id, host_id in rows}


def lock_hosts(host_ids: Iterable[UUID]) -> None:
    """Lock hosts until the transaction ends, in one order for everybody. New places may still refer to them meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM crawl_host WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [sorted(set(host_ids))]
        )


def make_due(host_ids: Iterable[UUID], *, at: datetime, is_urgent: bool = False) -> None:
    """Wake (locked) hosts: something of theirs is due at `at`."""
    ids = sorted(set(host_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crawl_host SET due_at = LEAST(due_at, %s), is_urgent = is_urgent OR %s WHERE id = ANY(%s)",
            [at, is_urgent, ids],
        )


def hurry(place_ids: Sequence[UUID], *, at: datetime, depth: int | None = None) -> None:
    """Let (locked hosts') places be visited before everything else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crawl_place SET next_at = LEAST(next_at, %s), is_urgent = true, depth = LEAST(depth, %s) WHERE id = ANY(%s)",
            [at, 32_000 if depth is None else depth, list(place_ids)],
        )
