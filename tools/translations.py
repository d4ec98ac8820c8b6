"""Translations without gettext's programs: Django's `templatize` and Babel do the reading and the writing.

    python -m tools.translations update [ROOM ...]    add missing messages to <room>/locale/fr/LC_MESSAGES/django.po
    python -m tools.translations compile              make the .mo files that Django reads (not in the repository)
    python -m tools.translations check                fail on missing, empty, fuzzy or ill-typeset messages
    python -m tools.translations update FOLDER        the same for another language of a hotline's folder (hotline.toml):
    python -m tools.translations compile FOLDER       what the public pages say, in FOLDER/locale/<language>/LC_MESSAGES

English is the message itself; French is written by hand. What another room has already translated is filled in.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation import to_locale

from tools import typography
from vigil.core.hotline import FILE_NAME, PUBLIC_ROOMS, STAFF_LANGUAGES, load

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = "fr"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_WITHOUT_MESSAGES = {"tests", "migrations", "static", "__pycache__"}
_CHANGING_HEADERS = re.compile(
    r'"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By|Report-Msgid)[^\n]*\n'
)
_PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
_TAGS = re.compile(r"</?[a-z][^>]*>")


def say(line: object) -> None:
    """One line to the person who ran this."""
    sys.stdout.write(f"{line}\n")


def rooms() -> list[Path]:
    """Folders that have a catalogue of their own."""
    found = [folder for folder in sorted((ROOT / "vigil").iterdir()) if (folder / "__init__.py").exists()]
    demo = ROOT / "vigil_demo"
    return [*found, *([demo] if (demo / "__init__.py").exists() else [])]


def catalogue_path(room: Path) -> Path:
    """Where a room keeps its French."""
    return room / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def _sources(room: Path) -> Iterator[Path]:
    for path in sorted(room.rglob("*")):
        parts = path.relative_to(room).parts
        if path.suffix in {".py", ".html", ".txt"} and not {"tests", "migrations", "static", "__pycache__"} & set(
            parts
        ):
            yield path


def _python_of(path: Path) -> bytes:
    """A file as Python source: templates are turned into calls of gettext, everything else in them blanked out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        from django.utils.translation.template import templatize

        lines = templatize(text, origin=str(path)).split("\n")
        text = "\n".join(line.lstrip() for line in lines)
    return text.encode()


def messages_of(room: Path) -> Catalog:
    """Every message in the room's code and templates, without translations."""
    catalogue = Catalog(locale=LANGUAGE, project="vigil", charset="utf-8")
    for path in _sources(room):
        name = path.relative_to(ROOT).as_posix()
        source = io.BytesIO(_python_of(path))
        for _line, message, comments, context in extract("python", source, KEYWORDS, comment_tags=("Translators:",)):
            catalogue.add(message, locations=[(name, 0)], auto_comments=comments, context=context)
    return catalogue


def translations_of(room: Path) -> Catalog:
    """The room's French catalogue as it stands, empty when there is none."""
    path = catalogue_path(room)
    if not path.exists():
        return Catalog(locale=LANGUAGE, project="vigil", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=LANGUAGE, charset="utf-8")


def _is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return all(strings) and not message.fuzzy


def update(names: list[str]) -> int:
    """Add missing messages, drop messages that no code uses, keep every translation that is still wanted."""
    known = {
        (message.context, message.id): message.string
        for room in rooms()
        for message in translations_of(room)
        if message.id and _is_translated(message)
    }
    for room in rooms():
        if names and room.name not in names:
            continue
        wanted, old = messages_of(room), translations_of(room)
        if not len(wanted):
            continue
        empty = 0
        for message in wanted:
            if not message.id:
                continue
            before = old.get(message.id, context=message.context)
            if before is not None and before.string and not before.fuzzy:
                message.string = before.string
                message.user_comments = before.user_comments
            elif (message.context, message.id) in known:
                message.string = known[message.context, message.id]
            empty += not _is_translated(message)
        path = catalogue_path(room)
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        write_po(buffer, wanted, width=110, omit_header=False, sort_by_file=True, include_lineno=False)
        path.write_bytes(_without_dates(buffer.getvalue()))
        say(f"{room.name}: {len(wanted)} messages, {empty} without French")
    return 0


def _without_dates(po: bytes) -> bytes:
    """Drop the header lines that change at every run and the comment block above the header."""
    text = po.decode()
    text = text[text.index("msgid") :]
    text = _CHANGING_HEADERS.sub("", text)
    return f"# French messages of this room. English is the message itself.\n{text}".encode()


