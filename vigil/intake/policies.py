"""Who may do what in intake, beyond the table of accounts: the public door is open to everybody, once it is open at all."""

from __future__ import annotations

from vigil.intake import questions as q


def missing_step(answers: dict[str, object], done: list[str]) -> str | None:
    """The first step that must be answered before a report can be sent, or None."""
    needed = {"danger": "danger", "who": "who", "about": "situations"}
    for step in q.QUESTION_STEPS:
        if step not in done or (step in needed and not answers.get(needed[step])):
            return step
    told = any(answers.get(name) for name in ("links", "handles", "narrative"))
    return None if told else "details"
