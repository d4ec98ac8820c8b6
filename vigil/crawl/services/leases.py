"""Leases of hosts: the only durable state of the crawl. SKIP LOCKED hands each host to one crawler; a fencing number that
grows with each lease makes every late write of an earlier holder change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from vigil.crawl.errors import StaleLease
from vigil.crawl.models import Place

NEVER = timedelta(days=36_500)

_LEASE = """
UPDATE crawl_host AS h
SET lease_until = clock_timestamp() + make_interval(secs => %s::double precision), fence = h.fence + 1, leased_by = %s
FROM (
    SELECT id FROM crawl_host
    WHERE due_at <= %s AND lease_until <= clock_timestamp() AND not_before <= clock_timestamp()
    ORDER BY is_urgent DESC, due_at
    LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
) AS due
WHERE h.id = due.id
RETURNING h.id, h.sealed, h.fence, h.failures
"""

_RELEASE = """
UPDATE crawl_host AS h
SET lease_until = clock_timestamp(),
    not_before = GREATEST(h.not_before, clock_timestamp() + make_interval(secs => %s::double precision)),
    due_at = LEAST(
        COALESCE((SELECT min(p.next_at) FROM crawl_place p WHERE p.host_id = h.id), %s::timestamptz),
        COALESCE((SELECT min(c.due_at) FROM crawl_check c JOIN crawl_place p ON p.id = c.place_id
                  WHERE p.host_id = h.id AND c.done_at IS NULL), %s::timestamptz)),
    is_urgent = EXISTS (SELECT 1 FROM crawl_place p WHERE p.host_id = h.id AND p.is_urgent)
        OR EXISTS (SELECT 1 FROM crawl_check c JOIN crawl_place p ON p.id = c.place_id WHERE p.host_id = h.id AND c.done_at IS NULL)
WHERE h.id = %s AND h.fence = %s
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one host until `lease_until`, renewed by each recorded visit."""

    host_id: UUID
    host_sealed: bytes
    fence: int
    failures: int = 0


@dataclass(frozen=True, slots=True)
class DuePlace:
    """A place of a leased host whose time has come."""

    id: UUID
    url_sealed: bytes
    kind: str
    depth: int
    is_urgent: bool
    failures: int


@dataclass(frozen=True, slots=True)
class DueCheck:
    """A check of a leased host's place whose time has come."""

    id: UUID
    place_id: UUID
    url_sealed: bytes
    sighting_id: UUID | None
    entry_id: UUID | None
    page_sealed: bytes | None


def lease_hosts(*, worker: str, limit: int, at: datetime, seconds: float | None = None) -> list[Lease]:
    """Lease up to `limit` hosts that have something due at `at` and are nobody's now: urgent ones first, then the oldest."""
    seconds = settings.CRAWL_LEASE_SECONDS if seconds is None else seconds
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEASE, [float(seconds), worker, at, limit])
        rows = cursor.fetchall()
    return [Lease(host_id, bytes(sealed), fence, failures) for host_id, sealed, fence, failures in rows]


def due_places(lease: Lease, *, at: datetime, limit: int) -> list[DuePlace]:
    """What to visit on a leased host, urgent places first."""
    rows = (
        Place.objects.filter(host_id=lease.host_id, next_at__lte=at)
        .order_by("-is_urgent", "next_at", "depth")
        .values_list("id", "url_sealed", "kind", "depth", "is_urgent", "failures")[:limit]
    )
    return [DuePlace(row[0], bytes(row[1]), *row[2:]) for row in rows]


def due_checks(lease: Lease, *, at: datetime, limit: int) -> list[DueCheck]:
    """Which checks to make on a leased host."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.id, p.id, p.url_sealed, s.id, s.entry_id, page.url_sealed
            FROM crawl_check c JOIN crawl_place p ON p.id = c.place_id
            LEFT JOIN crawl_sighting s ON s.id = c.sighting_id LEFT JOIN crawl_place page ON page.id = s.page_place_id
            WHERE p.host_id = %s AND c.done_at IS NULL AND c.due_at <= %s ORDER BY c.due_at LIMIT %s""",
            [lease.host_id, at, limit],
        )
        rows = cursor.fetchall()
    return [DueCheck(row[0], row[1], bytes(row[2]), row[3], row[4], bytes(row[5]) if row[5] else None) for row in rows]


def hold(lease: Lease) -> None:
    """Renew a (locked) lease, or raise StaleLease when somebody else has it: then nothing may be written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crawl_host SET lease_until = clock_timestamp() + make_interval(secs => %s::double precision) "
            "WHERE id = %s AND fence = %s",
            [float(settings.CRAWL_LEASE_SECONDS), lease.host_id, lease.fence],
        )
        if cursor.rowcount != 1:
            raise StaleLease()


def release_host(lease: Lease, *, at: datetime, wait_seconds: float) -> bool:
    """Give a host back, to rest for `wait_seconds` of real time. False when the lease was lost: then nothing changes."""
    far = at + NEVER
    with transaction.atomic(), connection.cursor() as cursor:
        # Locked first, so that the update below sees the places of everybody who held the lock before.
        cursor.execute("SELECT 1 FROM crawl_host WHERE id = %s FOR NO KEY UPDATE", [lease.host_id])
        cursor.execute(_RELEASE, [float(wait_seconds), far, far, lease.host_id, lease.fence])
        return cursor.rowcount == 1
