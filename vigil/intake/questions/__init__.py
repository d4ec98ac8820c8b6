"""What the form asks: versioned data (`question_sets/*.toml`, and an operator's own), and what answers mean."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from vigil.core.hotline import hotline
from vigil.intake.questions.model import Option, Page, Question, QuestionSet, Words
from vigil.intake.questions.reading import BadQuestions, chosen_set, from_text, read_set, sets_of

MAX_MESSAGE_CHARACTERS = 5000

__all__ = [
    "MAX_MESSAGE_CHARACTERS",
    "BadQuestions",
    "Option",
    "Page",
    "Question",
    "QuestionSet",
    "Words",
    "current_set",
    "from_text",
    "named_set",
    "read_set",
    "sets_of",
]


@cache
def _of(folder: Path) -> tuple[dict[str, QuestionSet], QuestionSet]:
    facts = hotline()
    sets, problems = sets_of(facts)
    current = chosen_set(sets, facts)
    if problems:
        raise BadQuestions(problems)
    if current is None:
        raise BadQuestions([f"no question set has every language of this hotline ({', '.join(facts.codes)})"])
    return sets, current


def current_set() -> QuestionSet:
    """The set that this installation asks now. Raises BadQuestions when a file is wrong or none fits the languages."""
    return _of(hotline().folder)[1]


def named_set(name: str) -> QuestionSet | None:
    """A set of this installation by its name, whether or not it is asked now."""
    return _of(hotline().folder)[0].get(name)
