"""The operator's own facts as data: one folder with `hotline.toml` says who answers, in which languages and country.

Everything that an operator must own stands there and nowhere else: languages, names, telephone, hours, who reads, the
emergency number, regions, help lines, statements that need an agreement, logos, where "leave quickly" goes, legal terms.
`load` reads and checks a folder and names file, key and problem; `hotline()` is the one of this installation.
`vigil/settings.py` reads it before Django is there, so nothing of Django is imported at the top.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

FILE_NAME = "hotline.toml"
SHIPPED_DIR = Path(__file__).resolve().parent.parent / "hotlines"
DEFAULT_DIR = SHIPPED_DIR / "canada"
#: The console, the partner portal and documents to providers and police are written in these two, whatever the country.
STAFF_LANGUAGES = ("en", "fr")
#: The rooms that the report site speaks with: a language of a hotline's own needs their words.
PUBLIC_ROOMS = ("web", "intake", "imagehelp", "awareness", "oversight")
#: How a language's code looks, here and in the constraints of the database.
LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$"
LANGUAGE_MAX_LENGTH = 16
AUDIENCES = ("child", "adult", "reporter")
#: What a person who checks a report may be told; an operator gives states other words, or two states the same one.
STATES = ("received", "read", "question", "closed")
LOGO_MAX_BYTES = 20_480
LOGO_MAX_PIXELS = (480, 160)
MAX_LOGOS = 2

Texts = Mapping[str, str]


def said(texts: Texts, language: str) -> str:
    """The text in one language; where it has none in it, the first that there is; an empty text when there is none."""
    return texts.get(language) or next((text for text in texts.values() if text), "")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the file, the key in it, and what."""

    file: Path
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.what}" if self.key else f"{self.file}: {self.what}"


class BadHotline(Exception):
    """The folder cannot be used; `problems` has every reason found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Language:
    """A public language: its code, its name in itself, its direction, its words for parts of addresses."""

    code: str
    name: str
    direction: str = "ltr"
    slugs: Mapping[str, str] = field(default_factory=dict)

    def slug(self, path: str) -> str:
        """An English address in this language, part by part; a part without a word of its own stays English."""
        return "/".join(self.slugs.get(part, part) for part in path.split("/"))


@dataclass(frozen=True)
class Region:
    """A province, territory, state or canton."""

    code: str
    names: Texts

    def name(self, language: str) -> str:
        """Its name in one language."""
        return said(self.names, language)


@dataclass(frozen=True)
class Spoken:
    """One help line as a page of one language shows it."""

    code: str
    name: str
    phone: str
    phone_target: str
    text: str
    chat: str
    hours: str
    site: str
    note: str


@dataclass(frozen=True)
class HelpLine:
    """One service outside this installation. Empty `regions`, `languages` or `audiences` mean: everywhere, everybody."""

    code: str
    names: Texts
    phone: str
    dial: str
    texts: Texts
    chats: Texts
    hours: Texts
    sites: Texts
    notes: Texts
    languages: tuple[str, ...]
    regions: tuple[str, ...]
    audiences: tuple[str, ...]

    @property
    def phone_target(self) -> str:
        """The number for a `tel:` link."""
        return self.dial or re.sub(r"[^\d+]", "", self.phone)

    def in_language(self, language: str) -> Spoken:
        """What a page in one language says of it. A way that the service has not in this language is left out."""
        return Spoken(
            code=self.code,
            name=said(self.names, language),
            phone=self.phone,
            phone_target=self.phone_target,
            text=self.texts.get(language, ""),
            chat=self.chats.get(language, ""),
            hours=self.hours.get(language, ""),
            site=said(self.sites, language),
            note=self.notes.get(language, ""),
        )


@dataclass(frozen=True)
class OperatorFacts:
    """Who runs this installation. Texts by language; what is empty has not been named yet."""

    names: Texts
    phone: str
    hours: Texts
    readers: Texts
    email: str
    domain: str

    def name(self, language: str) -> str:
        """The operator's name in one language, or the system's while it has not been named."""
        return said(self.names, language) or "Vigil"

    def is_named(self, languages: tuple[str, ...]) -> bool:
        """True when readers, telephone and hours are named in each of these languages: only then may the form open."""
        texts = [self.phone, *(facts.get(code, "") for facts in (self.hours, self.readers) for code in languages)]
        return all(text.strip() for text in texts)


@dataclass(frozen=True)
class Statement:
    """A sentence that is only true by agreement: shown when it is recorded with whom and since when, otherwise off."""

    code: str
    texts: Texts
    agreed_with: str
    agreed_on: date | None

    @property
    def is_on(self) -> bool:
        """True when the agreement is recorded."""
        return bool(self.agreed_with and self.agreed_on)


@dataclass(frozen=True)
class Logo:
    """A partner's picture, served from our own origin: checked bytes, their digest (it stands in the address), their size."""

    names: Texts
    data: bytes
    content_type: str
    width: int
    height: int

    @cached_property
    def file_name(self) -> str:
        """Last part of its address: the content's digest, so that a browser may keep it for good."""
        return f"{hashlib.sha256(self.data).hexdigest()[:24]}.{self.content_type.removeprefix('image/')}"

    def name(self, language: str) -> str:
        """What it shows, for those who do not see it."""
        return said(self.names, language)


