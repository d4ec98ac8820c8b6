"""What the public reads is easy to read, keeps to the agreed words and to French typography, and says the same in each language."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.hotlines import OPEN
from tests.project import public_pages
from tests.project.conftest import routes_of
from tools import readability, typography
from tools.readability import Count, Reading, count_of, problems_of, sentences_in, syllables_in, words_in

IN_FILES = readability.in_files()


# ---- the counting itself -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "the=1 cat=1 time=1 little=2 table=2 asked=1 wanted=2 police=2 picture=2 people=2 video=3 created=3 don’t=1 "
               "didn’t=2 every=2 again=2 going=2 report=2 number=2 telephone=3 encrypted=3 information=4 accessibility=6 "
               "quiet=2 idea=3 safe=1 likes=1 pages=2 closed=1 needed=2 fingerprint=3 decided=3 fourteen=2"),
        ("fr", "la=1 photo=2 image=2 une=1 que=1 réponse=2 écoute=2 école=2 police=2 enfant=2 signalement=4 appareil=3 "
               "discussion=3 créer=2 envoyer=3 essaie=2 vie=1 aimée=2 jeune=1 maintenant=3 quelqu’un=2 numéro=3 payer=2 "
               "travail=2 famille=2 oublie=2 bruit=1 août=1 aider=2 réseau=2 naïf=2 guerre=1 confiance=2 empreinte=2"),
    ],
)  # fmt: skip
def test_syllables_are_those_of_a_dictionary(language, words):
    wanted = dict(pair.split("=") for pair in words.split())
    assert {word: syllables_in(word, language) for word in wanted} == {
        word: int(count) for word, count in wanted.items()
    }


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three? Four… Five", 5),
        ("“Don’t you trust me?” the other person writes.", 1),
        ("« Tu ne me fais pas confiance\u00a0? » écrit l’autre.", 1),
        ("She said: “I’m here.” Then she waited.", 2),
        ("Dites\u00a0: «\u00a0Merci.\u00a0» Restez calme.", 2),
        ("It starts at 2:30 p.m. on Monday.", 1),
        ("Call 9-8-8. Text 988.", 2),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text, count):
    assert len(sentences_in(text)) == count


def test_words_with_an_apostrophe_are_one_and_with_a_hyphen_two():
    assert words_in("Don’t ask; l’image, dites-le.") == ["Don’t", "ask", "l’image", "dites", "le"]


def test_the_grade_is_flesch_kincaid():
    count = Count("en").add("The cat sat on the mat.")
    assert (count.words, count.sentences, count.syllables) == (6, 1, 6)
    assert count.grade == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)
    assert count.ease == pytest.approx(206.835 - 1.015 * 6 - 84.6 * 1)


def test_the_french_grade_weighs_the_length_of_words_as_kandel_and_moles_do():
    count = Count("fr").add("Le chat dort sur un tapis.")
    assert (count.words, count.sentences, count.syllables) == (6, 1, 7)
    assert count.grade == pytest.approx(0.39 * 6 + 11.8 * 73.6 / 84.6 * 7 / 6 - 15.59)
    assert count.ease == pytest.approx(207 - 1.015 * 6 - 73.6 * 7 / 6)


def test_a_text_of_officials_is_far_above_the_limit_in_both_languages():
    english = (
        "The organisation endeavours to facilitate the communication of information concerning the individual circumstances "
        "of the aforementioned complainant to the appropriate jurisdictional authorities, notwithstanding any limitations."
    )
    french = (
        "L’organisation s’efforce de faciliter la communication des informations relatives à la situation individuelle de la "
        "personne plaignante susmentionnée aux autorités administratives compétentes, nonobstant toute limitation."
    )
    assert count_of([english], "en").grade > 16 and count_of([french], "fr").grade > 16


def test_headings_and_buttons_do_not_make_a_text_look_easy():
    sentence = "A sentence that is long enough to be counted as one by whoever reads it."
    assert count_of([sentence, "Stop", "Go on", "Yes"], "en").grade == count_of([sentence], "en").grade


# ---- words and typography ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("language", "text", "is_taken"),
    [
        ("en", "It is not your fault, even if you sent the picture.", True),
        ("en", "It is our fault and not yours.", True),
        ("en", "This is your fault.", False),
        ("en", "You should have told someone.", False),
        ("en", "The victim can call.", False),
        ("en", "Predators are everywhere.", False),
        ("en", "A shocking picture.", False),
        ("en", "The photographs are there.", True),
        ("fr", "Ce n’est pas ta faute, même si tu as envoyé la photo.", True),
        ("fr", "C’est ta faute.", False),
        ("fr", "Tu aurais dû en parler.", False),
        ("fr", "La victime peut appeler.", False),
        ("fr", "Une fleur violette dans la nue propriété.", False),
        ("fr", "Une fleur violette.", True),
        ("fr", "Des images choquantes.", False),
    ],
)
def test_words_that_blame_or_shock_are_found_and_others_are_not(language, text, is_taken):
    assert (problems_of(text, language) == []) == is_taken


@pytest.mark.parametrize(
    "text",
    [
        "Quoi ?", "Quoi?", "Voici : cela", "Voici: cela", "Stop !", "Un; deux", "« oui »", "«oui»", "“oui”", "l'image", "14 h 30",
        "14:30", "1 234 pages", "12 %", "Et puis...",
    ],
)  # fmt: skip
def test_a_slip_of_french_typography_is_found(text):
    assert typography.problems_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "Quoi\u00a0?", "Voici\u00a0: cela", "«\u00a0oui\u00a0»", "l’image", "14\u00a0h\u00a030", "1\u00a0234 pages", "12\u00a0%",
        "Et puis…", "«\u00a0Qui\u00a0?\u00a0»", "24 novembre 2026",
    ],
)  # fmt: skip
def test_good_french_typography_is_left_alone(text):
    assert typography.problems_of(text) == []


# ---- the texts of this repository ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("reading", IN_FILES, ids=lambda one: f"{one.name} {one.language} {one.register}")
def test_a_text_in_a_file_keeps_to_what_was_agreed(reading):
    assert reading.findings() == []


def test_short_texts_together_keep_to_their_grade():
    assert {
        (one.language, one.register): one.findings() for one in readability.together(IN_FILES) if one.findings()
    } == {}


def test_every_kind_of_text_is_read():
    assert {"messages", "questions"} <= {one.name.split()[0] for one in IN_FILES}
    assert {one.language for one in IN_FILES} == {"en", "fr"} and {one.register for one in IN_FILES} == {
        "general",
        "young",
    }
    assert sum(one.count.words for one in IN_FILES) > 10_000


def test_what_is_measured_is_said_as_value_and_threshold():
    goals = readability.goals(IN_FILES)
    assert len(goals) == 8 and all(goal.value <= goal.threshold for goal in goals)
    bad = Reading("bad", "fr", "young", ["C’est ta faute !"], ["headings differ"])
    missed = {goal.what.split()[0]: goal.value for goal in readability.goals([bad]) if goal.value > goal.threshold}
    assert missed == {"words": 1, "slips": 1, "pages": 1}


def test_a_page_whose_french_lost_a_part_is_noticed(tmp_path):
    source = readability.ROOT / "vigil" / "awareness" / "pages" / "shared"
    shutil.copytree(source, tmp_path / "shared")
    assert all(one.problems == [] for one in readability.pages_of_prose(tmp_path))
    french = tmp_path / "shared" / "fr.md"
    french.write_text(re.sub(r"## Ce que l’aide.*?## Qui", "## Qui", french.read_text(), flags=re.DOTALL))
    assert [one.language for one in readability.pages_of_prose(tmp_path) if one.problems] == ["fr"]
    long = tmp_path / "shared" / "en.md"
    long.write_text(long.read_text().replace("## A story", "## A story\n\n" + "More words. " * 150))
    assert any("times as long" in problem for one in readability.pages_of_prose(tmp_path) for problem in one.problems)


# ---- the pages as they are put together ------------------------------------------------------------------------------------
@pytest.fixture
def public_door(door, settings):
    """The public door of a hotline whose form is open."""
    settings.HOTLINE_DIR = OPEN
    return door("public")


@pytest.mark.parametrize("register", ["general", "young"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_of_a_report_and_of_image_help_keeps_to_what_was_agreed(public_door, role, language, register):
    with role("vigil_public"):
        shown = [
            *public_pages.a_report(language, register),
            *public_pages.a_saved_report(language, register),
            *public_pages.a_case_of_image_help(language, register),
        ]
    readings = [Reading(page.name, language, page.register, readability.in_pages(page.html)) for page in shown]
    assert len(shown) >= 30 and all(reading.blocks for reading in readings)
    whole = Reading("together", language, register, [block for one in readings for block in one.blocks])
    assert {one.name: one.findings() for one in [*readings, whole] if one.findings()} == {}


def test_every_other_page_and_error_keeps_to_what_was_agreed(public_door, role):
    with role("vigil_public"):
        shown = list(public_pages.pages_without_a_form(routes_of("public")))
    readings = [Reading(page.name, page.language, page.register, readability.in_pages(page.html)) for page in shown]
    assert len({page.name for page in shown}) > 60
    assert {one.name: one.findings() for one in [*readings, *readability.together(readings)] if one.findings()} == {}
