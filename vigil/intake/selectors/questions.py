"""Reads of question sets as they were asked, and of answers in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from vigil.core.hotline import hotline
from vigil.intake.models import AskedQuestions
from vigil.intake.questions import BadQuestions, Question, QuestionSet, from_text, named_set

MOST_REMEMBERED = 16


@dataclass(frozen=True)
class AnswerWords:
    """One question of a report with its answer, in words, as it was asked."""

    code: str
    question: str
    answers: tuple[str, ...]

    def __repr__(self) -> str:
        return f"AnswerWords({self.code})"


_STORED: dict[str, QuestionSet] = {}


def stored_set(digest: str) -> QuestionSet | None:
    """A question set as it was stored; None when there is none, or when its content was changed since."""
    if digest not in _STORED:
        body = AskedQuestions.objects.filter(digest=digest).values_list("body", flat=True).first()
        try:
            found = from_text(body) if body else None
        except (BadQuestions, ValueError):
            found = None
        if found is None or found.digest != digest:
            return None
        if len(_STORED) >= 16:
            _STORED.clear()
        _STORED[digest] = found
    return _STORED[digest]


def set_of_report(*, asked: str, name: str) -> QuestionSet | None:
    """The question set that a report was asked by: as stored, else the installation's set of that name."""
    return (stored_set(asked) if asked else None) or named_set(name)


def answers_in_words(
    question_set: QuestionSet | None, answers: Mapping[str, Any], *, language: str, young: bool = False
) -> list[AnswerWords]:
    """Questions and answers as they were asked, in the set's order; what the set does not know follows as codes."""
    known = question_set.questions if question_set is not None else ()
    found = [
        AnswerWords(
            question.code,
            question.text.said(language, young=young).replace("{emergency}", hotline().emergency),
            tuple(answer_in_words(question, answers[question.code], language=language, young=young)),
        )
        for question in known
        if answers.get(question.code)
    ]
    codes = {question.code for question in known}
    return found + [AnswerWords(code, code, tuple(_raw(value))) for code, value in answers.items() if code not in codes]


def answer_in_words(question: Question, answer: Any, *, language: str, young: bool = False) -> list[str]:
    """An answer as lines of text. A code that the question does not know stands as it is."""
    if not answer:
        return []
    if question.is_choice:
        unknown = [code for code in _raw(answer) if question.option(code) is None]
        return [option.text.said(language, young=young) for option in question.chosen(answer)] + unknown
    if question.type == "date_approx" and isinstance(answer, dict):
        said = {"about": _("about: %(date)s"), "unsure": _("I am not sure")}.get(str(answer.get("kind")), "%(date)s")
        return [said % {"date": answer.get("value", "")}]
    return _raw(answer)


def _raw(value: Any) -> list[str]:
    values: Iterable[Any] = value if isinstance(value, (list, tuple)) else [value]
    return [str(each) for each in values]
