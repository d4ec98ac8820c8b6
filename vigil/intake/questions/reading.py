"""From files to question sets: TOML, expanded with the hotline's regions and languages, checked, errors named by file and key."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vigil.core.hotline import Hotline
from vigil.intake.questions import signals
from vigil.intake.questions.model import (
    CHOICES,
    MAX_CHARACTERS,
    MAX_REQUIRED,
    RESERVED,
    RESERVED_ADDRESSES,
    Question,
    QuestionSet,
)

SHIPPED_DIR = Path(__file__).resolve().parent.parent / "question_sets"


class BadQuestions(Exception):
    """A question set cannot be used; `problems` has every reason found, each with file and key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_set(file: Path, hotline: Hotline) -> QuestionSet:
    """Read and check one file for one installation. Raises BadQuestions with everything that is wrong."""
    raw = _raw(file)
    try:
        return from_body(_expanded(raw, hotline))
    except BadQuestions as error:
        raise BadQuestions([f"{file}: {problem}" for problem in error.problems]) from None


def from_body(body: Mapping[str, Any]) -> QuestionSet:
    """A question set from its content, as stored. Raises BadQuestions; problems name the key."""
    try:
        found = QuestionSet.model_validate({**body, "body": dict(body)})
    except ValidationError as error:
        raise BadQuestions([_problem(body, each) for each in error.errors()]) from None
    if problems := list(_problems(found)):
        raise BadQuestions(problems)
    return found


def from_text(text: str) -> QuestionSet:
    """A question set from its canonical JSON. Raises BadQuestions."""
    return from_body(json.loads(text))


def sets_of(hotline: Hotline) -> tuple[dict[str, QuestionSet], list[str]]:
    """Every usable set of an installation by name, and what is wrong with the others.

    Shipped ones first, then those of the hotline's folders from the farthest to its own: a later one replaces a set of
    the same name.
    """
    found: dict[str, QuestionSet] = {}
    problems: list[str] = []
    for file in files_of(hotline):
        try:
            each = read_set(file, hotline)
        except BadQuestions as error:
            problems += error.problems
            continue
        found.pop(each.name, None)
        found[each.name] = each  # the nearest folder's sets come last
    return found, problems


def files_of(hotline: Hotline) -> list[Path]:
    """The files that an installation's sets are read from, the shipped ones first."""
    folders = [SHIPPED_DIR, *(folder / "questions" for folder in reversed(hotline.folders))]
    return [file for folder in folders for file in sorted(folder.glob("*.toml"))]


def chosen_set(sets: Mapping[str, QuestionSet], hotline: Hotline) -> QuestionSet | None:
    """The set that is asked: the last one (by folder, then by name) that has every public language of the installation."""
    fitting = [each for each in sets.values() if set(hotline.codes) <= set(each.languages)]
    return fitting[-1] if fitting else None


