"""Pages of prose: Markdown in every language of the installation, read once at start, checked, and kept.

A page is a folder with one file a language: `pages/threats/en.md`, `pages/threats/fr.md`. The hotline's folder may hold
`awareness/threats/en.md` (takes the place of ours) and folders of its own. A page is there in all languages of the
installation or in none: ours are left out where a language is missing, the hotline's own stop the start.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from vigil.awareness.errors import BadPage
from vigil.awareness.markdown import BadText, headings_of, links_of, parse, shortcodes_of
from vigil.core.hotline import hotline

OWN_PAGES = Path(__file__).with_name("pages")
#: In the order of the index. "site" pages are about this site and stand in the footer, not in the index.
AUDIENCES = ("everyone", "teens", "under_13", "parents", "teachers", "bystanders", "site")
REGISTERS = ("young", "general")
_FRONT = re.compile(r"\A\+\+\+\n(.*?)\n\+\+\+\n(.*)\Z", re.DOTALL)
_PATH = re.compile(r"[\w-]+(/[\w-]+)*")
_CODE = re.compile(r"[a-z][a-z0-9_]*")
_KEYS = {"title", "path", "summary", "audience", "register", "modified", "order"}
#: What the footer calls a page; one without it is not in the footer.
_MAY_HAVE = {"short"}
# Telephone numbers, the emergency number among them, are facts of the operator: a page asks for them by name.
_RAW_NUMBER = re.compile(r"\d(?:[\s.\u00a0-]?\d){2,}")
_RAW_ADDRESS = re.compile(r"https?://|www\.|\S@\S", re.IGNORECASE)


@dataclass(frozen=True)
class Text:
    """One page in one language."""

    file: Path
    title: str
    path: str
    summary: str
    body: str
    audience: str
    register: str
    modified: date
    order: int
    short: str = ""


@dataclass(frozen=True)
class Page:
    """One page in all languages of the installation."""

    code: str
    texts: Mapping[str, Text]

    @property
    def _any(self) -> Text:
        return next(iter(self.texts.values()))

    @property
    def audience(self) -> str:
        """Whom it speaks to: one of AUDIENCES."""
        return self._any.audience

    @property
    def register(self) -> str:
        """`young` (short, second person, "tu" in French) or `general`."""
        return self._any.register

    @property
    def order(self) -> int:
        """Its place among the pages of its audience."""
        return self._any.order

    @property
    def modified(self) -> date:
        """When the text was last changed, in any language."""
        return max(text.modified for text in self.texts.values())


def read_text(file: Path) -> Text:
    """One file as a page's text. Raises BadPage with the file and what is wrong with it."""
    found = _FRONT.match(file.read_text(encoding="utf-8"))
    if not found:
        raise BadPage(file, "must begin with its facts between two lines +++")
    try:
        facts = tomllib.loads(found[1])
    except tomllib.TOMLDecodeError as error:
        raise BadPage(file, f"its facts are not TOML: {error}") from error
    _check_facts(file, facts)
    text = Text(file=file, body=found[2].strip() + "\n", **facts)
    _check_body(text)
    return text


def _check_facts(file: Path, facts: dict[str, Any]) -> None:
    if set(facts) - _MAY_HAVE != _KEYS:
        raise BadPage(file, f"needs exactly {', '.join(sorted(_KEYS))}; it has {', '.join(sorted(facts))}")
    for name in ("title", "path", "summary", *(_MAY_HAVE & set(facts))):
        if not isinstance(facts[name], str) or not facts[name].strip():
            raise BadPage(file, f"{name} must be a text")
    if not _PATH.fullmatch(facts["path"]):
        raise BadPage(file, f"path {facts['path']!r}: words with hyphens, parts divided by /")
    if facts["audience"] not in AUDIENCES:
        raise BadPage(file, f"audience {facts['audience']!r}: one of {', '.join(AUDIENCES)}")
    if facts["register"] not in REGISTERS:
        raise BadPage(file, f"register {facts['register']!r}: one of {', '.join(REGISTERS)}")
    if type(facts["modified"]) is not date:
        raise BadPage(file, "modified must be a day, such as 2026-11-24")
    if type(facts["order"]) is not int:
        raise BadPage(file, "order must be a whole number")


