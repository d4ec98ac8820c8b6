"""Question sets: the shipped one, an operator's own, what is refused and how it is named, and any valid set at all."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.hotlines import OPEN
from vigil.casework import triage
from vigil.core.hotline import DEFAULT_DIR, load
from vigil.intake import cli, selectors, services
from vigil.intake.drafts import stored_set
from vigil.intake.forms.report import PageForm
from vigil.intake.models import AskedQuestions, Report
from vigil.intake.questions import BadQuestions, QuestionSet, current_set, dates, from_text, read_set, signals
from vigil.intake.questions.model import CHOICES
from vigil.intake.questions.reading import SHIPPED_DIR, from_body
from vigil.intake.tests.conftest import ANSWERS, Browser, fill_in, receipt_on

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHIPPED = SHIPPED_DIR / "2026-11.toml"
LANGUAGES = ("en", "fr")


def shipped() -> QuestionSet:
    return read_set(SHIPPED, load(DEFAULT_DIR))


# ---- the shipped set ---------------------------------------------------------------------------------------------------
def test_the_shipped_set_has_six_screens_and_three_required_answers_and_no_needed_name():
    found = shipped()
    assert len(found.pages) + 1 <= 6
    assert len([question for question in found.questions if question.required]) + 1 <= 3
    assert not any(question.required for question in found.questions if question.place == "contact")


def test_every_hard_question_can_be_answered_with_doubt_or_left_out():
    for question in shipped().questions:
        codes = {option.code for option in question.options}
        if question.required:
            assert codes & {"unsure", "not_sure"}, question.code
        if question.code in {"age_band", "child_age_band", "region", "where"}:
            assert "prefer_not" in codes, question.code


def test_every_follow_up_of_triage_is_asked_in_its_situation():
    found = shipped()
    for signal, situations in triage.SITUATIONS_OF_FOLLOW_UP.items():
        question = found.meaning(signal)
        assert question is not None
        assert set(question.when["situations"]) <= situations, signal


def test_the_signals_of_the_set_are_those_that_triage_reads():
    assert set(triage.FOLLOW_UPS) == set(signals.FOLLOW_UPS)
    assert set(triage.SITUATIONS) == set(signals.SOME_OF["situations"])


def test_french_texts_are_well_set_and_speak_to_the_right_person():
    for key, words in shipped().words():
        for register, texts in (("vous", words.general), ("tu", words.young or {})):
            text = texts.get("fr", "")
            assert not re.search(r" [:;!?»]|« |[A-Za-zé]'[a-zé]", text), key
            spoken = set(re.findall(r"\w+", text.lower()))
            assert not spoken & (
                {"tu", "ton", "ta", "tes", "toi"} if register == "vous" else {"vous", "votre", "vos"}
            ), key


def test_sentences_are_short():
    for key, words in shipped().words():
        for texts in (words.general, words.young or {}):
            for text in texts.values():
                for sentence in re.split(r"(?<=[.?!])\s+", text):
                    assert len(re.findall(r"[\w’'-]+", sentence)) <= 25, (key, sentence)


# ---- what is refused, and how it is named ------------------------------------------------------------------------------
def changed(tmp_path: Path, *pairs: tuple[str, str]) -> Path:
    text = SHIPPED.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "own.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('text.fr = "Quel âge avez-', 'text.de = "Quel âge avez-', "pages[who].questions[age_band].text: has no text in fr"),
        ('means = "danger"', 'means = "hazard"', "pages[danger].questions[danger].means: 'hazard' is not one of"),
        ('means = "danger"', "", "pages: no question means 'danger'"),
        ('type = "radio"', 'type = "wheel"', "pages[danger].questions[danger].type"),
        ('when = { who = ["me"] }', 'when = { who = ["ego"] }', "questions[age_band].when.who: 'ego' is not one of its options"),
        ('when = { who = ["me"] }', 'when = { region = ["ON"] }', "questions[age_band].when.region: must be an earlier question"),
        ('options = "age_bands"', 'options = "ages"', "questions[age_band].options: there is no [[choices.ages]]"),
        ('panel = "danger"', 'panel = "alarm"', "options[yes].panel: there is no panel 'alarm'"),
        ('code = "age_band"', 'code = "who"', "pages.questions[who].code: stands here more than once"),
        ('code = "age_band"', 'code = "contact"', "the name 'contact' is the form's own"),
        ('fr = "pour-qui"', 'fr = "verifier"', "pages.address.fr: 'verifier' is used twice"),
        ('kept = "contact"', 'kept = "clear"', "questions[contact_name].kept"),
        ('told = ["links", ', 'told = ["who", ', "told: 'who' must be a question for words"),
        ('means = "who"', 'means = "who"\nrequired = true', "pages: 3 required questions"),
        ('languages = ["en", "fr"]', 'languages = ["en", "fr", "de"]', "told_missing: has no text in de"),
        ("row_text = {", "row_texts = {", "questions[links].row_texts: is not known here"),
        ('name = "2026-11"', 'name = "Two words"', "own.toml: name"),
        ("[[pages]]", "[[pages]", "own.toml: is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_key(tmp_path, old, new, said):
    with pytest.raises(BadQuestions) as error:
        read_set(changed(tmp_path, (old, new)), load(DEFAULT_DIR))
    assert any(said in problem for problem in error.value.problems), error.value.problems
    assert all("own.toml" in problem for problem in error.value.problems)


def test_a_file_may_take_all_but_some_keys_from_a_shipped_set(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('extends = "2026-11"\nname = "2027-01"\ntold = ["narrative"]\n')
    found = read_set(file, load(DEFAULT_DIR))
    assert (found.name, found.told, found.pages) == ("2027-01", ("narrative",), shipped().pages)
    assert found.digest != shipped().digest
    file.write_text(
        'extends = "2026-11"\nname = "2026-12"\n[[panels.scam.places]]\n'
        'name = { en = "Fraud line", fr = "Ligne contre la fraude" }\nphone = "555-0100"\n'
    )
    found = read_set(file, load(DEFAULT_DIR))
    assert found.panels["scam"].places[0].phone_target == "5550100"
    assert {**found.panels, "scam": None} == {**shipped().panels, "scam": None}
    file.write_text('extends = "../hotline"\nname = "2027-01"\n')
    with pytest.raises(BadQuestions, match="must name a shipped question set"):
        read_set(file, load(DEFAULT_DIR))


def own_hotline(tmp_path: Path, **files: str) -> Path:
    (tmp_path / "questions").mkdir()
    (tmp_path / "hotline.toml").write_text((OPEN / "hotline.toml").read_text())
    for name, text in files.items():
        (tmp_path / "questions" / f"{name}.toml").write_text(text)
    return tmp_path


def test_the_operators_folder_replaces_what_is_asked(tmp_path, settings):
    own = (
        SHIPPED.read_text()
        .replace("Who are you reporting for?", "For whom is this report?")
        .replace('"2026-11"', '"own"')
    )
    settings.HOTLINE_DIR = own_hotline(tmp_path, own=own)
    assert current_set().name == "own"
    assert current_set().questions[1].text.said("en") == "For whom is this report?"


def test_the_commands_say_what_is_there_and_what_is_wrong(tmp_path, capsys):
    folder = own_hotline(tmp_path, own=SHIPPED.read_text().replace('name = "2026-11"', 'name = "own"'))
    assert cli.check_questions(folder, None) == 0 and cli.list_questions(folder) == 0
    printed = capsys.readouterr().out
    assert "usable" in printed and re.search(r"^  2026-11 ", printed, re.M) and re.search(r"^\* own ", printed, re.M)
    (folder / "questions" / "own.toml").write_text("name = 1")
    assert cli.check_questions(folder, None) == 1
    assert "own.toml: " in capsys.readouterr().out
    assert cli.check_questions(folder, SHIPPED) == 0


def test_the_command_line_knows_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "vigil.cli", "questions", "list"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "* 2026-11" in done.stdout


# ---- old reports render as asked -----------------------------------------------------------------------------------------
def test_a_report_renders_as_asked_after_its_set_was_replaced(public, owner, settings, tmp_path):
    own = (
        SHIPPED.read_text()
        .replace("Can people see who is in the picture?", "Is the face shown?")
        .replace('"2026-11"', '"own"')
    )
    fill_in(public)
    public.post("/en/report/check", action="send")
    receipt_on(public.text)
    with owner():
        first = Report.objects.get()
        summary = selectors.report_summary(first.id)
    settings.HOTLINE_DIR = own_hotline(tmp_path, own=own)
    (tmp_path / "questions" / "2026-11.toml").write_text(
        own.replace("Is the face shown?", "Replaced?").replace('"own"', '"2026-11"')
    )
    assert current_set().name in {"own", "2026-11"} and current_set().digest != summary.asked
    with owner():
        asked = selectors.set_of_report(asked=summary.asked, name=summary.question_set)
    for language, question, answer in (
        ("en", "Can people see who is in the picture?", "I am not sure"),
        ("fr", "Peut-on reconnaître la personne sur la photo\u00a0?", "Je ne sais pas"),
    ):
        shown = {row.code: row for row in selectors.answers_in_words(asked, summary.answers, language=language)}
        assert (shown["identifiable"].question, shown["identifiable"].answers) == (question, (answer,))


def test_a_set_whose_stored_content_was_changed_is_not_believed(db, owner):
    with owner():
        services.reports.keep_questions(shipped(), at=NOON)
        AskedQuestions.objects.update(body=AskedQuestions.objects.get().body.replace("danger right now", "peril"))
        selectors.questions._STORED.clear()
        assert stored_set(shipped().digest) is None


def test_the_public_door_cannot_change_a_stored_set(role):
    from django.db import ProgrammingError, connection, transaction

    with role("vigil_public"):
        services.reports.keep_questions(shipped(), at=NOON)
        assert stored_set(shipped().digest) == shipped()
        for statement in ("UPDATE intake_askedquestions SET body = ''", "DELETE FROM intake_askedquestions"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                connection.cursor().execute(statement)


def test_a_report_that_was_begun_keeps_its_questions_when_they_change(public, settings, tmp_path):
    public.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
    own = SHIPPED.read_text().replace("What do you know about it?", "Tell us more").replace('"2026-11"', '"own"')
    settings.HOTLINE_DIR = own_hotline(tmp_path, own=own)
    public.get("/en/report/details")
    assert "What do you know about it?" in public.text and "Tell us more" not in public.text
    other = Browser()
    other.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        other.post(f"/en/report/{step}", **ANSWERS[step])
    assert "Tell us more" in other.text


# ---- any door --------------------------------------------------------------------------------------------------------------
GIVEN = {
    "danger": "yes", "who": "known", "situations": ["threat", "other"], "deadline": "yes", "other_kind": "scam", "region": "QC",
    "links": ["https://pictures.example/1"], "handles": ["name123"], "where": "chat", "where_name": "Chat app",
    "happened": {"kind": "month", "value": "2026-11"}, "narrative": "Words.", "child_name": "Robin", "child_age_band": "13_15",
    "contact_way": "555-0100", "contact_safety": "careful", "is_me": "yes",
}  # fmt: skip


def test_a_report_can_be_taken_without_a_draft_and_is_the_same_report(role, owner):
    from vigil.core.actors import REPORTER

    with role("vigil_public"):
        receipt = services.take_report(GIVEN, source="web", language="fr", at=NOON, actor=REPORTER)
        assert services.open_thread(number=receipt.number, secret=receipt.secret).state == "received"
    with owner():
        report = Report.objects.get(number=receipt.number)
        assert report.asked.name == "2026-11" and report.question_set == "2026-11"
    assert report.answers == {
        "danger": "yes", "who": "known", "situations": ["threat", "other"], "deadline": "yes", "other_kind": "scam",
        "region": "QC", "where": "chat", "child_age_band": "13_15", "contact": "yes",
    }  # fmt: skip
    assert report.signals == {
        "danger": "yes", "who": "known", "situations": ["threat", "other"], "deadline": "yes", "out_of_scope": "scam",
        "region": "QC", "child_age_band": "13_15",
    }  # fmt: skip
    sealed = b"".join(map(bytes, (report.narrative, report.words, report.contact)))
    assert not any(word in sealed for word in (b"Words", b"Robin", b"555-0100", b"Chat app", b"2026-11"))
    assert triage.band_of(report.signals).level == 0


@pytest.mark.parametrize(
    ("answers", "problems"),
    [
        ({}, {"danger": "missing", "situations": "missing", "narrative": "missing"}),
        ({**GIVEN, "colour": "blue"}, {"colour": "unknown_question"}),
        ({**GIVEN, "danger": "perhaps"}, {"danger": "unknown_choice"}),
        ({**GIVEN, "situations": "threat"}, {"situations": "unknown_choice"}),
        ({**GIVEN, "links": ["no address here"]}, {"links": "not_an_address"}),
        ({**GIVEN, "handles": ["x" * 201]}, {"handles": "too_long"}),
        ({**GIVEN, "happened": "yesterday"}, {"happened": "not_a_date"}),
        ({**GIVEN, "narrative": "a\x00b"}, {"narrative": "too_long"}),
        ({**GIVEN, "links": [f"https://a.example/{n}" for n in range(21)]}, {"links": "too_many"}),
    ],
)
def test_answers_that_cannot_be_used_are_named_by_question(db, answers, problems):
    from vigil.core.actors import REPORTER
    from vigil.intake.errors import UnusableAnswers

    with pytest.raises(UnusableAnswers) as error:
        services.take_report(answers, source="web", language="en", at=NOON, actor=REPORTER)
    assert error.value.fields == problems
    assert not Report.objects.exists()


# ---- dates -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "text", "language", "read"),
    [
        ("day", "2026-11-24", "en", ("day", "2026-11-24")),
        ("", "24 November 2026", "en", ("day", "2026-11-24")),
        ("day", "1 décembre 2026", "fr", ("day", "2026-12-01")),
        ("day", "November 24, 2026", "fr", ("day", "2026-11-24")),
        ("day", "24/11/2026", "en", ("day", "2026-11-24")),
        ("day", "05/06/2026", "en", ("about", "05/06/2026")),
        ("month", "2026-11", "en", ("month", "2026-11")),
        ("", "aout 2026", "fr", ("month", "2026-08")),
        ("day", "November 2026", "en", ("about", "November 2026")),
        ("", "last summer", "en", ("about", "last summer")),
        ("day", "2026-02-30", "en", ("about", "2026-02-30")),
        ("unsure", "", "en", ("unsure", "")),
        ("unsure", "maybe May", "en", ("about", "maybe May")),
    ],
)
def test_dates_are_read_or_kept_as_words(kind, text, language, read):
    assert dates.date_answer(kind, text, language=language) == {"kind": read[0], "value": read[1]}


@given(text=st.text(max_size=100), kind=st.sampled_from(["", "day", "month", "about", "unsure", "odd"]))
def test_any_text_for_a_date_is_an_answer_or_none(text, kind):
    answer = dates.date_answer(kind, text, language="fr")
    assert answer is None or dates.is_date_answer(answer)


# ---- any valid set ---------------------------------------------------------------------------------------------------------
TEXT = st.text(st.characters(categories=("L", "N", "P", "Zs")), min_size=1, max_size=30).filter(str.strip)
WORDS = st.fixed_dictionaries(
    {"en": TEXT, "fr": TEXT}, optional={"young": st.fixed_dictionaries({"en": TEXT, "fr": TEXT})}
)
NUMBERED = WORDS.map(
    lambda words: {code: "{number}" if code != "young" else {"en": "{number}", "fr": "{number}"} for code in words}
)


@st.composite
def question_sets(draw: st.DrawFn) -> dict[str, object]:
    """Content of a valid set: the needed questions, a telling one, and any others of any type with any conditions."""
    needed = [
        {"code": code, "type": kind, "means": code, "required": code != "who", "missing": draw(WORDS), "text": draw(WORDS),
         "options": [{"code": value, "text": draw(WORDS)} for value in values]}
        for code, kind, values in (
            ("danger", "radio", ["yes", "no", "unsure"]), ("who", "select", ["me", "saw"]),
            ("situations", "checkbox", ["threat", "other", "not_sure"]),
        )
    ]  # fmt: skip
    others: list[dict[str, object]] = []
    for number in range(draw(st.integers(0, 6))):
        kind = draw(
            st.sampled_from(["radio", "checkbox", "select", "text", "textarea", "links", "handles", "date_approx"])
        )
        question: dict[str, object] = {"code": f"q{number}x", "type": kind, "text": draw(WORDS)}
        if kind in CHOICES:
            codes = draw(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=4, unique=True))
            question["options"] = [{"code": code, "text": draw(WORDS)} for code in codes]
            question["kept"] = draw(st.sampled_from(["", "clear", "words", "contact"]))
        if kind in {"links", "handles"}:
            question |= {"row_text": draw(NUMBERED), "add_text": draw(WORDS), "rows": draw(st.integers(1, 20))}
        if draw(st.booleans()):
            question["when"] = (
                {"situations": ["threat"]} if draw(st.booleans()) else {"who": ["me"], "danger": ["yes", "no"]}
            )
        if draw(st.booleans()):
            question |= {"help": draw(WORDS), "short": draw(WORDS), "section": draw(WORDS)}
        others.append(question)
    told = {"code": "told", "type": "textarea", "means": "narrative", "text": draw(WORDS)}
    pages = [
        {"code": f"p{index}", "address": {"en": f"p{index}", "fr": f"fp{index}"}, "questions": [question]}
        for index, question in enumerate(needed)
    ]
    last = {"code": "last", "address": {"en": "last", "fr": "dernier"}, "title": draw(WORDS), "intro": [draw(WORDS)]}
    return {
        "name": "any", "languages": ["en", "fr"], "told": ["told"], "told_missing": draw(WORDS),
        "pages": [*pages, {**last, "questions": [*others, told]}],
    }  # fmt: skip


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(body=question_sets(), data=st.data())
def test_any_valid_set_renders_and_checks_answers_in_both_languages(body, data):
    from django.template.loader import render_to_string

    asked = from_body(body)
    assert from_text(asked.text).digest == asked.digest
    answers: dict[str, object] = {}
    for page in asked.pages:
        typed: dict[str, object] = {}
        for question in asked.shown(page, answers):
            if question.is_choice:
                typed[question.code] = [data.draw(st.sampled_from([option.code for option in question.options]))]
            elif question.code == "told" or data.draw(st.booleans()):
                typed[question.field_names[0]] = ["https://pictures.example/1"]
        names: dict[str, list[str]] = {}
        for language in LANGUAGES:
            with translation.override(language):
                form = PageForm(
                    querydict(typed), asked=asked, page=page, answers=answers, language=language, young=False, rows={}
                )
                assert form.is_valid(), form.errors
                names[language] = list(form.fields)
                html = render_to_string("intake/question.html", {
                    "form": form, "parts": form.parts, "title": form.say(page.title), "language_form": "step",
                    "intro": [], "panels": [], "operator": {}, "emergency": "911",
                })  # fmt: skip
                assert html.count("<h1") == 1
                for question in asked.shown(page, answers):
                    assert translation_of(question.text.said(language)) in html
        assert names["en"] == names["fr"]
        answers |= form.values()
    given_answers = {code: value for code, value in answers.items() if value}
    assert asked.problems(given_answers) == {}
    parts = services.reports.sort_answers(asked, given_answers)
    assert parts.narrative == "https://pictures.example/1"
    for question in asked.questions:
        if question.place != "clear":
            assert question.code not in parts.clear


def querydict(typed: dict[str, object]):
    from django.http import QueryDict

    data = QueryDict(mutable=True)
    for name, values in typed.items():
        data.setlist(name, values)
    return data


def translation_of(text: str) -> str:
    from django.utils.html import escape

    return str(escape(text))


@hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(body=question_sets(), data=st.data())
def test_a_set_with_one_thing_broken_is_refused_and_the_key_is_named(body, data):
    page = data.draw(st.sampled_from(body["pages"]))
    question = data.draw(st.sampled_from(page["questions"]))
    breakage = data.draw(st.sampled_from(["language", "type", "unknown", "condition", "means", "slug", "again"]))
    if breakage == "language":
        question["text"] = {"en": "Only English"}
    elif breakage == "type":
        question["type"] = "dial"
    elif breakage == "unknown":
        question["colour"] = "blue"
    elif breakage == "condition":
        question["when"] = {"nobody": ["a"]}
    elif breakage == "means":
        question["means"] = "fortune"
    elif breakage == "slug":
        page["address"] = {"en": "check", "fr": "x"}
    else:
        page["questions"].append(dict(question))
    with pytest.raises(BadQuestions) as error:
        from_body(body)
    assert all(re.match(r"(pages|told)[\[.:]", problem) for problem in error.value.problems), error.value.problems
