"""Reported places: each ends with a clear outcome that staff can see, and the incident hears of it once."""

from __future__ import annotations

import pytest

from vigil.core import clock
from vigil.core.ids import new_id
from vigil.core.keyd import SealedPlace
from vigil.core.models import Event
from vigil.crawl import selectors, services
from vigil.crawl.crawler import Crawler
from vigil.crawl.models import Place, Seed
from vigil.crawl.tests.factories import report, sealed_link, work_until_idle

# What staff see for the reported page, and for the pictures on it.
TROUBLES = {
    "redirect_loop": ("redirect_loop", []),
    "private_redirect": ("blocked_address", []),
    "dead_host": ("dead_host", []),
    "slow": ("timeout", []),
    "server_error": ("server_error", []),
    "not_found": ("not_found", []),
    "robots_refused": ("robots_refused", []),
    "gzip_bomb": ("too_large", []),
    "truncated": ("ok", ["undecodable"]),
    "bomb": ("ok", ["too_large"]),
}


def heard(incident_id):
    return Event.objects.filter(kind="crawl.candidates_found", subject_id=incident_id).count()


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_each_trouble_is_visible_to_staff_and_the_crawl_goes_on(trouble, world, key, lookout, role, owner):
    with owner():
        incident_id = report(key, world.troubles[trouble], world.originals[3].page_url)
    with role("vigil_crawl"):
        work_until_idle(Crawler(key, lookout))

    outcome, pictures = TROUBLES[trouble]
    reported, good = sorted(
        selectors.places_for(incident_id), key=lambda place: place.outcome == "ok" and place.pictures != ()
    )
    if trouble in {"truncated", "bomb"}:
        reported = next(place for place in (reported, good) if [p.outcome for p in place.pictures] == pictures)
    assert reported.outcome == outcome
    assert [picture.outcome for picture in reported.pictures] == pictures
    assert reported.done_at is not None
    assert selectors.candidates_for(incident_id)
    assert heard(incident_id) == 2


def test_asked_again_the_place_is_looked_at_again(world, key, lookout, role, owner, make_person):
    incident_id, link = new_id(), sealed_link(key, world.originals[4].page_url)
    arguments = {"actor": make_person(), "incident_id": incident_id, "places": [link]}
    for round_number in (1, 2):
        with role("vigil_console"):
            services.seed_places(**arguments, at=clock.now())
        with role("vigil_crawl"):
            work_until_idle(Crawler(key, lookout))
        assert heard(incident_id) == round_number
        clock.advance(60)

    assert world.requests[_path(world.originals[4].page_url)] == 2
    assert world.requests[_path(world.originals[4].url)] == 2
    found = selectors.candidates_for(incident_id)
    assert len(found) == len({candidate.place_id for candidate in found})


def test_two_incidents_with_one_place_each_get_its_candidates(world, key, lookout, role, owner):
    with owner():
        one, two = report(key, world.originals[4].page_url), report(key, world.originals[4].page_url)
    with role("vigil_crawl"):
        work_until_idle(Crawler(key, lookout))

    assert Place.objects.filter(seeds__incident_id__in=[one, two]).distinct().count() == 1
    assert [c.sha256 for c in selectors.candidates_for(one)] == [c.sha256 for c in selectors.candidates_for(two)] != []
    assert (heard(one), heard(two)) == (1, 1)


@pytest.mark.parametrize("door", ["vigil_console", "vigil_worker"])
def test_staff_and_jobs_may_seed_and_unusable_links_are_left_out(door, key, role, owner, make_person, audit_rows):
    incident_id, actor = new_id(), make_person()
    links = [sealed_link(key, "http://pictures.example/a"), SealedPlace(link_id=new_id(), error="address.not_web")]
    with role(door):
        ids = services.seed_places(actor=actor, incident_id=incident_id, places=links, at=clock.now())

    assert len(ids) == 1
    assert Seed.objects.get(incident_id=incident_id).place_id == ids[0]
    assert [row["action"] for row in audit_rows(incident_id)] == ["crawl.seed"]


@pytest.mark.parametrize("door", ["vigil_public", "vigil_wire", "vigil_index", "vigil_stats", "vigil_partner"])
def test_other_doors_cannot_seed(door, key, role, owner, make_person):
    from django.db import ProgrammingError

    actor = make_person()
    with pytest.raises(ProgrammingError), role(door):
        links = [sealed_link(key, "http://pictures.example/a")]
        services.seed_places(actor=actor, incident_id=new_id(), places=links, at=clock.now())


def test_the_frontier_holds_no_address_that_can_be_read(world, key, lookout, role, owner):
    from django.db import connection

    with owner():
        report(key, world.originals[5].page_url)
    with role("vigil_crawl"):
        work_until_idle(Crawler(key, lookout))

    with owner(), connection.cursor() as cursor:
        for table in ("host", "place", "seed", "shown", "visit", "reading", "candidate", "sighting", "check"):
            cursor.execute(f"SELECT t::text FROM crawl_{table} t")
            for (text,) in cursor.fetchall():
                assert "localhost" not in text
                assert b"localhost".hex() not in text


def _path(url):
    return url.partition("//")[2].replace(":" + url.split(":")[2].partition("/")[0], "")
