"""`vigil hotline check`: what is wrong with a folder of facts, and what an operator should know before opening."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from pathlib import Path

from vigil.core.hotline import FILE_NAME, PUBLIC_ROOMS, STAFF_LANGUAGES, BadHotline, Hotline, load

_ROOMS = Path(__file__).resolve().parent.parent


def check(folder: Path) -> tuple[list[str], list[str]]:
    """Problems that stop the start, and notes. Both are lines to read; without problems the folder can be used."""
    try:
        found = load(folder)
    except BadHotline as error:
        return [str(problem) for problem in error.problems], []
    return [], list(_notes(found))


def _notes(found: Hotline) -> Iterator[str]:
    file = found.folder / FILE_NAME
    yield f"{file}: languages {', '.join(found.codes)}; emergency {', '.join(found.emergency_numbers)}"
    yield f"{file}: {len(found.regions)} regions, {len(found.help_lines)} help lines, {len(found.logos)} logos"
    if not found.form_may_open:
        yield f"{file}: operator: the form stays closed until phone, hours and readers are named in {', '.join(found.codes)}"
    for statement in found.statements.values():
        if not statement.is_on:
            yield f"{file}: statements.{statement.code}: is off until its agreement is recorded"
    for code in found.codes:
        if not any(not line.languages or code in line.languages for line in found.help_lines):
            yield f"{file}: help_lines: none speaks {code}; the others are shown on its pages"
        if code not in STAFF_LANGUAGES:
            yield from _words_missing(found, code)


def _words_missing(found: Hotline, code: str) -> Iterator[str]:
    wanted = {message for room in PUBLIC_ROOMS for message in _messages(_ROOMS / room / "locale", "fr")}
    said = {message for folder in found.folders for message in _messages(folder / "locale", code)}
    missing = len(wanted - said)
    if missing:
        yield (
            f"{found.folder / 'locale'}: {missing} of {len(wanted)} sentences of the public pages have no text in {code} "
            "and are shown in English"
        )


def _messages(locale: Path, code: str) -> set[str]:
    """The messages that a compiled catalogue translates, each once whatever its plural forms."""
    language, _, country = code.partition("-")
    name = f"{language}_{country.upper() if len(country) <= 2 else country.title()}" if country else language
    file = locale / name / "LC_MESSAGES" / "django.mo"
    if not file.is_file():
        return set()
    with file.open("rb") as stream:
        catalogue = gettext.GNUTranslations(stream)._catalog  # type: ignore[attr-defined]  # Django reads it too
    return {key[0] if isinstance(key, tuple) else key for key, text in catalogue.items() if text} - {""}