@dataclass(frozen=True)
class LegalTerm:
    """One term of the country's law: the words of the law, and plain words beside them."""

    code: str
    terms: Texts
    plain: Texts
    source: Texts
    in_force: date | None


@dataclass(frozen=True)
class Jurisdiction:
    """The country whose law holds: ISO code, name, and the terms that pages explain."""

    code: str
    names: Texts
    terms: tuple[LegalTerm, ...]

    def name(self, language: str) -> str:
        """The country's name in one language."""
        return said(self.names, language)

    def term(self, code: str) -> LegalTerm | None:
        """One legal term, or None when this country's file does not have it."""
        return next((term for term in self.terms if term.code == code), None)


@dataclass(frozen=True)
class Hotline:
    """One installation's facts. The first language is the default one; the public door speaks exactly these."""

    folder: Path
    folders: tuple[Path, ...]
    languages: tuple[Language, ...]
    time_zone: str
    jurisdiction: Jurisdiction
    emergency_numbers: tuple[str, ...]
    operator: OperatorFacts
    regions: tuple[Region, ...]
    help_lines: tuple[HelpLine, ...]
    statements: Mapping[str, Statement]
    logos: tuple[Logo, ...]
    leave_to: Mapping[str, str]
    status_words: Mapping[str, Texts]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of the public languages, the default one first."""
        return tuple(language.code for language in self.languages)

    @property
    def default_language(self) -> str:
        """The language of a page whose address names none."""
        return self.codes[0]

    @property
    def emergency(self) -> str:
        """The number to call when someone is in danger."""
        return self.emergency_numbers[0]

    @property
    def form_may_open(self) -> bool:
        """True when the operator has named readers, telephone and hours in every public language."""
        return self.operator.is_named(self.codes)

    def language(self, code: str) -> Language:
        """One public language; for a code that is none of them, one that is named by its code."""
        return next((each for each in self.languages if each.code == code), Language(code, code))

    def other_language(self, code: str) -> str:
        """The public language after this one; the same one where there is only one."""
        if code not in self.codes:
            return self.codes[0]
        return self.codes[(self.codes.index(code) + 1) % len(self.codes)]

    def region(self, code: str) -> Region | None:
        """One region by its code."""
        return next((region for region in self.regions if region.code == code), None)

    def help_lines_for(self, language: str, region: str = "", audience: str | None = None) -> tuple[HelpLine, ...]:
        """Who answers a person: in their language, in their region (those of the region first) and for their audience.

        Without a region only lines of the whole country. Where no line speaks the language every line of the place is
        given: a person is never left without one.
        """

        def serves(line: HelpLine, *, any_language: bool) -> bool:
            speaks = any_language or not line.languages or language in line.languages
            near = not line.regions or region in line.regions
            return speaks and near and (audience is None or not line.audiences or audience in line.audiences)

        for any_language in (False, True):
            found = [line for line in self.help_lines if serves(line, any_language=any_language)]
            if found:
                return tuple(sorted(found, key=lambda line: not line.regions))
        return tuple(line for line in self.help_lines if not line.regions)

    def statement(self, code: str, language: str) -> str:
        """A statement's words in one language, or an empty text while its agreement is not recorded."""
        statement = self.statements.get(code)
        return said(statement.texts, language) if statement is not None and statement.is_on else ""


