"""Image help becomes work for people: an incident where there is something to read, a proposal where a place shows what fits."""

from __future__ import annotations

import pytest

import ringmatch
from vigil.casework import services
from vigil.casework.models import Incident, Step
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.core.models import Event
from vigil.crawl import selectors as crawl_selectors
from vigil.crawl import services as crawl
from vigil.crawl.crawler import Crawler
from vigil.crawl.models import Candidate, DeclaredMatch, Sighting
from vigil.crawl.tests.conftest import fetcher, fresh_index, key, lookout, loopback_web, world
from vigil.crawl.tests.factories import CRAWLER, work_until_idle
from vigil.imagehelp import services as imagehelp
from vigil.imagehelp.tests.conftest import MD5, PDQ
from vigil.imagehelp.tests.factories import make_case, work
from vigil.intake import selectors as intake
from vigil.lists.models import Entry, FeedRow
from vigil.matching import services as matching
from vigil.matching.index.declared import DeclaredIndex

__all__ = ["fetcher", "fresh_index", "key", "lookout", "loopback_web", "world"]
#: All but what has links opened inside the key process, which needs one.
ROOMS = ("vigil.imagehelp", "vigil.lists", "vigil.casework", "vigil.crawl")
WORKER = process_actor("worker")


@pytest.fixture(autouse=True)
def fresh_declared_index(monkeypatch):
    monkeypatch.setattr(matching, "_declared", DeclaredIndex())


def turn() -> list[str]:
    return work(*ROOMS, without="known_places")


def incidents() -> list[Incident]:
    return list(Incident.objects.order_by("created_at"))


def test_a_child_with_a_link_becomes_an_incident_of_the_second_band(db, audit_rows):
    case_id, _number, _code = make_case(PDQ, links=["https://pictures.example/page/7"])
    turn()
    (incident,) = incidents()
    assert (incident.situation, incident.band, incident.sensitivity, incident.link_count) == ("shared_image", 1, 2, 1)
    assert "help_asked" in incident.reasons and incident.under_18
    report = intake.report_summary(incident.report_id)
    assert (report.question_set, report.link_count, report.source) == ("image_help", 1, "web")
    assert [row["action"] for row in audit_rows(incident.report_id)] == ["report.submit"]
    assert case_id != incident.report_id


def test_threats_are_an_incident_of_their_own_kind_and_an_adult_waits_longer(db):
    make_case(PDQ, threat="yes")
    make_case(PDQ, age="18_plus", links=["https://pictures.example/page/7"])
    turn()
    assert [(row.situation, row.band) for row in incidents()] == [("threat", 1), ("shared_image", 3)]
    assert "help_asked_adult" in incidents()[1].reasons


def test_fingerprints_alone_make_no_incident_whatever_they_are(db):
    make_case(PDQ, MD5)
    turn()
    assert incidents() == []


def test_opening_twice_makes_one_incident(db, role):
    case_id, _number, _code = make_case(PDQ, threat="yes")
    for _ in range(2):
        with role("vigil_worker"):
            services.open_incident_of_help_case(actor=WORKER, case_id=case_id, at=clock.now())
    assert len(incidents()) == 1


def fingerprint_of(data: bytes) -> str:
    made = ringmatch.pdq(data)
    return f"pdq:{made.hash.hex()}:{made.quality}"


@pytest.fixture
def a_copy(world):
    """A picture of the loopback web and a turned copy of it elsewhere."""
    original = world.originals[6]
    return original, next(copy for copy in world.copies if copy.listed == original.listed and copy.form == "rotated")


def crawl_both(a_copy, key, lookout, role):
    with role("vigil_crawl"):
        crawl.add_watch_seeds(actor=CRAWLER, key=key, urls=[copy.url for copy in a_copy], at=clock.now())
        work_until_idle(Crawler(key, lookout))


def assert_only_proposed(case_id):
    """Both places stand before a person as candidates, and nothing else has happened."""
    matches = crawl_selectors.declared_matches_of_case(case_id)
    assert len(matches) == 2 and min(match.distance for match in matches) <= 4
    (incident,) = incidents()
    assert {c.place_id for c in crawl_selectors.candidates_for(incident.id)} == {m.place_id for m in matches}
    assert Step.objects.filter(incident=incident, kind="declared_match").count() == 2
    assert "help_asked" in incident.reasons and incident.state == "open" and incident.claimed_by is None
    assert not Sighting.objects.exists() and not Entry.objects.exists() and not FeedRow.objects.exists()
    kinds = set(Event.objects.values_list("kind", flat=True))
    assert not {kind for kind in kinds if kind.startswith(("removal.", "referral.")) or "sighting" in kind}, kinds


def test_what_is_crawled_later_only_proposes(world, a_copy, key, lookout, role):
    case_id, _number, _code = make_case(fingerprint_of(world.picture_at(a_copy[0].url)))
    turn()
    crawl_both(a_copy, key, lookout, role)
    turn()
    assert_only_proposed(case_id)


def test_what_was_crawled_before_only_proposes(world, a_copy, key, lookout, role):
    crawl_both(a_copy, key, lookout, role)
    case_id, _number, _code = make_case(fingerprint_of(world.picture_at(a_copy[0].url)))
    turn()
    assert_only_proposed(case_id)


def test_what_was_taken_back_before_the_worker_came_proposes_nothing(world, a_copy, key, lookout, role):
    case_id, number, code = make_case(fingerprint_of(world.picture_at(a_copy[0].url)))
    work("vigil.imagehelp")
    crawl_both(a_copy, key, lookout, role)
    with role("vigil_public"):
        imagehelp.withdraw_case(number=number, code=code, at=clock.now())
    turn()
    assert DeclaredMatch.objects.filter(help_case_id=case_id).count() == 2
    assert incidents() == [] and not Candidate.objects.exists()


def test_a_withdrawn_fingerprint_matches_nothing_that_is_crawled_afterwards(world, a_copy, key, lookout, role):
    _case_id, number, code = make_case(fingerprint_of(world.picture_at(a_copy[0].url)))
    turn()
    with role("vigil_public"):
        imagehelp.withdraw_case(number=number, code=code, at=clock.now())
    crawl_both(a_copy, key, lookout, role)
    turn()
    assert not DeclaredMatch.objects.exists() and incidents() == []


def test_the_incident_page_leads_to_the_case_and_asks_nobody(db, console, make_person):
    _case_id, _number, _code = make_case(PDQ, threat="yes")
    turn()
    (incident,) = incidents()
    browser = console(make_person(roles={"intake_analyst"}, clearance=3))
    browser.post(f"/incidents/{incident.number}/claim")
    page = browser.get(f"/incidents/{incident.number}")
    assert page.status_code == 200 and b"/image-help/" in page.content
    assert b"/ask" not in page.content and b"A person asked for help with this picture." in page.content
