"""From the press on "fetch" to a published entry, through the pages: real key process, real crawler, real loopback web."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from vigil import settings as vigil_settings
from vigil.accounts.policies import Role
from vigil.casework import jobs
from vigil.casework.models import ReportedPlace
from vigil.casework.tests.factories import make_incident, reload
from vigil.casework.tests.test_pages import path_of, words
from vigil.core.ids import format_number
from vigil.core.keyd_store import KeyStore, root_key_from
from vigil.core.models import Event
from vigil.crawl.crawler import Crawler
from vigil.crawl.fetch import Fetcher, Limits
from vigil.crawl.looking import Lookout
from vigil.crawl.models import Seed
from vigil.crawl.preview_door import Previews, open_door
from vigil.crawl.tests.factories import work_until_idle
from vigil.lists import selectors as lists
from vigil.lists.models import Entry, FeedCounter, Look
from vigil_demo.world import World

pytestmark = pytest.mark.usefixtures("transactional_db", "keyd_server")


@pytest.fixture(scope="module")
def loopback_web():
    with World(7, cache=vigil_settings.VAR / "demo-world") as world:
        yield world


@pytest.fixture
def world(loopback_web, settings):
    settings.CRAWL_ALLOW_PRIVATE = True
    settings.CRAWL_MIN_DELAY_SECONDS = 0.0
    yield loopback_web
    loopback_web.put_all_back()


@pytest.fixture
def lookout():
    with Fetcher(Limits(connect_seconds=2, total_seconds=4, slow_seconds=2)) as fetcher:
        yield Lookout(fetcher)


@pytest.fixture
def key(keyd_server):
    return KeyStore(django_settings.KEYD_DIR, root_key_from(vigil_settings.secret("keyd-root-key"))).crawl_key()


@pytest.fixture
def crawl(role, key, lookout):
    """Let the crawler work until every reported place was tried, then the worker take up what it found."""

    def run():
        deadline = time.monotonic() + 60
        while Seed.objects.filter(done_at=None).exists():
            with role("vigil_crawl"):
                work_until_idle(Crawler(key, lookout))
            # A host that gave trouble rests for a few seconds of real time.
            assert time.monotonic() < deadline, "the crawl does not come to an end"
            time.sleep(0.1)
        with role("vigil_worker"):
            for event in Event.objects.filter(kind="crawl.candidates_found"):
                jobs.note_candidates_in_timeline(event)

    return run


@pytest.fixture
def previews(key, lookout):
    with open_door(Path(django_settings.CRAWL_SOCKET), Previews(key, lookout)):
        yield


@pytest.fixture(autouse=True)
def feed_counter(transactional_db):
    """The migrations made this row; a test that commits is followed by emptying every table."""
    FeedCounter.objects.get_or_create(id=True)


@pytest.fixture
def analyst(make_person):
    return make_person(clearance=2)


@pytest.fixture
def assessors(make_person):
    return [make_person(roles={Role.ASSESSOR}, clearance=2) for _ in range(2)]


@pytest.fixture
def proposed(world, console, analyst, crawl):
    """(client of the analyst, incident, entry): a reported original, fetched, in a case, proposed."""
    original = world.originals[0]
    incident, client = make_incident(links=(original.url,)), console(analyst)
    for step in ("/claim", "/fetch", "/case"):
        client.post(path_of("incidents", incident, step))
    crawl()
    page = client.get(path_of("incidents", incident)).content.decode()
    (candidate_id,) = re.findall(r'name="candidate" value="([0-9a-f-]{36})"', page)
    client.post(path_of("incidents", incident, "/propose"), {"candidate": candidate_id, "classification": "baseline"})
    return client, incident, Entry.objects.get()


def preview_address(page):
    found = re.search(r'<img class="preview" src="([^"]+)"', page.content.decode())
    return found.group(1) if found else None


def test_reported_places_are_fetched_and_their_candidates_proposed(world, proposed, analyst):
    client, incident, entry = proposed
    page = client.get(path_of("incidents", incident))

    assert entry.sha256.hex() == world.originals[0].sha256
    assert (entry.case_id, entry.incident_id) == (reload(incident).case_id, incident.id)
    assert entry.proposed_by_id == analyst.id
    assert format_number(entry.number) in words(page)
    assert world.originals[0].sha256 in words(page)
    assert "The crawler found candidates" in words(page)
    assert "http://" not in page.content.decode()
    assert "hxxp[:]//" in words(page)


def test_each_place_that_could_not_be_read_says_why_and_is_not_called_gone(world, console, analyst, crawl):
    bad = ("https://", "not an address", "https://user:secret@pictures.example/")
    incident = make_incident(links=(*world.troubles.values(), *bad))
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    client.post(path_of("incidents", incident, "/fetch"))
    waiting = words(client.get(path_of("incidents", incident)))
    crawl()
    page = words(client.get(path_of("incidents", incident)))

    assert "Waiting for the crawler" in waiting and "not known yet" in waiting
    assert ReportedPlace.objects.filter(incident=incident).exclude(error="").count() >= 2
    for said in ("Redirect loop", "Could not be read: not an address of the web", "unknown"):
        assert said in page, said
    assert "Waiting for the crawler" not in page
    assert "removed" not in page.lower()
    french = words(console(analyst, language="fr").get(path_of("incidents", incident)))
    assert "Boucle de redirections" in french and "N’a pas pu être lu" in french


def test_the_same_candidate_is_proposed_once_and_the_page_names_the_entry(proposed):
    client, incident, entry = proposed
    answer = client.post(
        path_of("incidents", incident, "/propose"), {"candidate": entry.candidate_id, "classification": "baseline"}
    )
    assert answer.status_code == 409
    assert f"The same file was proposed before: entry {format_number(entry.number)}." in words(answer)
    assert Entry.objects.count() == 1


def test_two_people_look_once_each_and_publish(proposed, console, assessors, previews, audit_rows):
    _client, _incident, entry = proposed
    for assessor in assessors:
        client = console(assessor)
        assert format_number(entry.number) in words(client.get("/assess"))
        page = client.post(path_of("assess", entry, "/look"), follow=True)
        address = preview_address(page)
        picture = client.get(address)
        assert picture.content.startswith(b"\x89PNG")
        assert picture["Cache-Control"] == "no-store"
        assert picture["Content-Type"] == "image/png"

        again = client.get(page.redirect_chain[-1][0])
        assert preview_address(again) is None
        assert "You have already looked." in words(again)
        assert client.get(address).status_code == 404
        assert client.post(path_of("assess", entry, "/look")).status_code == 409
        client.post(path_of("assess", entry, "/decide"), {"verdict": "illegal"})

    assert reload(entry).state == "published"
    assert lists.feed_version() == 1
    actions = [row["action"] for row in audit_rows(entry.id)]
    assert actions.count("entry.look") == actions.count("entry.look_delivered") == 2


def test_nobody_decides_without_having_looked(proposed, console, assessors):
    _client, _incident, entry = proposed
    client = console(assessors[0])
    answer = client.post(path_of("assess", entry, "/decide"), {"verdict": "illegal"})
    assert answer.status_code == 409
    assert reload(entry).state == "proposed"
    assert "Look first. Nobody decides without having looked." in words(answer)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The place cannot be reached now, so the entry cannot be assessed."),
        ("fr", "L’emplacement est inaccessible en ce moment, donc l’entrée ne peut pas être évaluée."),
    ],
)
def test_a_place_that_cannot_be_reached_cannot_be_assessed_and_costs_no_look(
    proposed, console, assessors, language, said
):
    """The crawl process is not there at all (no `previews` fixture)."""
    _client, _incident, entry = proposed
    client = console(assessors[0], language=language)
    page = client.post(path_of("assess", entry, "/look"), follow=True)

    assert said in words(page)
    assert preview_address(page) is None
    assert not Look.objects.filter(delivered_at__isnull=False).exists()
    assert client.post(path_of("assess", entry, "/decide"), {"verdict": "illegal"}).status_code == 409


def test_a_place_that_shows_something_else_now_cannot_be_assessed_and_the_look_is_kept(
    proposed, console, assessors, previews, world
):
    _client, _incident, entry = proposed
    world.take_down(world.originals[0].url)
    client = console(assessors[0])
    assert "The place no longer shows this picture." in words(
        client.post(path_of("assess", entry, "/look"), follow=True)
    )
    world.put_all_back()
    page = client.post(path_of("assess", entry, "/look"), follow=True)
    assert client.get(preview_address(page)).content.startswith(b"\x89PNG")


def test_the_preview_of_one_person_is_not_anothers(proposed, console, assessors, previews):
    _client, _incident, entry = proposed
    page = console(assessors[0]).post(path_of("assess", entry, "/look"), follow=True)
    other = console(assessors[1])
    assert other.get(preview_address(page)).status_code == 404
    assert preview_address(other.get(page.redirect_chain[-1][0])) is None


def test_the_proposer_cannot_assess_even_as_an_assessor(world, console, make_person, crawl, previews):
    both = make_person(roles={Role.INTAKE_ANALYST, Role.ASSESSOR}, clearance=2)
    incident, client = make_incident(links=(world.originals[1].url,)), console(both)
    for step in ("/claim", "/fetch", "/case"):
        client.post(path_of("incidents", incident, step))
    crawl()
    page = client.get(path_of("incidents", incident)).content.decode()
    (candidate_id,) = re.findall(r'name="candidate" value="([0-9a-f-]{36})"', page)
    client.post(path_of("incidents", incident, "/propose"), {"candidate": candidate_id, "classification": "national"})
    entry = Entry.objects.get()

    assert "Nothing waiting." in words(client.get("/assess"))
    for step, values in (("/look", {}), ("/decide", {"verdict": "illegal"})):
        answer = client.post(path_of("assess", entry, step), values)
        assert answer.status_code == 409
        assert "Somebody else has to decide." in words(answer)
    assert not Look.objects.exists()


def test_deciding_and_withdrawing_ask_who_you_are_again_after_five_minutes(proposed, console, assessors):
    _client, _incident, entry = proposed
    client = console(assessors[0], fresh=False)
    for address, values in (
        (path_of("assess", entry, "/decide"), {"verdict": "illegal"}),
        (path_of("entries", entry, "/withdraw"), {"reason": "mistake"}),
    ):
        answer = client.post(address, values)
        assert answer.status_code == 302
        assert "/queue" not in answer["Location"]
    assert reload(entry).state == "proposed"


def test_a_published_entry_is_withdrawn_with_a_reason_and_only_once(proposed, console, assessors, previews, role):
    _client, incident, entry = proposed
    for assessor in assessors:
        client = console(assessor)
        client.get(preview_address(client.post(path_of("assess", entry, "/look"), follow=True)))
        client.post(path_of("assess", entry, "/decide"), {"verdict": "illegal"})
    without = client.post(path_of("entries", entry, "/withdraw"), {})
    assert without.status_code == 400 and 'href="#id_reason_0"' in without.content.decode()
    said = words(client.post(path_of("entries", entry, "/withdraw"), {"reason": "adult"}, follow=True))

    assert "The entry was withdrawn." in said and "The person shown is an adult" in said
    assert (reload(entry).state, lists.feed_version()) == ("withdrawn", 2)
    assert client.post(path_of("entries", entry, "/withdraw"), {"reason": "adult"}).status_code == 409
    with role("vigil_worker"):
        for event in Event.objects.filter(kind__startswith="lists.entry_", subject_id=entry.id).order_by("at"):
            handler = {
                "lists.entry_published": jobs.note_published_entry,
                "lists.entry_withdrawn": jobs.note_withdrawn_entry,
            }
            handler.get(event.kind, lambda _event: None)(event)
    timeline = words(_client.get(path_of("incidents", incident)))
    assert timeline.index("Entry published") < timeline.index("Entry withdrawn")
