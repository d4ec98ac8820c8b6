"""Who may do what in intake, beyond the table of accounts: the public door is open to everybody, once it is open at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from vigil.intake.questions import QuestionSet


def missing_page(asked: QuestionSet, answers: Mapping[str, Any], done: Collection[str]) -> str | None:
    """The code of the first page that must be answered before a report can be sent, or None."""
    problems = asked.problems({code: value for code, value in answers.items() if asked.question(code)})
    wrong = {asked.page_of(code).code for code in problems}
    return next((page.code for page in asked.pages_for(answers) if page.code not in done or page.code in wrong), None)