# ---- reading ---------------------------------------------------------------------------------------------------------
def _raw(file: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadQuestions([f"{file}: is not there"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadQuestions([f"{file}: cannot be read: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise BadQuestions([f"{file}: is not TOML: {error}"]) from None
    base = table.pop("extends", None)
    if base is None:
        return table
    target = SHIPPED_DIR / f"{base}.toml"
    if not isinstance(base, str) or target.parent != SHIPPED_DIR or target in seen or not target.is_file():
        raise BadQuestions([f"{file}: extends: must name a shipped question set, not {base!r}"])
    taken = _raw(target, (*seen, file))
    panels: dict[str, Any] = {}
    for each in (taken, table):
        for code, panel in (each.get("panels") or {}).items() if isinstance(each.get("panels"), dict) else ():
            both = isinstance(panel, dict) and isinstance(panels.get(code), dict)
            panels[code] = {**panels[code], **panel} if both else panel
    return {**taken, **table} | ({"panels": panels} if panels else {})


def _expanded(raw: dict[str, Any], hotline: Hotline) -> dict[str, Any]:
    """The content without shorthands: lists of choices put where they are used, regions and languages written out."""
    raw = json.loads(json.dumps(raw, default=str))
    lists = raw.pop("choices", {})
    languages = raw.get("languages")
    names = [each for each in languages if isinstance(each, str)] if isinstance(languages, list) else []
    for page in _tables(raw.get("pages")):
        for question in _tables(page.get("questions")):
            options = question.get("options")
            if isinstance(options, str):
                if not isinstance(lists, dict) or options not in lists:
                    raise BadQuestions([f"{_key_of(raw, page, question)}.options: there is no [[choices.{options}]]"])
                options = lists[options]
            if isinstance(options, list):
                question["options"] = [each for option in options for each in _written_out(option, names, hotline)]
    return raw


def _written_out(option: Any, languages: list[str], hotline: Hotline) -> Iterable[Any]:
    every = option.get("all") if isinstance(option, dict) else None
    if every == "regions":
        for region in hotline.regions:
            yield {"code": region.code, "text": {code: region.name(code) for code in languages}}
    elif every == "languages":
        for language in hotline.languages:
            yield {"code": language.code, "text": dict.fromkeys(languages, language.name)}
    else:
        yield option


def _tables(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _key_of(raw: Any, page: Any, question: Any) -> str:
    return f"pages[{page.get('code', '?')}].questions[{question.get('code', '?')}]"


# ---- problems, by key --------------------------------------------------------------------------------------------------
def _problem(body: Any, error: Any) -> str:
    """One of pydantic's findings as `pages[who].questions[age_band].text: what`."""
    key, place = "", body
    for part in error["loc"]:
        place = _inside(place, part)
        if isinstance(part, int):
            code = place.get("code") if isinstance(place, dict) else None
            key += f"[{code if isinstance(code, str) else part}]"
        elif part != "general":
            key += f".{part}" if key else str(part)
    what = {"missing": "is missing", "extra_forbidden": "is not known here"}.get(error["type"], error["msg"])
    return f"{key}: {what}" if key else what


def _inside(place: Any, part: Any) -> Any:
    try:
        return place[part]
    except (KeyError, IndexError, TypeError):
        return place if part == "general" else None


def _problems(found: QuestionSet) -> Iterable[str]:
    """What the shape alone does not say: languages, codes, conditions, meanings, limits."""
    yield from _language_problems(found)
    yield from _code_problems(found)
    yield from _meaning_problems(found)
    required = [question.code for question in found.questions if question.required]
    if len(required) + 1 > MAX_REQUIRED:
        yield f"pages: {len(required)} required questions and one of `told` are more than {MAX_REQUIRED}: {', '.join(required)}"
    for code in found.told:
        question = found.question(code)
        if question is None or question.is_choice or question.type == "date_approx" or question.when:
            yield f"told: {code!r} must be a question for words, links or handles that everybody is asked"
    for page in found.pages:
        for question in page.questions:
            key = f"pages[{page.code}].questions[{question.code}]"
            yield from (f"{key}.{problem}" for problem in _question_problems(question))
            yield from (f"{key}.when{problem}" for problem in _condition_problems(found, question))
        if page.title is None and (page.questions[0].has_rows or page.questions[0].type == "date_approx"):
            yield f"pages[{page.code}].title: is missing (its first question cannot be the heading)"


def _language_problems(found: QuestionSet) -> Iterable[str]:
    wanted = set(found.languages)
    for key, words in found.words():
        for name, texts in ((key, words.general), (f"{key}.young", words.young)):
            if texts is not None and set(texts) != wanted:
                yield f"{name}: {_difference(wanted, set(texts))}"
    for page in found.pages:
        if set(page.address) != wanted:
            yield f"pages[{page.code}].address: {_difference(wanted, set(page.address))}"
    for code, panel in found.panels.items():
        for index, place in enumerate(panel.places):
            for name, texts in (("name", place.name), ("site", place.site)):
                if texts is not None and set(texts) != wanted:
                    yield f"panels.{code}.places[{index}].{name}: {_difference(wanted, set(texts))}"
            if not place.phone and not place.site:
                yield f"panels.{code}.places[{index}]: needs a phone or a site"


def _difference(wanted: set[str], given: set[str]) -> str:
    missing, extra = sorted(wanted - given), sorted(given - wanted)
    return "; ".join(
        [*([f"has no text in {', '.join(missing)}"] if missing else []),
         *([f"has a text in {', '.join(extra)}, which is not one of `languages`"] if extra else [])]
    )  # fmt: skip


def _twice(values: Iterable[str]) -> list[str]:
    listed = list(values)
    return sorted({value for value in listed if listed.count(value) > 1})


def _code_problems(found: QuestionSet) -> Iterable[str]:
    for code in _twice(page.code for page in found.pages):
        yield f"pages[{code}].code: stands here more than once"
    for code in _twice(question.code for question in found.questions):
        yield f"pages.questions[{code}].code: stands here more than once"
    for name in _twice(name for question in found.questions for name in set(question.field_names)):
        yield f"pages.questions: two questions have a field {name!r}; rename one (code or row)"
    for language in found.languages:
        slugs = [page.address.get(language, "") for page in found.pages]
        for slug in [*_twice(slugs), *(RESERVED_ADDRESSES & set(slugs))]:
            yield f"pages.address.{language}: {slug!r} is used twice"
    for page in found.pages:
        for question in page.questions:
            for name in RESERVED & {question.code, question.row_name}:
                yield f"pages[{page.code}].questions[{question.code}]: the name {name!r} is the form's own"
            for option in question.options:
                if option.panel and option.panel not in found.panels:
                    key = f"pages[{page.code}].questions[{question.code}].options[{option.code}]"
                    yield f"{key}.panel: there is no panel {option.panel!r}"


def _question_problems(question: Question) -> Iterable[str]:
    if question.is_choice:
        if len(question.options) < 2:
            yield "options: needs at least two"
        for code in _twice(option.code for option in question.options):
            yield f"options[{code}]: stands here more than once"
    elif question.options:
        yield f"options: a question of type {question.type} has none"
    if question.required and question.missing is None:
        yield "missing: is missing (what a person reads who leaves out a required answer)"
    if question.required and not question.is_choice:
        yield "required: only a question with options can be required; use `told` for words"
    if question.kept == "clear" and not question.is_choice:
        yield "kept: words are never kept in clear"
    if question.has_rows and question.kept:
        yield "kept: links and handles have their own place"
    if question.has_rows and (question.row_text is None or question.add_text is None):
        yield "row_text: rows need row_text and add_text"
    if question.row_text is not None and any("{number}" not in text for text in question.row_text.general.values()):
        yield "row_text: must have {number}"
    if question.characters and question.characters > MAX_CHARACTERS.get(question.type, 0):
        yield f"characters: at most {MAX_CHARACTERS.get(question.type, 0)} for type {question.type}"


def _condition_problems(found: QuestionSet, question: Question) -> Iterable[str]:
    order = {each.code: index for index, each in enumerate(found.questions)}
    same_page = found.depends_on_same_page(question)
    for code, wanted in question.when.items():
        asked = found.question(code)
        if asked is None or not asked.is_choice or order[code] >= order[question.code]:
            yield f".{code}: must be an earlier question with options"
            continue
        for value in wanted:
            if asked.option(value) is None:
                yield f".{code}: {value!r} is not one of its options"
        if not wanted:
            yield f".{code}: needs at least one option"
    if same_page and same_page in order:
        between = found.questions[order[same_page] + 1 : order[question.code]]
        if any(found.depends_on_same_page(each) != same_page or each.when != question.when for each in between):
            yield f".{same_page}: must stand directly after that question"
        if question.required:
            yield f".{same_page}: a question that opens on its own page cannot be required"


def _meaning_problems(found: QuestionSet) -> Iterable[str]:
    for signal in _twice(question.means for question in found.questions if question.means):
        yield f"pages.questions: two questions mean {signal!r}"
    for page in found.pages:
        for question in page.questions:
            key = f"pages[{page.code}].questions[{question.code}]"
            if question.means and question.means not in signals.EVERY:
                yield f"{key}.means: {question.means!r} is not one of {', '.join(signals.EVERY)}"
            elif question.means in signals.TEXTS and (question.is_choice or question.has_rows):
                yield f"{key}.means: {question.means!r} is a text"
            elif question.means in signals.SOME_OF and question.type != "checkbox":
                yield f"{key}.means: {question.means!r} needs type checkbox"
            elif question.means in signals.ONE_OF and question.type not in CHOICES[::2]:
                yield f"{key}.means: {question.means!r} needs type radio or select"
            for option in question.options:
                allowed = signals.SOME_OF.get(question.means) or signals.ONE_OF.get(question.means)
                if allowed is not None and option.signal not in allowed:
                    yield f"{key}.options[{option.code}].means: {option.signal!r} is not one of {', '.join(sorted(allowed))}"
    for signal in signals.NEEDED:
        question_ = found.meaning(signal)
        if question_ is None:
            yield f"pages: no question means {signal!r}, and without it nothing can be put in order of urgency"
        elif question_.when or question_.place != "clear":
            yield f"pages.questions[{question_.code}]: everybody is asked this, and its answer is kept in clear"
    for signal, kept in (("narrative", "words"), ("contact_way", "contact"), ("contact_name", "contact")):
        question_ = found.meaning(signal)
        if question_ is not None and question_.place != kept:
            yield f"pages.questions[{question_.code}].kept: must be {kept!r}"
