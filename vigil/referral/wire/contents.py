"""What a referral package says, as plain values: the other files of the package are made from these and from nothing else.

Every fact carries its source, so that an officer never mistakes what somebody told us for what we saw or decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from vigil.referral.errors import PackageUnreadable

Source = Literal["reporter", "crawler", "analyst", "provider"]
SOURCES: tuple[Source, ...] = ("reporter", "crawler", "analyst", "provider")
FORMAT = "vigil-referral/1"


@dataclass(frozen=True, slots=True)
class Fact:
    """One answer to one question. `code` and the values are codes; `words.py` has their English and French."""

    code: str
    values: tuple[str, ...]
    source: Source
    at: datetime | None = None
    subject_number: str = ""


@dataclass(frozen=True, slots=True)
class ReporterWords:
    """What a person wrote, unchanged and in the language they wrote it in."""

    report_number: str
    language: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """One address. `exhibit` is its position in the evidence index; `role` says how we know it."""

    id: UUID
    exhibit: int
    url: str
    source: Source
    at: datetime | None
    role: Literal["reported", "seen"]
    subject_number: str = ""
    server_address: str = ""


@dataclass(frozen=True, slots=True)
class Handle:
    """An account name that a reporter gave."""

    id: UUID
    exhibit: int
    text: str
    source: Source
    at: datetime | None
    subject_number: str = ""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A picture known by its hashes only: no picture is in a package. Places are exhibits of this package."""

    id: UUID
    exhibit: int
    sha256: str
    md5: str
    pdq: str
    pdq_quality: int | None
    source: Source
    at: datetime | None
    list_number: str = ""
    state: str = ""
    classification: str = ""
    place_exhibits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done: who did what to which exhibits, between when and when."""

    id: UUID
    code: str
    source: Source
    started_at: datetime
    ended_at: datetime
    exhibits: tuple[int, ...] = ()
    subject_number: str = ""


@dataclass(frozen=True, slots=True)
class Hotline:
    """Who sends."""

    name_en: str
    name_fr: str
    domain: str
    phone: str
    software_version: str


@dataclass(frozen=True, slots=True)
class Agency:
    """Who receives, and in which language it works."""

    name_en: str
    name_fr: str
    region: str
    language: Literal["en", "fr"]


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything in one package."""

    package_id: UUID
    number: str
    case_number: str
    prepared_at: datetime
    hotline: Hotline
    agency: Agency
    band: int
    reasons: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    words: tuple[ReporterWords, ...] = ()
    places: tuple[Place, ...] = ()
    handles: tuple[Handle, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    steps: tuple[Step, ...] = ()
    missing: tuple[str, ...] = ()
    format: Literal["vigil-referral/1"] = field(default="vigil-referral/1")


_ADAPTER = TypeAdapter(Contents)


def to_json(contents: Contents) -> bytes:
    """The contents as JSON that a person can read: UTF-8, two spaces, one order."""
    return _ADAPTER.dump_json(contents, indent=2) + b"\n"


def from_json(data: bytes) -> Contents:
    """Read back what `to_json` wrote. Raises PackageUnreadable."""
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError as exc:
        raise PackageUnreadable("facts.json") from exc