# ---- reading a file ------------------------------------------------------------------------------------------------
class _Reader:
    """One table of the file. Takes keys one by one, notes what is wrong, and at the end what nobody asked for."""

    def __init__(self, table: Mapping[str, Any], key: str, file: Path, problems: list[Problem]) -> None:
        self.table, self.key, self.file, self.problems = dict(table), key, file, problems
        self._taken: set[str] = set()

    def path(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key else name

    def bad(self, name: str, what: str) -> None:
        self.problems.append(Problem(self.file, self.path(name) if name else self.key, what))

    def take(
        self, name: str, kind: type | tuple[type, ...], default: Any, called: str, *, required: bool = False
    ) -> Any:
        self._taken.add(name)
        if name not in self.table:
            if required:
                self.bad(name, "is missing")
            return default
        value = self.table[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.bad(name, f"must be {called}, not {value!r}")
            return default
        return value

    def text(self, name: str, *, required: bool = False) -> str:
        value = str(self.take(name, str, "", "a text", required=required))
        if required and name in self.table and not value.strip():
            self.bad(name, "is empty")
        return value.strip()

    def strings(self, name: str, allowed: tuple[str, ...] | None = None, *, required: bool = False) -> tuple[str, ...]:
        values = self.take(name, list, [], "a list of texts", required=required)
        for value in values:
            if not isinstance(value, str) or not value.strip():
                self.bad(name, f"must be a list of texts, not {value!r}")
                return ()
            if allowed is not None and value not in allowed:
                self.bad(name, f"{value!r} is not one of {', '.join(allowed)}")
        return tuple(values)

    def day(self, name: str) -> date | None:
        value = self.take(name, date, None, "a date like 2026-01-31")
        return value if value is None or not isinstance(value, datetime) else value.date()

    def texts(
        self,
        name: str,
        languages: tuple[str, ...],
        *,
        required: bool = False,
        needed: tuple[str, ...] | None = None,
    ) -> Texts:
        """A text by language: in all public ones (or those in `needed`) once it is in one."""
        values = self.take(name, dict, {}, "a table with a text for each language", required=required)
        found: dict[str, str] = {}
        for code, value in values.items():
            if code not in {*languages, *STAFF_LANGUAGES}:
                self.bad(f"{name}.{code}", f"is not a language of this hotline ({', '.join(languages)})")
            elif not isinstance(value, str):
                self.bad(f"{name}.{code}", f"must be a text, not {value!r}")
            else:
                found[code] = value.strip()
        missing = [code for code in (languages if needed is None else needed) if not found.get(code)]
        if (any(found.values()) or (required and name in self.table)) and missing:
            self.bad(name, f"has no text in {', '.join(missing)}")
        return {code: text for code, text in found.items() if text}

    def tables(self, name: str, *, required: bool = False) -> Iterator[_Reader]:
        values = self.take(name, list, [], f"a list of tables ([[{self.path(name)}]])", required=required)
        for index, value in enumerate(values):
            if isinstance(value, dict):
                label = value.get("code") if isinstance(value.get("code"), str) else index + 1
                yield _Reader(value, f"{self.path(name)}[{label}]", self.file, self.problems)
            else:
                self.bad(name, "must be a list of tables")

    def inner(self, name: str, *, required: bool = False) -> _Reader:
        value = self.take(name, dict, {}, "a table", required=required)
        return _Reader(value, self.path(name), self.file, self.problems)

    def names(self) -> list[str]:
        return list(self.table)

    def finish(self) -> None:
        for name in self.table:
            if name not in self._taken:
                self.bad(name, "is not known here")


def _unique(values: list[str], reader: _Reader, name: str) -> None:
    for value in sorted({each for each in values if values.count(each) > 1}):
        reader.bad(name, f"has {value!r} more than once")


def _languages(reader: _Reader) -> tuple[Language, ...]:
    found = []
    for table in reader.tables("languages", required=True):
        code, name = table.text("code", required=True), table.text("name", required=True)
        direction = table.text("direction") or "ltr"
        if code and (not re.fullmatch(LANGUAGE_PATTERN, code) or len(code) > LANGUAGE_MAX_LENGTH):
            table.bad("code", f"must look like `en`, `pt-br` or `zh-hant`, not {code!r}")
        if direction not in {"ltr", "rtl"}:
            table.bad("direction", f"must be ltr or rtl, not {direction!r}")
        slugs = table.take("slugs", dict, {}, "a table of words for parts of addresses")
        for part, word in slugs.items():
            if not isinstance(word, str) or not re.fullmatch(r"[a-z0-9-]+", word):
                table.bad(f"slugs.{part}", "may have small letters, digits and hyphens only")
        table.finish()
        found.append(Language(code, name, direction, slugs))
    if not found and "languages" in reader.table:
        reader.bad("languages", "needs at least one language")
    _unique([language.code for language in found], reader, "languages")
    return tuple(found)


def _operator(reader: _Reader, languages: tuple[str, ...]) -> OperatorFacts:
    table = reader.inner("operator", required=True)
    facts = OperatorFacts(
        names=table.texts("name", languages, needed=()),
        phone=table.text("phone"),
        hours=table.texts("hours", languages, needed=()),
        readers=table.texts("readers", languages, needed=()),
        email=table.text("email", required=True),
        domain=table.text("domain", required=True),
    )
    if facts.email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", facts.email):
        table.bad("email", "is not a mail address")
    if facts.domain and not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", facts.domain):
        table.bad("domain", "is not a domain in small letters")
    if facts.phone and not re.search(r"\d", facts.phone):
        table.bad("phone", "has no digit")
    table.finish()
    return facts


def _regions(reader: _Reader, languages: tuple[str, ...]) -> tuple[Region, ...]:
    found = []
    for table in reader.tables("regions"):
        found.append(Region(table.text("code", required=True), table.texts("name", languages, required=True)))
        if not re.fullmatch(r"[A-Z0-9-]{1,12}", found[-1].code):
            table.bad("code", "may have capital letters, digits and hyphens only")
        table.finish()
    _unique([region.code for region in found], reader, "regions")
    return tuple(found)


def _host(table: _Reader, name: str, texts: Texts) -> Texts:
    for code, text in texts.items():
        if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[\w./-]*)?", text):
            table.bad(f"{name}.{code}", f"must be a host like help.example, without https://, not {text!r}")
    return texts


def _help_lines(reader: _Reader, languages: tuple[str, ...], regions: tuple[str, ...]) -> tuple[HelpLine, ...]:
    found = []
    for table in reader.tables("help_lines", required=True):
        speaks = table.strings("languages", languages)
        # A service need not have every way in every language; what it says of itself is there in those it speaks.
        line = HelpLine(
            code=table.text("code", required=True),
            names=table.texts("name", languages, required=True),
            phone=table.text("phone"),
            dial=table.text("dial"),
            texts=table.texts("text", languages, needed=()),
            chats=_host(table, "chat", table.texts("chat", languages, needed=())),
            hours=table.texts("hours", languages, needed=speaks or languages),
            sites=_host(table, "site", table.texts("site", languages, needed=())),
            notes=table.texts("note", languages, needed=speaks or languages),
            languages=speaks,
            regions=table.strings("regions", regions),
            audiences=table.strings("audiences", AUDIENCES),
        )
        if not (line.phone or line.texts or line.chats or line.sites):
            table.bad("", "has no way to reach it (phone, text, chat or site)")
        if line.dial and not re.fullmatch(r"\+?\d{2,15}", line.dial):
            table.bad("dial", "may have digits only, with + before the country's number")
        if line.phone and not re.search(r"\d", line.phone):
            table.bad("phone", "has no digit")
        table.finish()
        found.append(line)
    _unique([line.code for line in found], reader, "help_lines")
    if found and not any(not line.regions for line in found):
        reader.bad("help_lines", "needs at least one line for the whole country (without `regions`)")
    return tuple(found)


def _statements(reader: _Reader, languages: tuple[str, ...]) -> dict[str, Statement]:
    outer, found = reader.inner("statements"), {}
    for code in outer.names():
        table = outer.inner(code)
        statement = Statement(
            code=code,
            texts=table.texts("text", languages, required=True),
            agreed_with=table.text("agreed_with"),
            agreed_on=table.day("agreed_on"),
        )
        if bool(statement.agreed_with) != bool(statement.agreed_on):
            table.bad("", "an agreement needs both agreed_with and agreed_on (or neither: then it is off)")
        if statement.agreed_on is not None and statement.agreed_on > datetime.now(UTC).date():
            table.bad("agreed_on", "is in the future")
        table.finish()
        found[code] = statement
    outer.finish()
    return found


def _picture(path: Path) -> tuple[bytes, str, int, int] | str:
    """The bytes, type and size of a picture that browsers show and that cannot run anything; or what is wrong with it."""
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        return "is not there"
    data = path.read_bytes()
    if len(data) > LOGO_MAX_BYTES:
        return f"has {len(data)} bytes; {LOGO_MAX_BYTES} are allowed, so that pages stay light"
    try:
        with Image.open(path, formats=["PNG", "WEBP"]) as picture:
            picture.load()
            kind, (width, height) = str(picture.format), picture.size
            frames = getattr(picture, "n_frames", 1)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "is not a PNG or WebP picture (SVG is not taken: it can carry scripts)"
    if width > LOGO_MAX_PIXELS[0] or height > LOGO_MAX_PIXELS[1]:
        return f"has {width} x {height} pixels; at most {LOGO_MAX_PIXELS[0]} x {LOGO_MAX_PIXELS[1]} are allowed"
    if frames != 1:
        return "moves; only still pictures are allowed"
    return data, f"image/{kind.lower()}", width, height


def _logos(reader: _Reader, languages: tuple[str, ...]) -> tuple[Logo, ...]:
    found, folder = [], reader.file.parent / "logos"
    for table in reader.tables("logos"):
        file, names = table.text("file", required=True), table.texts("name", languages, required=True)
        table.finish()
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", file):
            table.bad("file", "must be the name of a file in `logos`, without a folder")
            continue
        picture = _picture(folder / file)
        if isinstance(picture, str):
            table.bad("file", f"logos/{file} {picture}")
        else:
            found.append(Logo(names, *picture))
    if len(found) > MAX_LOGOS:
        reader.bad("logos", f"has {len(found)} pictures; {MAX_LOGOS} are allowed, so that pages stay light")
    return tuple(found)


def _leave_to(reader: _Reader, languages: tuple[str, ...]) -> Texts:
    texts = reader.texts("leave_to", languages, required=True)
    for code, address in texts.items():
        parts = urlsplit(address)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            reader.bad(f"leave_to.{code}", "must be an https address without a query")
    return texts


def _jurisdiction(reader: _Reader, languages: tuple[str, ...]) -> Jurisdiction:
    table, terms = reader.inner("jurisdiction", required=True), []
    code, names = table.text("code", required=True), table.texts("name", languages, required=True)
    if code and not re.fullmatch(r"[A-Z]{2}", code):
        table.bad("code", "must be two capital letters (ISO 3166)")
    for each in table.tables("terms"):
        terms.append(
            LegalTerm(
                code=each.text("code", required=True),
                terms=each.texts("term", languages, required=True),
                plain=each.texts("plain", languages, required=True),
                source=each.texts("source", languages),
                in_force=each.day("in_force"),
            )
        )
        each.finish()
    table.finish()
    return Jurisdiction(code, names, tuple(terms))


def _status_words(reader: _Reader, languages: tuple[str, ...]) -> dict[str, Texts]:
    table = reader.inner("status_words")
    found = {state: table.texts(state, languages) for state in STATES}
    table.finish()
    return {state: texts for state, texts in found.items() if texts}


def _emergency(reader: _Reader) -> tuple[str, ...]:
    table = reader.inner("emergency", required=True)
    numbers = table.strings("numbers", required=True)
    for number in numbers:
        if not re.fullmatch(r"[\d ]{2,12}", number):
            table.bad("numbers", f"{number!r} is not a telephone number")
    if not numbers and "numbers" in table.table:
        table.bad("numbers", "needs at least one number")
    table.finish()
    return numbers


def _raw(folder: Path, problems: list[Problem], seen: tuple[Path, ...] = ()) -> list[tuple[Path, dict[str, Any]]]:
    """The folder's file and the one that it extends, nearest first."""
    file = folder / FILE_NAME
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(Problem(file, "", "is not there"))
        return []
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file, "", f"cannot be read: {error}"))
        return []
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(file, "", f"is not TOML: {error}"))
        return []
    base = table.pop("extends", None)
    if base is None:
        return [(file, table)]
    target = (
        (SHIPPED_DIR / base if re.fullmatch(r"[a-z0-9-]+", base) else folder / base) if isinstance(base, str) else None
    )
    if target is None or target.resolve() in {each.resolve() for each in (*seen, folder)}:
        problems.append(Problem(file, "extends", f"must name a shipped hotline or another folder, not {base!r}"))
        return [(file, table)]
    return [(file, table), *_raw(target, problems, (*seen, folder))]


