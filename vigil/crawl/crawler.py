"""The crawler's work: lease a host, look at what is due there, record it, give the host back. Several threads, one fetcher."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.utils import Error as DatabaseError

from vigil.core import clock
from vigil.core.crypto import CrawlKey, Undecryptable
from vigil.core.errors import Invalid, VigilError
from vigil.core.logs import log
from vigil.crawl import services
from vigil.crawl.errors import StaleLease
from vigil.crawl.extract import is_same_site
from vigil.crawl.fetch import Outcome
from vigil.crawl.looking import Expected, Look, Lookout
from vigil.crawl.services import DueCheck, DuePlace, Lease, NewPlace, VisitResult
from vigil.lists import selectors as lists
from vigil.matching import services as matching

PLACES_PER_LEASE = 40
IDLE_SECONDS = 0.5
WAIT_IN_LEASE_SECONDS = 2.0
REFUSED_HOST_REST_SECONDS = 5.0


@dataclass
class Worked:
    """What one lease brought."""

    places: int = 0
    checks: int = 0
    sightings: int = 0


class Crawler:
    """Works on leased hosts with the crawl's key. Any number of these, in any number of processes, share the frontier."""

    def __init__(self, key: CrawlKey, lookout: Lookout, *, name: str = "") -> None:
        self._key, self._lookout = key, lookout
        self._name = name or f"{socket.gethostname()[:32]}:{os.getpid()}:{threading.get_ident() % 10_000}"

    def work_once(self, *, limit: int = 1, stop: threading.Event | None = None) -> Worked | None:
        """Lease up to `limit` hosts and do what is due there. None when nothing was due."""
        leases = services.lease_hosts(worker=self._name, limit=limit, at=clock.now())
        total = Worked()
        for lease in leases:
            worked = Worked()
            self._work_on(lease, worked, stop)
            total = Worked(
                total.places + worked.places, total.checks + worked.checks, total.sightings + worked.sightings
            )
        return total if leases else None

    def _work_on(self, lease: Lease, worked: Worked, stop: threading.Event | None) -> None:
        delay = float(settings.CRAWL_MIN_DELAY_SECONDS)
        try:
            delay = self._checks(lease, worked, delay)
            if not (worked.checks and delay > WAIT_IN_LEASE_SECONDS):
                delay = self._places(lease, worked, delay, stop)
        except StaleLease:
            # Somebody else has the host now, and will do again what was not recorded.
            log.info("lease_lost", code=StaleLease.code)
            return
        services.release_host(lease, at=clock.now(), wait_seconds=delay)

    def _checks(self, lease: Lease, worked: Worked, delay: float) -> float:
        for number, check in enumerate(services.due_checks(lease, at=clock.now(), limit=PLACES_PER_LEASE)):
            if number and delay > WAIT_IN_LEASE_SECONDS:
                break
            url = self._key.open(check.url_sealed)
            delay = max(delay, self._lookout.robots.delay_for(url))
            if services.record_check(lease=lease, check_id=check.id, result=self._check(check, url), at=clock.now()):
                worked.checks += 1
            time.sleep(min(delay, WAIT_IN_LEASE_SECONDS))
        return delay

    def _check(self, check: DueCheck, url: str) -> services.CheckResult:
        expected = None
        if check.entry_id is not None:
            entry = lists.entry(check.entry_id)
            expected = Expected(entry.sha256, entry.pdq)
        page_url = self._key.open(check.page_sealed) if check.page_sealed is not None else ""
        return self._lookout.check(url, expected=expected, page_url=page_url)

    def _places(self, lease: Lease, worked: Worked, delay: float, stop: threading.Event | None) -> float:
        places = services.due_places(lease, at=clock.now(), limit=PLACES_PER_LEASE)
        for number, place in enumerate(places):
            if stop is not None and stop.is_set():
                break
            if number and delay > WAIT_IN_LEASE_SECONDS:
                break  # a patient host: others get their turn while it rests
            if number:
                time.sleep(delay)
            try:
                url = self._key.open(place.url_sealed)
            except Undecryptable:
                # Sealed under a key that we do not have: it waits like any other failure, and holds up nobody.
                services.record_visit(
                    lease=lease, place_id=place.id, result=VisitResult(Outcome.NOT_READ), at=clock.now()
                )
                continue
            result = self._visit(place, url)
            worked.sightings += len(
                services.record_visit(lease=lease, place_id=place.id, result=result, at=clock.now())
            )
            worked.places += 1
            if result.outcome in services.OF_THE_HOST:
                return max(delay, REFUSED_HOST_REST_SECONDS)
            delay = max(delay, self._lookout.robots.delay_for(url))
        return delay

    def _visit(self, place: DuePlace, url: str) -> VisitResult:
        look = self._lookout.look(url)
        answer = None
        if look.picture is not None:
            answer = matching.lookup(pdqs=look.picture.pdq_orientations, sha256=look.picture.sha256)
        media, pages = self._links(place, url, look)
        fetched = look.fetched
        return VisitResult(
            outcome=look.outcome, kind=look.kind, status=fetched.status, server_address=fetched.server_address,
            redirects=fetched.redirects, milliseconds=fetched.milliseconds, size_bytes=len(fetched.body),
            retry_after_seconds=fetched.retry_after_seconds, media=media, pages=pages, picture=look.picture, answer=answer,
        )  # fmt: skip

    def _links(self, place: DuePlace, url: str, look: Look) -> tuple[list[NewPlace], list[NewPlace]]:
        """Pictures of a page from wherever they come; pages of the same site only, down to the depth that is set.

        What was named as a picture and turns out to be a page leads nowhere: it is an error page or an advertisement.
        """
        if look.links is None or look.outcome is not Outcome.OK or place.kind == "image":
            return [], []
        media = self._sealed(look.links.media, "image", place.depth)
        if place.depth >= settings.CRAWL_MAX_DEPTH:
            return media, []
        base = look.fetched.url
        near = (link for link in look.links.pages if is_same_site(link, base))
        return media, self._sealed(near, "unknown", place.depth + 1)

    def _sealed(self, urls: Iterable[str], kind: str, depth: int) -> list[NewPlace]:
        found = []
        for url in urls:
            try:
                found.append(services.sealed(self._key, url, kind=kind, depth=depth))
            except Invalid:
                continue
        return found


def keep_working(crawler: Crawler, stop: threading.Event) -> None:
    """One thread of the crawl process: work until told to stop; a database that is away is waited for."""
    while not stop.is_set():
        try:
            close_old_connections()
            if crawler.work_once(stop=stop) is None:
                stop.wait(IDLE_SECONDS)
        except DatabaseError as exc:
            log.warning("crawl_waits", error=type(exc).__name__)
            connection.close()
            stop.wait(IDLE_SECONDS)
        except Exception as exc:
            log.warning("crawl_failed", error=exc.code if isinstance(exc, VigilError) else type(exc).__name__)
            stop.wait(IDLE_SECONDS)
    connection.close()