def compile_all() -> int:
    """Write a .mo beside every .po."""
    for room in rooms():
        source = catalogue_path(room)
        if not source.exists():
            continue
        target = source.with_suffix(".mo")
        # Written apart and moved: a process that starts meanwhile reads a whole file.
        part = target.with_suffix(".mo.part")
        with part.open("wb") as file:
            write_mo(file, translations_of(room))
        part.replace(target)
    return 0


def problems_of(room: Path) -> list[str]:
    """What is wrong with the room's French, one line each."""
    found: list[str] = []
    translated = translations_of(room)
    for message in messages_of(room):
        if not message.id:
            continue
        shown = message.id if isinstance(message.id, str) else message.id[0]
        french = translated.get(message.id, context=message.context)
        if french is None:
            found.append(f"missing: {shown!r}")
            continue
        if not _is_translated(french):
            found.append(f"{'fuzzy' if french.fuzzy else 'empty'}: {shown!r}")
            continue
        strings = french.string if isinstance(french.string, (tuple, list)) else (french.string,)
        for text in filter(None, strings):
            english = message.id if isinstance(message.id, str) else message.id[1]
            if set(_PLACEHOLDERS.findall(text)) - set(_PLACEHOLDERS.findall(english)):
                found.append(f"placeholder that English does not have: {text!r}")
            if isinstance(message.id, str) and set(_PLACEHOLDERS.findall(english)) - set(_PLACEHOLDERS.findall(text)):
                found.append(f"placeholder lost: {text!r}")
            plain = _TAGS.sub("", text)
            found += typography.problems_of(plain)
    return found


def check() -> int:
    """Print every problem of every room; 1 when there is one."""
    count = 0
    said: dict[tuple[str | None, str], tuple[str, str]] = {}
    for room in rooms():
        for problem in problems_of(room):
            count += 1
            say(f"{room.name}: {problem}")
        for message in translations_of(room):
            # Django merges the catalogues of all rooms: one message must not have two translations.
            if not isinstance(message.id, str) or not message.id or not isinstance(message.string, str):
                continue
            first = said.setdefault((message.context, message.id), (room.name, message.string))
            if first[1] != message.string:
                count += 1
                say(f"{room.name}: {message.id!r} is translated otherwise in {first[0]} (use a message context)")
    say(f"translations: {count} problems" if count else "translations: complete")
    return 1 if count else 0


# ---- languages of a hotline's own folder ----------------------------------------------------------------------------
def public_messages(language: str) -> Catalog:
    """Every message of the rooms that the report site speaks with, without translations."""
    catalogue = Catalog(project="vigil", charset="utf-8")
    for room in rooms():
        if room.name in PUBLIC_ROOMS:
            for message in messages_of(room):
                if message.id:
                    catalogue.add(message.id, context=message.context, auto_comments=message.auto_comments)
    return catalogue


def hotline_catalogues(folder: Path) -> dict[str, Path]:
    """The .po file of each language that the hotline's folder adds to English and French."""
    return {
        language.code: folder / "locale" / to_locale(language.code) / "LC_MESSAGES" / "django.po"
        for language in load(folder).languages
        if language.code not in STAFF_LANGUAGES
    }


def update_folder(folder: Path) -> int:
    """Write what is to be translated, keeping what has been."""
    for language, path in hotline_catalogues(folder).items():
        old = Catalog()
        if path.exists():
            with path.open("rb") as file:
                old = read_po(file, charset="utf-8")
        wanted, empty = public_messages(language), 0
        for message in wanted:
            before = old.get(message.id, context=message.context) if message.id else None
            if before is not None and before.string and not before.fuzzy:
                message.string = before.string
            empty += bool(message.id) and not _is_translated(message)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, wanted, width=110, sort_output=True)
        say(f"{path}: {len(wanted)} messages, {empty} to translate")
    return 0


def compile_folder(folder: Path) -> int:
    """Write a .mo beside every .po of the folder."""
    for path in sorted((folder / "locale").glob("*/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            catalogue = read_po(file, charset="utf-8")
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
    return 0


def main(arguments: list[str]) -> int:
    """Run one command; the exit status says whether it found problems."""
    command = arguments[0] if arguments else ""
    if command in {"update", "compile"} and len(arguments) == 2 and (Path(arguments[1]) / FILE_NAME).exists():
        return (update_folder if command == "update" else compile_folder)(Path(arguments[1]))
    if command == "update":
        return update(arguments[1:])
    if command == "compile":
        return compile_all()
    if command == "check":
        return check()
    say(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
