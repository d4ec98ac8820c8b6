"""The fleeting preview: fetched anew, grey, small, blurred, once for each ticket, kept nowhere."""

from __future__ import annotations

import io
import json
import socket
import stat

import pytest
from PIL import Image

from vigil.core import clock
from vigil.core.errors import Unavailable
from vigil.core.ids import new_id
from vigil.crawl import services
from vigil.crawl.crawler import Crawler
from vigil.crawl.errors import PlaceNotFound, PreviewAlreadyGiven, PreviewChanged, PreviewUnavailable
from vigil.crawl.looking import Expected
from vigil.crawl.models import Place
from vigil.crawl.preview_door import Previews, open_door
from vigil.crawl.tests.factories import CRAWLER, work_until_idle
from vigil.matching import services as matching
from vigil_demo.world.site import Answer


@pytest.fixture
def place(world, key, lookout, role, owner):
    """A crawled picture: (place id, what it is expected to show, its address)."""
    original = world.originals[8]
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[original.url], at=clock.now())
        work_until_idle(Crawler(key, lookout))
    facts = matching.read_picture(world.picture_at(original.url))
    return Place.objects.get().id, Expected(facts.sha256, facts.pdq), original.url


@pytest.fixture
def previews(key, lookout):
    return Previews(key, lookout)


def test_a_preview_is_small_grey_and_made_anew(place, previews, world, role):
    place_id, expected, url = place
    world.requests.clear()

    with role("vigil_crawl"):
        png = previews.make(place_id=place_id, expected=expected, ticket=new_id())

    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    assert max(picture.size) <= 160
    assert picture.mode == "L"
    assert sum(count for path, count in world.requests.items() if path.endswith(url.rpartition("/")[2])) == 1


def test_a_ticket_is_good_for_one_preview(place, previews, role):
    place_id, expected, _url = place
    ticket = new_id()
    with role("vigil_crawl"):
        previews.make(place_id=place_id, expected=expected, ticket=ticket)
        with pytest.raises(PreviewAlreadyGiven):
            previews.make(place_id=place_id, expected=expected, ticket=ticket)


def test_a_ticket_that_brought_nothing_is_good_for_another_try(place, previews, world, role):
    place_id, expected, url = place
    ticket = new_id()
    with role("vigil_crawl"):
        world.answer_with(url, Answer(503))
        with pytest.raises(PreviewUnavailable):
            previews.make(place_id=place_id, expected=expected, ticket=ticket)
        world.put_back(url)
        assert previews.make(place_id=place_id, expected=expected, ticket=ticket)


def test_another_picture_or_none_at_the_place_is_not_shown(place, previews, world, role):
    place_id, expected, url = place
    other = Answer(content_type="image/jpeg", body=world.picture_at(world.originals[9].url))
    with role("vigil_crawl"):
        for answer in (other, Answer(404), Answer(410), Answer(body=b"<!doctype html><p>Gone</p>")):
            world.answer_with(url, answer)
            with pytest.raises(PreviewChanged):
                previews.make(place_id=place_id, expected=expected, ticket=new_id())


def test_a_recompressed_copy_is_still_the_expected_picture(place, previews, world, role):
    place_id, expected, url = place
    image = Image.open(io.BytesIO(world.picture_at(url)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=50)
    world.answer_with(url, Answer(content_type="image/jpeg", body=buffer.getvalue()))
    with role("vigil_crawl"):
        assert previews.make(place_id=place_id, expected=expected, ticket=new_id())


def test_a_place_that_is_not_known_is_not_found(previews, role, place):
    with role("vigil_crawl"), pytest.raises(PlaceNotFound):
        previews.make(place_id=new_id(), expected=place[1], ticket=new_id())


def test_without_a_crawl_process_the_preview_is_unavailable(settings, tmp_path):
    settings.CRAWL_SOCKET = tmp_path / "nobody.sock"

    with pytest.raises(Unavailable):
        services.preview(place_id=new_id(), expected_sha256=bytes(32), expected_pdq=bytes(32), ticket=new_id())


class _Fixed(Previews):
    """The door without a database: answers by what the place's id says."""

    def __init__(self):
        self.answers = {}

    def make(self, *, place_id, expected, ticket):
        answer = self.answers[place_id]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_the_door_carries_pictures_and_errors_and_is_closed_to_others(settings, tmp_path, db):
    settings.CRAWL_SOCKET = tmp_path / "crawl.sock"
    previews, good, gone = _Fixed(), new_id(), new_id()
    previews.answers = {good: b"\x89PNG" + bytes(50_000), gone: PreviewChanged("gone")}
    arguments = {"expected_sha256": bytes(32), "expected_pdq": bytes(32), "ticket": new_id()}
    with open_door(settings.CRAWL_SOCKET, previews):
        assert stat.S_IMODE(settings.CRAWL_SOCKET.stat().st_mode) == 0o600
        assert services.preview(place_id=good, **arguments) == previews.answers[good]
        with pytest.raises(PreviewChanged):
            services.preview(place_id=gone, **arguments)
        for line in (b"\n", b"{}\n", b"[1]\n", b'{"op": "preview", "sha256": "zz"}\n', b"\xff\xfe\n"):
            assert "error" in _raw(settings.CRAWL_SOCKET, line)
    assert not settings.CRAWL_SOCKET.exists()


def _raw(path, line):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(line)
        return json.loads(connection.makefile("rb").readline())
