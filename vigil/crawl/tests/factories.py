"""Valid rows for this room's tests; the test states only what matters to it."""

from __future__ import annotations

from uuid import UUID

from vigil.accounts.factories import make_person
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.core.crypto import CrawlKey
from vigil.core.ids import new_id
from vigil.core.keyd import SealedPlace
from vigil.crawl import selectors, services
from vigil.crawl.crawler import Crawler
from vigil.lists import services as lists
from vigil.matching import services as matching

CRAWLER = process_actor("crawl")


def sealed_link(key: CrawlKey, url: str) -> SealedPlace:
    """What the key process makes of a reported link."""
    place = services.sealed(key, url, kind="unknown", depth=0)
    return SealedPlace(
        link_id=new_id(), url_digest=place.url_digest, url_sealed=place.url_sealed, host_digest=place.host_digest,
        host_sealed=place.host_sealed,
    )  # fmt: skip


def report(key: CrawlKey, *urls: str) -> UUID:
    """An incident whose reported places are to be looked at; its id."""
    incident_id = new_id()
    services.seed_places(
        actor=make_person(), incident_id=incident_id, places=[sealed_link(key, url) for url in urls], at=clock.now()
    )
    return incident_id


def published(data: bytes | None = None, *, candidate: selectors.CandidateView | None = None, **changes) -> UUID:
    """A published entry of a picture (or of a candidate), proposed and assessed by three people; its id."""
    if candidate is None:
        facts = matching.read_picture(data)
        values = {"sha256": facts.sha256, "md5": facts.md5, "pdq": facts.pdq, "quality": facts.quality}
        values |= {"candidate_id": new_id(), "place_id": new_id(), "incident_id": new_id()}
    else:
        values = {"sha256": candidate.sha256, "md5": candidate.md5, "pdq": candidate.pdq, "quality": candidate.quality}
        values |= {"candidate_id": candidate.id, "place_id": candidate.place_id, "incident_id": candidate.incident_id}
    analyst = make_person(clearance=3)
    entry = lists.propose_entry(
        actor=analyst, candidate=lists.CandidateFacts(case_id=None, **values, **changes), classification="baseline",
        at=clock.now(),
    )  # fmt: skip
    for _ in range(2):
        assessor = make_person(roles={"assessor"}, clearance=3)
        ticket = lists.start_look(actor=assessor, entry_id=entry.id, at=clock.now())
        lists.mark_look_delivered(actor=assessor, look_id=ticket.id, at=clock.now())
        lists.decide_assessment(actor=assessor, entry_id=entry.id, verdict="illegal", at=clock.now())
    return entry.id


def work_until_idle(crawler: Crawler, *, leases: int = 5000) -> int:
    """Crawl until nothing is due; how many places were visited."""
    places = 0
    for _ in range(leases):
        worked = crawler.work_once()
        if worked is None:
            return places
        places += worked.places
    raise AssertionError("the crawl does not come to an end")