def load(folder: Path) -> Hotline:
    """Read and check a folder. Raises BadHotline with everything that is wrong.

    `extends = "canada"` takes every top-level key that the file does not have from a shipped hotline (or from another
    folder): a key that is there replaces the whole key of the other file, and files beside it are the folder's own.
    """
    problems: list[Problem] = []
    layers = _raw(folder, problems)
    if problems:
        raise BadHotline(problems)
    readers: dict[str, _Reader] = {}
    for file, table in reversed(layers):
        for name, value in table.items():
            readers[name] = _Reader({name: value}, "", file, problems)
    nothing = _Reader({}, "", layers[0][0], problems)

    def of(name: str) -> _Reader:
        return readers.pop(name, nothing)

    languages = _languages(of("languages"))
    codes = tuple(language.code for language in languages)
    regions = _regions(of("regions"), codes)
    zone_reader = of("time_zone")
    time_zone = zone_reader.text("time_zone", required=True)
    if time_zone and time_zone not in available_timezones():
        zone_reader.bad("time_zone", f"is not a time zone like Europe/Zurich: {time_zone!r}")
    found = Hotline(
        folder=folder,
        folders=tuple(file.parent for file, _table in layers),
        languages=languages,
        time_zone=time_zone,
        jurisdiction=_jurisdiction(of("jurisdiction"), codes),
        emergency_numbers=_emergency(of("emergency")),
        operator=_operator(of("operator"), codes),
        regions=regions,
        help_lines=_help_lines(of("help_lines"), codes, tuple(region.code for region in regions)),
        statements=_statements(of("statements"), codes),
        logos=_logos(of("logos"), codes),
        leave_to=_leave_to(of("leave_to"), codes),
        status_words=_status_words(of("status_words"), codes),
    )
    for name, reader in readers.items():
        reader.bad(name, "is not known here")
    if problems:
        raise BadHotline(problems)
    return found


@cache
def _loaded(folder: Path) -> Hotline:
    return load(folder)


def hotline() -> Hotline:
    """The facts of this installation (`settings.HOTLINE_DIR`), read once a process."""
    from django.conf import settings

    return _loaded(settings.HOTLINE_DIR)
