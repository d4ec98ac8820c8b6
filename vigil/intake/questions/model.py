"""A question set: pages, questions, answers, and what they mean. Read from data, checked once, the same for every door."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vigil.core.addresses import normalise
from vigil.core.errors import Invalid
from vigil.core.hotline import LANGUAGE_PATTERN, said
from vigil.intake.questions import signals
from vigil.intake.questions.dates import is_date_answer

MAX_PAGES = 5  # with the check page: six screens
MAX_REQUIRED = 3
MAX_ROWS = 20
MAX_CHARACTERS = {"text": 300, "textarea": 5000, "links": 2048, "handles": 200}
CHOICES = ("radio", "checkbox", "select")
ROWS = ("links", "handles")
#: Names that the pages' forms use themselves.
RESERVED = frozenset({"trap", "action", "csrfmiddlewaretoken", "contact", "once", "number", "secret", "code"})
RESERVED_ADDRESSES = frozenset({"check", "sent", "saved", "verifier", "envoye", "garde"})

Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
OptionCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
LanguageCode = Annotated[str, Field(pattern=LANGUAGE_PATTERN, max_length=16)]
Sentence = Annotated[str, Field(min_length=1, max_length=400)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Answers = Mapping[str, Any]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Words(_Part):
    """One text in every language, and where needed a second time as it is said to a person under 18."""

    general: dict[LanguageCode, Sentence]
    young: dict[LanguageCode, Sentence] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError('must be a table of texts, for example { en = "...", fr = "..." }')
        return {"general": {code: text for code, text in value.items() if code != "young"}} | (
            {"young": value["young"]} if "young" in value else {}
        )

    def said(self, language: str, *, young: bool = False) -> str:
        """The text in one language, in the register that fits; a language without one gets the first that there is."""
        return said(self.young if young and self.young else self.general, language)


class Option(_Part):
    """One answer that can be chosen."""

    code: OptionCode
    text: Words
    means: str = ""
    panel: str = ""

    @property
    def signal(self) -> str:
        """The value that this answer gives its question's signal."""
        return self.means or self.code


class Question(_Part):
    """One question. Which attributes it may have goes by its type; `QuestionSet` checks what belongs together."""

    code: Code
    type: Literal["radio", "checkbox", "select", "text", "textarea", "links", "handles", "date_approx"]
    text: Words
    help: Words | None = None
    short: Words | None = None
    section: Words | None = None
    missing: Words | None = None
    wrong: Words | None = None
    too_long: Words | None = None
    row: Code | None = None
    row_text: Words | None = None
    add_text: Words | None = None
    options: tuple[Option, ...] = ()
    means: str = ""
    kept: Literal["", "clear", "words", "contact"] = ""
    required: bool = False
    when: dict[Code, tuple[OptionCode, ...]] = {}
    rows: Annotated[int, Field(ge=1, le=MAX_ROWS)] = MAX_ROWS
    characters: Annotated[int, Field(ge=1, le=5000)] | None = None
    lines: Annotated[int, Field(ge=2, le=20)] = 8

    @property
    def is_choice(self) -> bool:
        """Whether the answer is one or several of the options."""
        return self.type in CHOICES

    @property
    def has_rows(self) -> bool:
        """Whether several answers can be typed, each on a row of its own."""
        return self.type in ROWS

    @property
    def place(self) -> str:
        """Where the answer is kept: `clear` (codes), `words` (encrypted), `contact` (encrypted, can be withdrawn), `links`."""
        if self.has_rows:
            return "links"
        return self.kept or ("clear" if self.is_choice else "words")

    @property
    def row_name(self) -> str:
        """The name of the fields of one row, before its number."""
        return self.row or self.code

    @property
    def longest(self) -> int:
        """How many characters a typed answer may have."""
        return self.characters or MAX_CHARACTERS.get(self.type, 300)

    @property
    def field_names(self) -> tuple[str, ...]:
        """Every name that this question's fields can have in a form."""
        if self.has_rows:
            return tuple(f"{self.row_name}_{index}" for index in range(self.rows))
        return (self.code, f"{self.code}_kind") if self.type == "date_approx" else (self.code,)

    def option(self, code: Any) -> Option | None:
        """The option of a code."""
        return next((option for option in self.options if option.code == code), None)

    def chosen(self, answer: Any) -> list[Option]:
        """The options that an answer names, in the set's order."""
        codes = answer if isinstance(answer, (list, tuple)) else [answer]
        return [option for option in self.options if option.code in codes]

    def label(self, language: str, *, young: bool = False) -> str:
        """What the question is called on the check page and in the console."""
        return (self.short or self.text).said(language, young=young)

    def problem_with(self, answer: Any) -> str:
        """What is wrong with an answer: a code, or an empty text. Nothing given is not a problem here."""
        if answer in (None, "", [], ()):
            return ""
        if self.type == "checkbox":
            known = isinstance(answer, (list, tuple)) and all(self.option(code) for code in answer)
            return "" if known and len(set(answer)) == len(answer) else "unknown_choice"
        if self.is_choice:
            return "" if isinstance(answer, str) and self.option(answer) else "unknown_choice"
        if self.type == "date_approx":
            return "" if is_date_answer(answer) else "not_a_date"
        lines = answer if self.has_rows else [answer]
        if not isinstance(lines, (list, tuple)) or not all(isinstance(line, str) for line in lines):
            return "not_text"
        if len(lines) > (self.rows if self.has_rows else 1):
            return "too_many"
        if any("\x00" in line or len(line) > self.longest for line in lines):
            return "too_long"
        if self.type == "links" and not all(is_address(line) for line in lines):
            return "not_an_address"
        return ""


