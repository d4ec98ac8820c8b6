"""The one simple format of lists: a line is a report. `link ; category ; note`, or a table whose first row names its columns.

A separator is `;` or a tab; a comma only in a table whose first row has commas. A field in double quotes may have any of them.
Category and note may be left out. What is no category belongs to the note: nothing that was written is dropped.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

from vigil.core.addresses import normalise
from vigil.core.errors import Invalid

MOST_ROWS = 500
MOST_BYTES = 262_144
MOST_LINK_CHARACTERS = 2048
MOST_NOTE_CHARACTERS = 2000
#: What a line is about when it does not say.
USUAL = "seen_material"

CATEGORIES: dict[str, tuple[str, ...]] = {
    "enticement": ("luring", "leurre"),
    "threat": ("sextortion", "menace", "sextorsion"),
    "shared_image": ("image partagée", "image partagee"),
    "seen_material": ("material", "csam", "contenu", "contenu vu"),
    "trafficking": ("traite",),
    "ai_image": ("ai", "ia", "image ia"),
    "other": ("autre",),
    "not_sure": ("unsure", "incertain"),
}
_SITUATION_OF = {word: code for code, words in CATEGORIES.items() for word in (code, *words)}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "link": ("link", "url", "lien", "adresse", "address"),
    "category": ("category", "catégorie", "categorie", "situation", "type"),
    "note": ("note", "notes", "comment", "commentaire", "remarque"),
}
_COLUMN_OF = {word: name for name, words in _COLUMNS.items() for word in words}
#: Columns of our own table of lines that were not taken: when it comes back they say nothing.
_OURS = frozenset({"line", "ligne", "reason", "motif"})
_SCHEME = re.compile(r"(?i)^h(?:tt|xx)p(s?)(?:://|\[://\]|\[:\]//)")
_DOT = re.compile(r"(?i)\[\.\]|\(\.\)|\[dot\]|\{\.\}")
_IN_TEXT = re.compile(r"(?i)(?:\bh(?:tt|xx)ps?(?:://|\[://\]|\[:\]//)|\bwww(?:\.|\[\.\]))[^\s<>\"“”«»]+")
_FORMULA = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True)
class Line:
    """One line that is a report. `number` counts from 1, as in the sender's own file. `place`: the link in normal form."""

    number: int
    raw: str
    link: str
    place: str
    situation: str
    note: str

    def __repr__(self) -> str:
        return f"Line({self.number})"


@dataclass(frozen=True)
class RefusedLine:
    """One line that is no report, and why (a code)."""

    number: int
    raw: str
    code: str

    def __repr__(self) -> str:
        return f"RefusedLine({self.number}, {self.code})"


Parsed = Line | RefusedLine


def parse_list(text: str, *, most_rows: int = MOST_ROWS) -> list[Parsed]:
    """Every line that is not empty and no comment (`#`), in order: as a report, or with the reason why not.

    Lines past `most_rows` are refused one by one, so that the sender knows which to send again.
    """
    rows = [(number, raw) for number, raw in enumerate(text.split("\n"), 1) if raw.strip() and not _is_comment(raw)]
    columns, comma = _head(rows[0][1]) if rows else ({}, False)
    if columns:
        rows = rows[1:]
    return [
        _parsed(number, raw.strip(), columns, comma) if index < most_rows else RefusedLine(number, raw, "line.too_many")
        for index, (number, raw) in enumerate(rows)
    ]


def links_in(text: str) -> list[str]:
    """The links that stand in a free text, each place once, in order."""
    found: dict[str, str] = {}
    for match in _IN_TEXT.finditer(text):
        link = undefanged(match.group().rstrip(".,;:!?'’)]}>"))
        if (place := place_of(link)) and len(link) <= MOST_LINK_CHARACTERS:
            found.setdefault(place, link)
    return list(found.values())


def begins_with_link(line: str) -> bool:
    """Whether a line is one of a list: it begins with http, hxxp or www."""
    first = line.strip().lstrip('"').lower()
    return bool(_SCHEME.match(first)) or first.startswith(("www.", "www[.]"))


def undefanged(text: str) -> str:
    """A link as it was before somebody made it harmless: `hxxps://pictures[.]example` -> `https://pictures.example`."""
    return _DOT.sub(".", _SCHEME.sub(lambda match: f"http{match.group(1).lower()}://", text.strip()))


def place_of(link: str) -> str:
    """The normal form of a link, or an empty text when it is none."""
    if not link or re.search(r"\s", link):
        return ""
    try:
        place = normalise(link)
    except Invalid:
        return ""
    host = re.sub(r"^https?://", "", place).split("/")[0]
    return place if re.search(r"[^.]\.[^.]|\]", host) else ""


def as_csv(rows: Iterable[Iterable[str]]) -> str:
    """A table that a spreadsheet opens as text: a cell that would be a formula there begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows)
    return out.getvalue()


def _is_comment(raw: str) -> bool:
    return raw.lstrip().startswith("#")


def _head(raw: str) -> tuple[dict[str, int], bool]:
    """Which column is which, when the first row says so; and whether commas separate."""
    for comma in (False, True):
        names = [cell.strip().lower() for cell in _cells(raw, comma)]
        if _COLUMN_OF.get(names[0] if names else "") and all(
            name in _COLUMN_OF or name in _OURS for name in names if name
        ):
            found: dict[str, int] = {}
            for index, name in enumerate(names):
                if name:
                    found.setdefault(_COLUMN_OF.get(name, name), index)
            if "link" in found:
                return found, comma
    return {}, False


def _cells(raw: str, comma: bool) -> list[str]:
    delimiter = "," if comma else "\t" if "\t" in raw and ";" not in raw.split("\t")[0] else ";"
    try:
        return next(csv.reader([raw], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return [raw]


def _parsed(number: int, raw: str, columns: dict[str, int], comma: bool) -> Parsed:
    cells = [cell.strip() for cell in _cells(raw, comma)]

    def column(name: str) -> str:
        index = columns.get(name, -1)
        return cells[index] if 0 <= index < len(cells) else ""

    if columns:
        link, category = column("link"), column("category")
        known = {columns[name] for name in columns}
        rest = [column("note"), *(cell for index, cell in enumerate(cells) if index not in known)]
    else:
        link, category, *rest = [*cells, ""] if len(cells) < 2 else cells
    link = link.removeprefix("'")
    situation = _SITUATION_OF.get(category.lower().strip())
    note = " ; ".join(part for part in ([] if situation else [category]) + rest if part)
    if link.startswith(_FORMULA):
        return RefusedLine(number, raw, "line.formula")
    if len(link) > MOST_LINK_CHARACTERS:
        return RefusedLine(number, raw, "line.link_too_long")
    link = undefanged(link)
    place = place_of(link)
    if not place:
        return RefusedLine(number, raw, "line.no_link")
    if len(note) > MOST_NOTE_CHARACTERS:
        return RefusedLine(number, raw, "line.note_too_long")
    return Line(number, raw, link, place, situation or USUAL, note)
