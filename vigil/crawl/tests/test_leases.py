"""Leases: one crawler a host, late writes change nothing, a killed crawler loses and doubles nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from vigil import settings as vigil_settings
from vigil.core import clock, keyd
from vigil.core.crypto import CrawlKey
from vigil.core.errors import Unavailable
from vigil.core.ids import new_id
from vigil.core.models import Event
from vigil.crawl import services
from vigil.crawl.crawler import Crawler
from vigil.crawl.fetch import Outcome
from vigil.crawl.models import Candidate, Host, Place, Reading, Shown, Sighting, Visit
from vigil.crawl.services import VisitResult, sealed
from vigil.crawl.tests.factories import CRAWLER, published, report, work_until_idle

HOSTS = 6
URLS = [f"http://pictures.example/{number}.html" for number in range(6)]


@pytest.fixture
def frontier(key, role, owner):
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[*URLS, "http://other.example/"], at=clock.now())


def test_a_host_is_leased_to_one_crawler_at_a_time(frontier, role):
    with role("vigil_crawl"):
        first = services.lease_hosts(worker="one", limit=10, at=clock.now())
        second = services.lease_hosts(worker="two", limit=10, at=clock.now())

    assert len(first) == 2
    assert second == []


def test_a_late_write_with_an_old_fencing_number_changes_no_row(frontier, key, role):
    with role("vigil_crawl"):
        old = services.lease_hosts(worker="one", limit=2, at=clock.now(), seconds=0)[0]
        place = services.due_places(old, at=clock.now(), limit=1)[0]
        new = next(
            lease
            for lease in services.lease_hosts(worker="two", limit=2, at=clock.now())
            if lease.host_id == old.host_id
        )
        before = _everything()
        links = [sealed(key, "http://third.example/a.jpg", kind="image", depth=0)]
        result = VisitResult(Outcome.OK, kind="page", media=links)
        with pytest.raises(services.StaleLease):
            services.record_visit(lease=old, place_id=place.id, result=result, at=clock.now())
        assert services.release_host(old, at=clock.now(), wait_seconds=0) is False
        assert _everything() == before
        services.record_visit(lease=new, place_id=place.id, result=result, at=clock.now())

    assert Visit.objects.get().fence == new.fence == old.fence + 1


def test_a_given_back_host_rests_and_is_due_when_its_next_place_is(frontier, key, role):
    with role("vigil_crawl"):
        lease = next(lease for lease in services.lease_hosts(worker="one", limit=2, at=clock.now()))
        for place in services.due_places(lease, at=clock.now(), limit=100):
            services.record_visit(lease=lease, place_id=place.id, result=VisitResult(Outcome.NOT_FOUND), at=clock.now())
        services.release_host(lease, at=clock.now(), wait_seconds=60)

        host = Host.objects.get(id=lease.host_id)
        assert host.due_at == min(host.places.values_list("next_at", flat=True))
        assert services.lease_hosts(worker="two", limit=5, at=host.due_at - timedelta(seconds=1)) == []
        # Due by the clock, but it still rests in real time: moving the clock makes nobody rude.
        assert services.lease_hosts(worker="two", limit=5, at=host.due_at + timedelta(days=9)) == []


def test_a_link_to_a_leased_host_is_not_lost_when_it_is_given_back(frontier, key, role):
    with role("vigil_crawl"):
        one, two = services.lease_hosts(worker="one", limit=2, at=clock.now())
        for lease in (one, two):
            for place in services.due_places(lease, at=clock.now(), limit=100):
                services.record_visit(
                    lease=lease, place_id=place.id, result=VisitResult(Outcome.NOT_FOUND), at=clock.now()
                )
        place = Place.objects.filter(host_id=one.host_id).first()
        hosts = {lease.host_id: key.open(lease.host_sealed) for lease in (one, two)}
        link = sealed(key, f"http://{hosts[two.host_id]}/new.jpg", kind="image", depth=0)
        services.record_visit(
            lease=one, place_id=place.id, result=VisitResult(Outcome.OK, kind="page", media=[link]), at=clock.now()
        )
        services.release_host(two, at=clock.now(), wait_seconds=0)

        (again,) = services.lease_hosts(worker="three", limit=5, at=clock.now())
        assert again.host_id == two.host_id


def test_retry_after_is_obeyed_in_real_time(frontier, role):
    with role("vigil_crawl"):
        lease = services.lease_hosts(worker="one", limit=1, at=clock.now())[0]
        place = services.due_places(lease, at=clock.now(), limit=1)[0]
        result = VisitResult(Outcome.TOO_MANY_REQUESTS, status=429, retry_after_seconds=600)
        services.record_visit(lease=lease, place_id=place.id, result=result, at=clock.now())
        services.release_host(lease, at=clock.now(), wait_seconds=0)

        later = services.lease_hosts(worker="two", limit=5, at=clock.now() + timedelta(days=1))
    assert lease.host_id not in {other.host_id for other in later}


def test_a_place_sealed_under_another_key_holds_up_nobody(key, world, lookout, role, owner):
    with role("vigil_crawl"):
        services.add_watch_seeds(
            actor=CRAWLER, key=key, urls=[world.originals[0].url, world.originals[0].page_url], at=clock.now()
        )
        foreign = Place.objects.order_by("id").first()
        Place.objects.filter(id=foreign.id).update(
            url_sealed=CrawlKey("other", bytes(32)).seal("http://pictures.example/")
        )
        work_until_idle(Crawler(key, lookout))

    foreign.refresh_from_db()
    assert foreign.outcome == "not_read"
    assert Place.objects.exclude(id=foreign.id).filter(outcome="ok").exists()


def test_what_may_pass_is_tried_again_sooner_and_sooner_less(settings):
    from vigil.crawl.services.visits import next_look

    now = datetime(2026, 6, 1, tzinfo=UTC)
    waits = [(next_look(Outcome.TIMEOUT, failures, now) - now).total_seconds() for failures in range(1, 8)]

    assert waits[:4] == [60, 240, 960, 3840]
    assert waits[-1] == settings.CRAWL_REVISIT_SECONDS
    assert (next_look(Outcome.NOT_FOUND, 0, now) - now).total_seconds() == settings.CRAWL_REVISIT_SECONDS


def _everything():
    tables = (Place, Host, Visit, Shown, Reading, Candidate, Sighting)
    return [sorted(map(str, table.objects.values_list())) for table in tables]


# ---- two real processes -----------------------------------------------------------------------------------------------
@pytest.fixture
def processes(world):
    """Start real crawl processes on the test database, as the role that they have in life."""
    started: list[subprocess.Popen] = []
    environment = os.environ | {
        "VIGIL_CRAWL_ALLOW_PRIVATE": "1", "VIGIL_CRAWL_MIN_DELAY_SECONDS": "0", "VIGIL_CRAWL_LEASE_SECONDS": "2",
        "VIGIL_VAR": str(vigil_settings.VAR), "VIGIL_RUN_DIR": str(vigil_settings.RUN_DIR),
    }  # fmt: skip
    log = (Path(vigil_settings.VAR) / "crawl-test.log").open("w")

    def start():
        command = [sys.executable, "-m", "vigil.crawl.tests.crawl_process", connection.settings_dict["NAME"]]
        started.append(subprocess.Popen(command, env=environment, stderr=log, stdout=log))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in started:
        process.wait(timeout=30)


def _wait_until(holds, seconds):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def _due_now():
    return Place.objects.filter(next_at__lte=clock.now()).exists()


def test_two_crawlers_and_a_killed_one_find_everything_once(
    transactional_db, keyd_server, processes, world, role, owner, settings
):
    with connection.cursor() as cursor:
        # A test that commits is followed by one that finds the tables empty: these rows come from migrations.
        cursor.execute("INSERT INTO lists_feedcounter (id, version) VALUES (true, 0) ON CONFLICT DO NOTHING")
    with role("vigil_crawl"):
        key = keyd.crawl_key()
    with owner():
        for original in world.originals:
            published(world.picture_at(original.url))
        incident_id = report(key, world.originals[0].page_url, world.troubles["truncated"], world.troubles["dead_host"])
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=world.watch_seeds[:HOSTS], at=clock.now())
    first, _second = processes(), processes()
    _wait_until(lambda: Visit.objects.count() > 60, 100)
    first.kill()
    first.wait()
    processes()

    _wait_until(lambda: not _due_now() and Visit.objects.count() > 250, 170)

    digests = {original.listed: original.sha256 for original in world.originals}
    found = [
        (key.open(bytes(row.place.url_sealed)), bytes(row.entry.sha256).hex())
        for row in Sighting.objects.select_related("place", "entry")
    ]
    hosts = tuple(seed.removesuffix("/") for seed in world.watch_seeds[:HOSTS])
    wanted = {(url, digests[listed]) for url, listed in world.expected_sightings() if url.startswith(hosts)}
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert Event.objects.filter(kind="crawl.sighting_found").count() == len(found)
    # No visit was recorded twice in one round, though the killed process had visits under way.
    visits = Visit.objects.filter(outcome="ok").values_list("place_id", flat=True)
    assert len(visits) == len(set(visits))
    done = Event.objects.filter(kind="crawl.candidates_found", subject_id=incident_id).count()
    assert done == 3
    _preview_is_taken_over(key, world)


def _preview_is_taken_over(key, world):
    """The killed process (or any other) may have held the preview socket: one of the living answers now."""
    sighting = Sighting.objects.select_related("place", "entry").filter(match="exact").first()
    arguments = {
        "place_id": sighting.place_id, "expected_sha256": bytes(sighting.entry.sha256), "expected_pdq": bytes(sighting.entry.pdq),
    }  # fmt: skip
    answers: list[bytes] = []

    def ask():
        try:
            answers.append(services.preview(ticket=new_id(), **arguments))
        except Unavailable:
            return False
        return True

    _wait_until(ask, 15)
    assert answers[0].startswith(b"\x89PNG")
