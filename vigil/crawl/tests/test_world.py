"""The whole crawl of the loopback web: everything that hides there is found, nothing else."""

from __future__ import annotations

import hashlib

from vigil.core import clock
from vigil.crawl import selectors, services
from vigil.crawl.crawler import Crawler
from vigil.crawl.models import Place, Sighting, Visit
from vigil.crawl.tests.factories import CRAWLER, published, report, work_until_idle


def sightings_by_url(key):
    """(address, sha256 of the entry) of every sighting."""
    return {
        (key.open(bytes(row.place.url_sealed)), bytes(row.entry.sha256).hex())
        for row in Sighting.objects.select_related("place", "entry")
    }


def expected(world, digests):
    return {(url, digests[listed]) for url, listed in world.expected_sightings()}


def listed_digests(world):
    return {original.listed: original.sha256 for original in world.originals}


def test_the_crawl_finds_every_planted_copy_and_nothing_else(world, key, lookout, role, owner):
    with owner():
        for original in world.originals:
            published(world.picture_at(original.url))
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=world.watch_seeds, at=clock.now())
        visited = work_until_idle(Crawler(key, lookout))

    assert sightings_by_url(key) == expected(world, listed_digests(world))
    assert visited > 600
    assert Visit.objects.count() == visited == Place.objects.filter(tried_at__isnull=False).count()
    by_form = {copy.url: copy.form for copy in [*world.originals, *world.copies]}
    for sighting in Sighting.objects.select_related("place"):
        form = by_form[key.open(bytes(sighting.place.url_sealed))]
        assert (sighting.match == "exact") == (form in {"original", "exact"})
        assert sighting.state == ("confirmed" if sighting.match == "exact" else "proposed")


def test_what_robots_txt_closes_is_never_asked_for(world, key, lookout, role, owner):
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=world.watch_seeds[:1], at=clock.now())
        work_until_idle(Crawler(key, lookout))

    assert world.requests["pictures-1.localhost/robots.txt"] == 1
    assert not [path for path in world.requests if "/album-4/" in path or "/files/4/" in path]
    refused = Place.objects.filter(outcome="robots_refused")
    assert refused.exists()


def test_an_entry_published_later_is_found_at_places_already_crawled_once(world, key, lookout, role, owner):
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=world.watch_seeds, at=clock.now())
        work_until_idle(Crawler(key, lookout))
    assert not Sighting.objects.exists()
    asked = sum(world.requests.values())
    with owner():
        entries = [published(world.picture_at(original.url)) for original in world.originals[:4]]

    with role("vigil_worker"):
        for _ in range(2):
            for entry_id in entries:
                services.match_again(entry_id=entry_id, at=clock.now())

    digests = listed_digests(world)
    assert sightings_by_url(key) == {(url, digests[listed]) for url, listed in world.expected_sightings({0, 1, 2, 3})}
    assert sum(world.requests.values()) == asked


def test_the_next_round_sees_what_is_new_and_counts_nothing_twice(world, key, lookout, role, owner, settings):
    original, place = world.originals[0], world.copies[0]
    with owner():
        published(world.picture_at(original.url))
    with role("vigil_crawl"):
        front = place.url.partition("/files/")[0] + "/"
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[front], at=clock.now())
        world.take_down(place.url)
        work_until_idle(Crawler(key, lookout))
        before = Sighting.objects.count()
        world.put_back(place.url)
        clock.advance(settings.CRAWL_REVISIT_SECONDS + 1)
        work_until_idle(Crawler(key, lookout))

    assert Sighting.objects.count() == before + 1
    assert len(sightings_by_url(key)) == before + 1


def test_a_reported_page_gives_the_incident_its_candidates(world, key, lookout, role, owner):
    original = world.originals[0]
    with owner():
        incident_id = report(key, original.page_url)
    with role("vigil_crawl"):
        work_until_idle(Crawler(key, lookout))

    found = selectors.candidates_for(incident_id)
    on_page = {place for place in found if place.sha256.hex() == original.sha256}
    assert len(on_page) == 1
    assert key.open(selectors.place(on_page.pop().place_id).url_sealed) == original.url
    (place,) = selectors.places_for(incident_id)
    assert place.outcome == "ok" and place.done_at is not None
    assert {picture.outcome for picture in place.pictures} == {"ok"}
    assert len(found) == len(place.pictures) < 6


def test_a_reported_picture_is_its_own_candidate(world, key, lookout, role, owner):
    with owner():
        incident_id = report(key, world.originals[1].url)
    with role("vigil_crawl"):
        work_until_idle(Crawler(key, lookout))

    (found,) = selectors.candidates_for(incident_id)
    assert found.sha256 == hashlib.sha256(world.picture_at(world.originals[1].url)).digest()
    assert found.page_place_id is None
