"""Words on the report site: short sentences, nothing that blames, no promise that only an operator can keep."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tools import translations

NEVER = {
    "en": r"victim|predator|child porn|pornograph|you should have|we will (remove|find|arrest|contact|call)"
    r"|within \d+ (hours|days)|guarantee|in trouble",
    "fr": r"victime|prédateur|pornograph|tu aurais dû|vous auriez dû|nous allons (retirer|trouver)|garanti"
    r"|dans les \d+ (heures|jours)|d’ennuis",
}


def sentences() -> Iterator[tuple[str, str]]:
    room = next(folder for folder in translations.rooms() if folder.name == "intake")
    for message in translations.translations_of(room):
        if isinstance(message.id, str) and message.id:
            for language, text in (("en", message.id), ("fr", str(message.string))):
                for sentence in re.split(r"(?<=[.?!:])\s+", re.sub(r"%\(\w+\)s", "7", text)):
                    yield language, sentence


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_sentence_is_longer_than_25_words(language):
    long = [text for spoken, text in sentences() if spoken == language and len(re.findall(r"[\w’'-]+", text)) > 25]
    assert long == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_word_blames_promises_or_shocks(language):
    found = [
        text for spoken, text in sentences() if spoken == language and re.search(NEVER[language], text, re.IGNORECASE)
    ]
    assert found == []


@pytest.mark.parametrize("room", ["web", "intake"])
def test_french_is_complete_and_well_set(room):
    folder = next(folder for folder in translations.rooms() if folder.name == room)
    assert translations.problems_of(folder) == []


def test_young_people_are_said_tu_and_adults_vous():
    room = next(folder for folder in translations.rooms() if folder.name == "intake")
    for message in translations.translations_of(room):
        words = set(re.findall(r"\w+", str(message.string).lower()))
        if message.context == "young":
            assert not words & {"vous", "votre", "vos"}, message.string
        else:
            assert not words & {"tu", "ton", "ta", "tes", "toi"}, message.string
