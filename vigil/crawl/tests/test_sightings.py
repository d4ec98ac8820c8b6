"""Sightings: exact by rule, near by a person, once per place and entry, gone with a withdrawn entry."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from vigil.accounts.errors import ActionNotPermitted
from vigil.core import clock
from vigil.core.ids import resolve_number
from vigil.core.models import Event
from vigil.crawl import jobs, selectors, services
from vigil.crawl.crawler import Crawler
from vigil.crawl.errors import SightingAlreadyDecided, SightingNotFound
from vigil.crawl.models import Reading, Sighting
from vigil.crawl.tests.factories import CRAWLER, published, work_until_idle
from vigil.lists import services as lists


@pytest.fixture
def seen(world, key, lookout, role, owner):
    """An entry seen at two places, exactly and nearly: (entry id, exact sighting, near sighting)."""

    def see(sensitivity=1):
        original = world.originals[6]
        near = next(copy for copy in world.copies if copy.listed == original.listed and copy.form == "rotated")
        with owner():
            entry_id = published(world.picture_at(original.url), sensitivity=sensitivity)
        with role("vigil_crawl"):
            services.add_watch_seeds(actor=CRAWLER, key=key, urls=[original.url, near.url], at=clock.now())
            work_until_idle(Crawler(key, lookout))
        return entry_id, Sighting.objects.get(match="exact"), Sighting.objects.get(match="near")

    return see


def events(kind, sighting):
    return Event.objects.filter(kind=kind, subject_id=sighting.id).count()


def test_an_exact_match_is_confirmed_by_rule_and_a_near_one_waits(seen, audit_rows):
    _entry, exact, near = seen()

    assert (exact.state, exact.reason, exact.decided_by) == ("confirmed", "exact", None)
    assert exact.decided_at is not None
    assert (near.state, near.decided_at) == ("proposed", None)
    assert 0 < near.distance <= 31
    assert near.orientation > 0
    assert near.server_address == "127.0.0.1"
    assert [events(f"crawl.sighting_{what}", exact) for what in ("found", "confirmed")] == [1, 1]
    assert [events(f"crawl.sighting_{what}", near) for what in ("found", "confirmed")] == [1, 0]
    assert resolve_number(near.number) == ("sighting", near.id)
    assert [row["action"] for row in audit_rows(near.id)] == ["sighting.found"]


@pytest.mark.parametrize("word", ["assessor", "removal_officer"])
def test_a_person_confirms_a_near_match_once(word, seen, role, make_person, audit_rows):
    _entry, _exact, near = seen()
    person = make_person(roles={word})

    with role("vigil_console", actor=person):
        services.confirm_sighting(actor=person, sighting_id=near.id, at=clock.now())
        with pytest.raises(SightingAlreadyDecided):
            services.reject_sighting(actor=person, sighting_id=near.id, at=clock.now())

    facts = selectors.sighting(near.id)
    assert (facts.state, facts.decided_by) == ("confirmed", person.id)
    assert events("crawl.sighting_confirmed", near) == 1
    assert audit_rows(near.id)[-1]["action"] == "sighting.confirmed"


def test_a_rejected_match_is_never_proposed_again(seen, role, make_person, key, lookout, settings):
    entry_id, _exact, near = seen()
    person = make_person(roles={"assessor"})
    with role("vigil_console", actor=person):
        services.reject_sighting(actor=person, sighting_id=near.id, at=clock.now())
    with role("vigil_crawl"):
        clock.advance(settings.CRAWL_REVISIT_SECONDS + 1)
        work_until_idle(Crawler(key, lookout))
    with role("vigil_worker"):
        services.match_again(entry_id=entry_id, at=clock.now())

    assert Sighting.objects.count() == 2
    assert selectors.sighting(near.id).state == "rejected"
    assert events("crawl.sighting_confirmed", near) == 0


@pytest.mark.parametrize("word", ["intake_analyst", "auditor", "police_liaison", "administrator"])
def test_others_do_not_decide(word, seen, role, make_person):
    _entry, _exact, near = seen()
    person = make_person(roles={word})

    with role("vigil_console", actor=person), pytest.raises(ActionNotPermitted):
        services.confirm_sighting(actor=person, sighting_id=near.id, at=clock.now())


def test_a_sighting_above_clearance_does_not_exist_for_a_person(seen, role, make_person):
    _entry, _exact, near = seen(sensitivity=3)
    low, high = make_person(roles={"assessor"}, clearance=2), make_person(roles={"assessor"}, clearance=3)

    with role("vigil_console", actor=low):
        assert selectors.sightings(low) == []
        with pytest.raises(SightingNotFound):
            services.confirm_sighting(actor=low, sighting_id=near.id, at=clock.now())
        with pytest.raises(SightingNotFound):
            selectors.sighting(near.id)
    with role("vigil_console", actor=high):
        assert {facts.id for facts in selectors.sightings(high, state="proposed")} == {near.id}


def test_the_database_itself_asks_for_a_person_behind_a_near_match(seen, owner):
    _entry, _exact, near = seen()

    with owner(), pytest.raises(IntegrityError, match="sighting_near_needs_a_person"), transaction.atomic():
        Sighting.objects.filter(id=near.id).update(state="confirmed", decided_at=clock.now())


def test_a_withdrawn_entry_closes_what_waits_and_is_not_seen_again(
    seen, role, owner, make_person, key, lookout, settings, world
):
    entry_id, _exact, near = seen()
    with owner():
        lists.withdraw_entry(actor=make_person(roles={"assessor"}), entry_id=entry_id, reason="mistake", at=clock.now())
    event = Event.objects.get(kind="lists.entry_withdrawn", subject_id=entry_id)
    with role("vigil_worker"):
        jobs.close_sightings_of_withdrawn_entry(event)
    with role("vigil_crawl"):
        other = next(copy for copy in world.copies if copy.listed == 6 and copy.form == "exact")
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[other.url], at=clock.now())
        clock.advance(settings.CRAWL_REVISIT_SECONDS + 1)
        work_until_idle(Crawler(key, lookout))

    closed = selectors.sighting(near.id)
    assert (closed.state, closed.reason, closed.decided_by) == ("rejected", "entry_withdrawn", None)
    assert Sighting.objects.count() == 2


def test_what_was_read_while_the_index_was_behind_is_looked_up_again(seen, role, owner, world, key, lookout):
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[world.originals[7].url], at=clock.now())
        work_until_idle(Crawler(key, lookout))
    with owner():
        published(world.picture_at(world.originals[7].url))
        Reading.objects.update(is_late=True)
    assert not Sighting.objects.exists()

    with role("vigil_worker"):
        for _ in range(2):
            jobs.match_late_readings(clock.now())

    assert Sighting.objects.get().match == "exact"
    assert not Reading.objects.filter(is_late=True).exists()