class Page(_Part):
    """One page of the form."""

    code: Code
    address: dict[LanguageCode, Slug]
    title: Words | None = None
    intro: tuple[Words, ...] = ()
    warning: Words | None = None
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]

    def slug(self, language: str) -> str:
        """The last part of its address in one language."""
        return said(self.address, language)


class Place(_Part):
    """A service that a panel points to."""

    name: dict[LanguageCode, Sentence]
    phone: Annotated[str, Field(pattern=r"^[\d +()-]{2,24}$")] | None = None
    site: dict[LanguageCode, Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+(/[\w./-]*)?$")]] | None = None

    @property
    def phone_target(self) -> str:
        """The number for a `tel:` link."""
        return re.sub(r"[^\d+]", "", self.phone or "")

    def in_language(self, language: str) -> dict[str, str]:
        """What a page shows of it."""
        return {
            "name": said(self.name, language),
            "phone": self.phone or "",
            "phone_target": self.phone_target,
            "site": said(self.site, language) if self.site else "",
        }


class Panel(_Part):
    """What a page says after an answer: in danger, or that somebody else is the right one (the report can still be sent)."""

    kind: Literal["danger", "elsewhere"]
    title: Words | None = None
    text: Annotated[tuple[Words, ...], Field(min_length=1)]
    places: tuple[Place, ...] = ()


class QuestionSet(_Part):
    """Everything that one form asks, in order. `body` is what it was read from, complete in itself; `digest` names it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]
    languages: Annotated[tuple[LanguageCode, ...], Field(min_length=1)]
    told: Annotated[tuple[Code, ...], Field(min_length=1)]
    told_missing: Words
    pages: Annotated[tuple[Page, ...], Field(min_length=1, max_length=MAX_PAGES)]
    panels: dict[Code, Panel] = {}
    body: dict[str, Any] = Field(default={}, exclude=True, repr=False)

    # ---- looking things up -----------------------------------------------------------------------------------------
    @cached_property
    def digest(self) -> str:
        """SHA-256 of the set's content: two sets of one name are told apart by it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def text(self) -> str:
        """The set's content as canonical JSON: what is stored beside the reports that it asked."""
        return json.dumps(self.body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Every question, in order."""
        return tuple(question for page in self.pages for question in page.questions)

    @cached_property
    def _questions(self) -> dict[str, Question]:
        return {question.code: question for question in self.questions}

    @cached_property
    def _page_of(self) -> dict[str, int]:
        return {question.code: index for index, page in enumerate(self.pages) for question in page.questions}

    @cached_property
    def _meaning(self) -> dict[str, Question]:
        return {question.means: question for question in self.questions if question.means}

    def question(self, code: str) -> Question | None:
        """One question by its code."""
        return self._questions.get(code)

    def meaning(self, signal: str) -> Question | None:
        """The question that gives a signal."""
        return self._meaning.get(signal)

    def page(self, code: str) -> Page | None:
        """One page by its code."""
        return next((page for page in self.pages if page.code == code), None)

    def page_at(self, slug: str, language: str) -> Page | None:
        """One page by the last part of its address."""
        return next((page for page in self.pages if page.slug(language) == slug), None)

    def page_of(self, question: str) -> Page:
        """The page that a question stands on."""
        return self.pages[self._page_of[question]]

    # ---- which questions belong to which answers ----------------------------------------------------------------------
    def applies(self, question: Question, answers: Answers) -> bool:
        """Whether a question belongs to the answers so far."""
        return self._holds(question.when, answers)

    def _holds(self, when: Mapping[str, tuple[str, ...]], answers: Answers) -> bool:
        for code, wanted in when.items():
            asked = self._questions.get(code)
            # An answer to a question that no longer belongs here opens nothing.
            if asked is None or not self._holds(asked.when, answers):
                return False
            if not {option.code for option in asked.chosen(answers.get(code))} & set(wanted):
                return False
        return True

    def depends_on_same_page(self, question: Question) -> str:
        """The code of the question of the same page that this one depends on, or an empty text."""
        here = self._page_of[question.code]
        return next((code for code in question.when if self._page_of.get(code) == here), "")

    def shown(self, page: Page, answers: Answers) -> list[Question]:
        """The questions that a page shows: those that belong to the answers of earlier pages."""
        here = self._page_of[page.questions[0].code]
        return [
            question
            for question in page.questions
            if self._holds(
                {code: w for code, w in question.when.items() if self._page_of.get(code, here) < here}, answers
            )
        ]

    def asked(self, answers: Answers) -> list[Question]:
        """The questions that belong to complete answers, in order."""
        return [question for question in self.questions if self.applies(question, answers)]

    def pages_for(self, answers: Answers) -> list[Page]:
        """The pages that have a question for these answers, in order."""
        return [page for page in self.pages if self.shown(page, answers)]

    # ---- what answers mean -------------------------------------------------------------------------------------------
    def signals(self, answers: Answers) -> dict[str, Any]:
        """What the answers that are kept in clear mean, in the fixed words of triage, whatever the set calls them."""
        found: dict[str, Any] = {}
        for question in self.asked(answers):
            if not question.is_choice or not question.means or question.place != "clear":
                continue  # what is kept encrypted is not said in clear by another name
            values = list(dict.fromkeys(option.signal for option in question.chosen(answers.get(question.code))))
            if values:
                found[question.means] = values if question.means in signals.SOME_OF else values[0]
        return found

    def is_under_18(self, answers: Answers) -> bool:
        """Whether the person reports for themself and says that they are under 18."""
        said_so = self.signals(answers)
        return said_so.get("who") == "me" and said_so.get("age_band") in signals.UNDER_18_BANDS

    def panels_for(self, answers: Answers) -> dict[str, str]:
        """The panels that answers open: panel code -> the code of the page whose answer opens it."""
        opened: dict[str, str] = {}
        for question in self.asked(answers):
            for option in question.chosen(answers.get(question.code)):
                if option.panel:
                    opened.setdefault(option.panel, self.page_of(question.code).code)
        return opened

    def meant(self, signal: str, answers: Answers) -> Any:
        """The answer to the question that means something, or None."""
        question = self.meaning(signal)
        return answers.get(question.code) if question is not None and self.applies(question, answers) else None

    def has_told(self, answers: Answers) -> bool:
        """Whether one of the questions of `told` is answered."""
        return any(answers.get(code) for code in self.told)

    def problems(self, answers: Answers, *, complete: bool = True) -> dict[str, str]:
        """What is wrong with answers, by question: codes. `complete=False` asks for nothing that is missing."""
        found = {code: "unknown_question" for code in answers if code not in self._questions}
        for question in self.asked(answers):
            answer = answers.get(question.code)
            if problem := question.problem_with(answer):
                found[question.code] = problem
            elif complete and question.required and not answer:
                found[question.code] = "missing"
        if complete and not self.has_told(answers):
            found[self.told[-1]] = found.get(self.told[-1]) or "missing"
        return found

    def words(self) -> Iterator[tuple[str, Words]]:
        """Every text with the key that it stands at: for checks of languages and of readability."""
        yield from _words_of(self, "")


def is_address(text: str) -> bool:
    """Whether a text can be read as a web address."""
    try:
        normalise(text)
    except Invalid:
        return False
    return True


def _words_of(part: Any, key: str) -> Iterator[tuple[str, Words]]:
    if isinstance(part, Words):
        yield key, part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            if name != "body":
                yield from _words_of(getattr(part, name), f"{key}.{name}" if key else name)
    elif isinstance(part, tuple):
        for index, each in enumerate(part):
            label = getattr(each, "code", index)
            yield from _words_of(each, f"{key}[{label}]")
    elif isinstance(part, dict):
        for name, each in part.items():
            yield from _words_of(each, f"{key}.{name}")
