"""The staff pages of sightings, as the console's role."""

from __future__ import annotations

import io
import re

import pytest
from django.test import RequestFactory
from django.utils import translation
from PIL import Image

from vigil.accounts.errors import ActionNotPermitted
from vigil.core import clock, keyd
from vigil.core.ids import format_number
from vigil.crawl import services, views, words
from vigil.crawl.crawler import Crawler
from vigil.crawl.fetch import Outcome
from vigil.crawl.models import Sighting
from vigil.crawl.tests.factories import CRAWLER, published, work_until_idle
from vigil.matching import services as matching


@pytest.fixture
def near(world, key, lookout, role, owner):
    """A near sighting that waits, and an exact one beside it."""
    original = world.originals[6]
    copy = next(copy for copy in world.copies if copy.listed == original.listed and copy.form == "mirrored")
    with owner():
        published(world.picture_at(original.url))
    with role("vigil_crawl"):
        services.add_watch_seeds(actor=CRAWLER, key=key, urls=[original.url, copy.page_url], at=clock.now())
        work_until_idle(Crawler(key, lookout))
    return Sighting.objects.get(match="near", state="proposed", orientation__gt=0)


@pytest.fixture
def ask(role, settings):
    """Call a view as a person: `ask(person, views.sighting, number, language="fr")`."""
    settings.ROOT_URLCONF = "vigil.urls.console"

    def call(person, view, *args, language="en", method="get", query=""):
        request = getattr(RequestFactory(), method)(f"/sightings/?{query}")
        request.actor = person
        request.session = {}
        request._messages = _Messages()
        with translation.override(language), role("vigil_console", actor=person):
            return view(request, *args)

    return call


class _Messages(list):
    def add(self, _level, text, _tags=""):
        self.append(str(text))


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.mark.parametrize(
    ("language", "title", "waits"),
    [("en", "Sightings", "Waiting for a decision"), ("fr", "Repérages", "En attente d’une décision")],
)
def test_the_list_shows_what_waits_in_both_languages(language, title, waits, near, ask, make_person):
    page = text_of(ask(make_person(roles={"removal_officer"}), views.sightings, language=language))

    assert f"<h1>{title}</h1>" in page
    assert waits in page
    assert format_number(near.number) in page
    assert "localhost" not in page


def test_each_state_has_its_list(near, ask, make_person):
    exact = Sighting.objects.get(match="exact")
    page = text_of(ask(make_person(roles={"removal_officer"}), views.sightings, query="state=confirmed"))

    assert format_number(exact.number) in page
    assert format_number(near.number) not in page


def test_one_sighting_shows_its_place_defanged_and_is_audited(near, ask, make_person, monkeypatch, audit_rows):
    monkeypatch.setattr(keyd, "open_place", lambda **_asked: "http://pictures-1.localhost:8000/files/1/a.jpg")
    page = text_of(ask(make_person(roles={"removal_officer"}), views.sighting, near.number))

    assert "hxxp[:]//pictures-1[.]localhost:8000/files/1/a[.]jpg" in page
    assert not re.search(r'(href|src|action)="[^"]*pictures-1', page)
    assert "Near:" in page and "bits of 256 differ" in page
    assert f'action="/sightings/{format_number(near.number)}/confirm/"' in page
    assert audit_rows(near.id)[-1]["action"] == "sighting.view"


def test_without_the_key_process_the_page_says_so(near, ask, make_person):
    page = text_of(ask(make_person(roles={"removal_officer"}), views.sighting, near.number, language="fr"))

    assert "le processus des clés ne répond pas" in page


@pytest.mark.parametrize("word", ["intake_analyst", "auditor"])
def test_who_may_only_look_gets_no_buttons(word, near, ask, make_person):
    person = make_person(roles={word})

    assert "/confirm/" not in text_of(ask(person, views.sighting, near.number))
    with pytest.raises(ActionNotPermitted):
        ask(person, views.confirm, near.number, method="post")


@pytest.mark.parametrize(("view", "state"), [(views.confirm, "confirmed"), (views.reject, "rejected")])
def test_a_person_decides(view, state, near, ask, make_person):
    answer = ask(make_person(roles={"assessor"}), view, near.number, method="post")

    assert (answer.status_code, answer["Location"]) == (303, "/sightings/")
    near.refresh_from_db()
    assert near.state == state


def test_deciding_is_never_a_get(near, ask, make_person):
    assert ask(make_person(roles={"assessor"}), views.confirm, near.number).status_code == 405
    near.refresh_from_db()
    assert near.state == "proposed"


@pytest.mark.parametrize(
    ("flip", "said"),
    [("FLIP_LEFT_RIGHT", "Mirrored"), ("FLIP_TOP_BOTTOM", "Mirrored top to bottom"), ("ROTATE_180", "Upside down")],
)
def test_the_orientation_is_said_as_people_see_it(flip, said, world):
    image = Image.open(io.BytesIO(world.picture_at(world.originals[0].url)))
    listed, changed = (_pdqs(picture) for picture in (image, image.transpose(Image.Transpose[flip])))
    nearest = min(range(8), key=lambda turn: (int.from_bytes(changed[turn]) ^ int.from_bytes(listed[0])).bit_count())

    assert words.orientation_words(nearest) == said


def _pdqs(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return matching.read_picture(buffer.getvalue()).pdq_orientations


def test_every_code_has_words():
    assert set(words.OUTCOMES) == {"", *Outcome}
    assert len(words.ORIENTATIONS) == len(matching.ORIENTATIONS)
    assert set(words.STATES) == set(Sighting.State.values) == set(words.BADGES)