def _check_body(text: Text) -> None:
    try:
        parse(text.body)
    except BadText as error:
        raise BadPage(text.file, str(error)) from error
    levels = [level for level, _words in headings_of(text.body)]
    if levels and (levels[0] != 2 or any(b > a + 1 or b < 2 for a, b in zip([2, *levels], levels, strict=False))):
        raise BadPage(
            text.file, "headings begin at ## and leave out no level; the title is the only heading of level one"
        )
    if number := _RAW_NUMBER.search(text.body):
        raise BadPage(text.file, f"{number[0]!r}: numbers to call are asked for by name, such as {{{{ emergency }}}}")
    if _RAW_ADDRESS.search(text.body):
        raise BadPage(text.file, "holds an address: link to a page (page:CODE), ask for other facts by name")


# ---- all pages of an installation ------------------------------------------------------------------------------------
def _files_in(folder: Path) -> dict[str, dict[str, Path]]:
    """`{code: {language: file}}` of a folder of pages."""
    if not folder.is_dir():
        return {}
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.glob("*/*.md")):
        if not _CODE.fullmatch(file.parent.name):
            raise BadPage(file, "the folder's name is the page's code: small letters, digits and _")
        found.setdefault(file.parent.name, {})[file.stem] = file
    return found


def read_pages(languages: Iterable[str], folders: Sequence[Path] = (), own: Path = OWN_PAGES) -> dict[str, Page]:
    """Every page of an installation with these languages, by code, in the order of the index. Raises BadPage.

    folders: those of the hotline, the nearest one first; its files win, one by one.
    """
    wanted = tuple(languages)
    shipped, theirs = _files_in(own), [_files_in(folder) for folder in folders]
    pages: list[Page] = []
    for code in sorted(set(shipped).union(*theirs)):
        files = dict(shipped.get(code, {}))
        for found in reversed(theirs):
            files |= found.get(code, {})
        missing = [language for language in wanted if language not in files]
        for folder, found in zip(folders, theirs, strict=True):
            if missing and code in found:
                raise BadPage(
                    folder / code / f"{missing[0]}.md", "is missing: a page exists in every language or not at all"
                )
        if not missing:
            pages.append(Page(code, {language: read_text(files[language]) for language in wanted}))
    pages.sort(key=lambda page: (AUDIENCES.index(page.audience), page.order, page.code))
    by_code = {page.code: page for page in pages}
    _check_together(by_code)
    return by_code


def _check_together(pages: dict[str, Page]) -> None:
    taken: dict[tuple[str, str], Path] = {}
    for page in pages.values():
        first = next(iter(page.texts.values()))
        for language, text in page.texts.items():
            for name in ("audience", "register", "order"):
                if getattr(text, name) != getattr(first, name):
                    raise BadPage(text.file, f"{name} differs from {first.file.name}")
            if bool(text.short) != bool(first.short):
                raise BadPage(text.file, f"short is in this file or in {first.file.name}, not in both")
            if shape_of(text.body) != shape_of(first.body):
                raise BadPage(text.file, f"headings, links or {{{{ }}}} differ from {first.file.name}")
            if (language, text.path) in taken:
                raise BadPage(text.file, f"path {text.path!r} is also that of {taken[language, text.path]}")
            taken[language, text.path] = text.file
            for code in links_of(text.body):
                if code not in pages:
                    raise BadPage(text.file, f"links to page:{code}, which this installation does not have")


def shape_of(body: str) -> tuple[list[int], list[str], list[str]]:
    """What must be the same in every language: levels of headings, pages linked to, facts asked for, each in order."""
    return [level for level, _words in headings_of(body)], links_of(body), shortcodes_of(body)


@cache
def _pages_of(folders: tuple[Path, ...], languages: tuple[str, ...]) -> dict[str, Page]:
    return read_pages(languages, [folder / "awareness" for folder in folders])


def all_pages() -> dict[str, Page]:
    """The pages of this installation, read once. BadPage stops the start."""
    facts = hotline()
    return _pages_of(facts.folders, facts.codes)
