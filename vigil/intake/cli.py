"""`vigil questions`: say which question sets an installation has, and check one before it is used."""

from __future__ import annotations

from pathlib import Path

from vigil.core.hotline import BadHotline, Hotline, load
from vigil.intake.questions import BadQuestions, read_set, sets_of
from vigil.intake.questions.reading import chosen_set, files_of


def check_questions(folder: Path, file: Path | None) -> int:
    """Check one file, or every question set of a hotline's folder; 1 when something is wrong."""
    facts = _hotline(folder)
    if facts is None:
        return 1
    problems: list[str] = []
    for each in [file] if file is not None else files_of(facts):
        try:
            found = read_set(each, facts)
        except BadQuestions as error:
            problems += error.problems
            continue
        if missing := sorted(set(facts.codes) - set(found.languages)):
            print(f"{each}: has no {', '.join(missing)}, so this hotline does not ask it")
    if file is None and not problems and chosen_set(sets_of(facts)[0], facts) is None:
        problems.append(f"no question set has every language of this hotline ({', '.join(facts.codes)})")
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems: not usable" if problems else "usable")
    return 1 if problems else 0


def list_questions(folder: Path) -> int:
    """Print every question set of a hotline's folder; the one that is asked is marked."""
    facts = _hotline(folder)
    if facts is None:
        return 1
    sets, problems = sets_of(facts)
    asked = chosen_set(sets, facts)
    for each in sets.values():
        mark = "*" if each is asked else " "
        counts = f"{len(each.pages)} pages, {len(each.questions)} questions"
        print(f"{mark} {each.name}  {each.digest[:12]}  {', '.join(each.languages)}  {counts}")
    for problem in problems:
        print(problem)
    return 1 if problems or asked is None else 0


def _hotline(folder: Path) -> Hotline | None:
    try:
        return load(folder)
    except BadHotline as error:
        print(error)
        return None
