"""The verdict on a place: up, down or unknown; whatever fails is unknown, never down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from vigil.core import clock
from vigil.core.ids import new_id
from vigil.core.models import Event
from vigil.crawl import selectors, services
from vigil.crawl.crawler import Crawler
from vigil.crawl.looking import Expected
from vigil.crawl.models import Sighting
from vigil.crawl.tests.factories import CRAWLER, published, work_until_idle
from vigil.matching import services as matching
from vigil_demo.world.site import Answer

PAGE = b"<!doctype html><title>Words</title><h1>%s</h1><p>Some words stand here, and a few more of them follow.</p>"


@pytest.fixture
def original(world):
    return world.originals[2]


@pytest.fixture
def expected(world, original):
    facts = matching.read_picture(world.picture_at(original.url))
    return Expected(facts.sha256, facts.pdq)


def verdict(lookout, copy, expected):
    result = lookout.check(copy.url, expected=expected, page_url=copy.page_url)
    return result.verdict, result.detail


def test_the_same_file_is_up(lookout, original, expected):
    assert verdict(lookout, original, expected) == ("up", "same_file")


@pytest.mark.parametrize("form", ["rescaled", "recompressed", "mirrored", "rotated"])
def test_a_changed_copy_is_still_up(form, world, lookout, original, expected):
    copy = next(copy for copy in world.copies if copy.listed == original.listed and copy.form == form)

    assert verdict(lookout, copy, expected) == ("up", "near_match")


@pytest.mark.parametrize(("status", "detail"), [(404, "not_found"), (410, "gone")])
def test_a_place_that_says_it_is_gone_is_down(status, detail, world, lookout, original, expected):
    world.take_down(original.url, status)

    assert verdict(lookout, original, expected) == ("down", detail)


def test_another_picture_in_its_place_is_down(world, lookout, original, expected):
    other = world.picture_at(world.originals[5].url)
    world.answer_with(original.url, Answer(content_type="image/jpeg", body=other))

    assert verdict(lookout, original, expected) == ("down", "other_picture")


def test_a_host_that_says_not_found_with_200_is_down(world, lookout, original, expected):
    """Soft 404: what never existed gets the same page, and the page that showed the picture does not."""
    page = Answer(body=PAGE % b"Nothing here")
    world.answer_with(original.url, page)
    world.answer_unknown_with(page)

    assert verdict(lookout, original, expected) == ("down", "soft_404")


def test_a_wall_in_front_of_everything_is_unknown(world, lookout, original, expected):
    wall = Answer(body=PAGE % b"Are you old enough?")
    world.answer_all_with(wall)

    assert verdict(lookout, original, expected) == ("unknown", "wall")


def test_a_page_where_a_picture_was_is_unknown_when_the_host_knows_what_is_missing(world, lookout, original, expected):
    world.answer_with(original.url, Answer(body=PAGE % b"Please sign in"))

    assert verdict(lookout, original, expected) == ("unknown", "page_instead_of_picture")


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (Answer(500, body=b"x"), "server_error"),
        (Answer(503, body=b"x"), "server_error"),
        (Answer(429, body=b"x", headers=(("Retry-After", "5"),)), "too_many_requests"),
        (Answer(403, body=b"x"), "http_error"),
        (Answer(451, body=b"x"), "http_error"),
        (Answer(302, headers=(("Location", "http://10.0.0.1/"),)), "blocked_address"),
        (Answer(302, headers=(("Location", "?"),)), "redirect_loop"),
        (Answer(content_type="image/jpeg", body=b"\xff\xd8\xff\xe0 cut off"), "undecodable"),
        (Answer(content_type="image/jpeg", body=b""), "undecodable"),
        (Answer(content_type="application/octet-stream", body=b"other bytes"), "no_picture"),
        (Answer(content_type="image/jpeg", body=b"x" * 400, drip_seconds=60), "timeout"),
    ],
)  # fmt: skip
def test_whatever_fails_is_unknown(answer, detail, world, lookout, original, expected):
    world.answer_with(original.url, answer)

    assert verdict(lookout, original, expected) == ("unknown", detail)


def test_a_host_that_is_away_is_unknown(world, lookout, expected):
    result = lookout.check(world.troubles["dead_host"], expected=expected)

    assert (result.verdict, result.detail) == ("unknown", "dead_host")


def test_robots_txt_keeps_checks_out_too(world, lookout, original, expected):
    robots_url = original.url.partition("/files/")[0] + "/robots.txt"
    world.answer_with(robots_url, Answer(content_type="text/plain", body=b"User-agent: *\nDisallow: /files/\n"))

    assert verdict(lookout, original, expected) == ("unknown", "robots_refused")


def test_a_check_is_made_when_it_is_due_and_answered_once(world, key, lookout, role, owner, original):
    with owner():
        published(world.picture_at(original.url))
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[original.url], at=clock.now())
        work_until_idle(Crawler(key, lookout))
    sighting = Sighting.objects.get()
    with role("vigil_worker"):
        at = clock.now()
        now = services.ask_check(place_id=sighting.place_id, sighting_id=sighting.id, asked_for=new_id(), at=at)
        later = services.ask_check(
            place_id=sighting.place_id,
            sighting_id=sighting.id,
            asked_for=new_id(),
            at=at,
            due_at=at + timedelta(hours=6),
        )
    with role("vigil_crawl"):
        work_until_idle(Crawler(key, lookout))
        assert selectors.check(now.id).verdict == "up"
        assert selectors.check(later.id).done_at is None
        world.take_down(original.url)
        clock.advance(6 * 3600 + 1)
        work_until_idle(Crawler(key, lookout))

    done = selectors.check(later.id)
    assert (done.verdict, done.detail, done.status) == ("down", "gone", 410)
    assert Event.objects.filter(kind="crawl.check_done", subject_id__in=[now.id, later.id]).count() == 2


def test_a_late_answer_of_a_lost_lease_changes_nothing(world, key, role, owner, original):
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[original.url], at=clock.now())
        (old,) = services.lease_hosts(worker="one", limit=1, at=clock.now(), seconds=0)
        (place,) = services.due_places(old, at=clock.now(), limit=1)
    with role("vigil_worker"):
        check = services.ask_check(place_id=place.id, sighting_id=None, asked_for=new_id(), at=clock.now())
    with role("vigil_crawl"):
        services.lease_hosts(worker="two", limit=1, at=clock.now())
        result = services.CheckResult("down", "gone", "gone")
        with pytest.raises(services.StaleLease):
            services.record_check(lease=old, check_id=check.id, result=result, at=clock.now())

    assert selectors.check(check.id).done_at is None
