"""The index of fingerprints that people declared of their own pictures: a second one, which shares nothing with the list's.

It is held in memory by the processes that look for copies, follows the declared feed, and asks for the feed's last row before
every look-up: what was taken back is out of the next answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar
from uuid import UUID

import numpy as np
from django.db import Error as DatabaseError
from numpy.typing import NDArray

import ringmatch
from vigil.lists import selectors as lists
from vigil.lists.selectors import DeclaredFacts, DeclaredTip
from vigil.matching.errors import ListUnreadable

MAX_DISTANCE = 31
#: Below this PDQ says little: flat pictures look alike to it. Source: PDQ's authors.
LEAST_QUALITY = 50
_NOTHING = DeclaredTip(0, None)


class Reading(Protocol):
    """What was read of a picture at a place."""

    md5: Any
    pdqs: Any
    quality: Any


Read = TypeVar("Read", bound=Reading)


@dataclass(frozen=True)
class DeclaredHit:
    """One declared fingerprint that a picture fits. `match`: "near" (PDQ) or "md5". It proposes and proves nothing."""

    declared_id: UUID
    case_id: UUID
    match: str
    distance: int
    orientation: int


@dataclass(frozen=True)
class DeclaredAnswer:
    """The hits, and the version of the declared feed that they were found with."""

    feed_version: int
    hits: tuple[DeclaredHit, ...]


@dataclass
class _Held:
    tip: DeclaredTip = _NOTHING
    facts: dict[UUID, DeclaredFacts] = field(default_factory=dict)
    by_md5: dict[bytes, set[UUID]] = field(default_factory=dict)
    rows: dict[int, UUID] = field(default_factory=dict)
    row_of: dict[UUID, int] = field(default_factory=dict)
    ring: ringmatch.Index = field(
        default_factory=lambda: ringmatch.Index.build(np.empty((0, 32), np.uint8), np.empty(0, np.uint64))
    )

    def follow(self, changes: Sequence[tuple[str, DeclaredFacts]]) -> None:
        new: dict[UUID, DeclaredFacts] = {}
        gone: list[DeclaredFacts] = []
        for change, facts in changes:
            if change == "publish":
                new[facts.id] = facts
            elif new.pop(facts.id, None) is None:
                gone.append(facts)
        for facts in gone:
            self._forget(facts)
        pdqs: list[bytes] = []
        places: list[int] = []
        for facts in new.values():
            self.facts[facts.id] = facts
            if facts.kind == "md5":
                self.by_md5.setdefault(facts.value, set()).add(facts.id)
                continue
            place = len(self.rows)
            self.rows[place], self.row_of[facts.id] = facts.id, place
            pdqs.append(facts.value)
            places.append(place)
        if pdqs:
            self.ring.add(_as_rows(pdqs), np.array(places, np.uint64))

    def _forget(self, facts: DeclaredFacts) -> None:
        self.facts.pop(facts.id, None)
        self.by_md5.get(facts.value, set()).discard(facts.id)
        place = self.row_of.pop(facts.id, None)
        if place is not None:
            self.ring.remove(np.array([place], np.uint64))


class DeclaredIndex:
    """What people declared, for this process. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = _Held()

    def lookup(self, *, pdqs: Sequence[bytes], quality: int, md5: bytes | None) -> DeclaredAnswer:
        """See `services.lookup_declared`."""
        try:
            with self._lock:
                held = self._refreshed()
                return DeclaredAnswer(held.tip.version, tuple(self._hits(held, pdqs, quality, md5)))
        except (DatabaseError, ringmatch.RingmatchError) as exc:
            raise ListUnreadable() from exc

    @staticmethod
    def _hits(held: _Held, pdqs: Sequence[bytes], quality: int, md5: bytes | None) -> list[DeclaredHit]:
        found: dict[UUID, DeclaredHit] = {}
        for declared_id in held.by_md5.get(md5, set()) if md5 is not None else set():
            found[declared_id] = DeclaredHit(declared_id, held.facts[declared_id].case_id, "md5", 0, 0)
        if pdqs and quality >= LEAST_QUALITY and held.row_of:
            matches = held.ring.search(_as_rows(pdqs), MAX_DISTANCE)
            for orientation, place, distance in zip(matches.query, matches.id, matches.distance, strict=True):
                facts = held.facts[held.rows[int(place)]]
                known = found.get(facts.id)
                if known is None or (known.match == "near" and int(distance) < known.distance):
                    found[facts.id] = DeclaredHit(facts.id, facts.case_id, "near", int(distance), int(orientation))
        return sorted(found.values(), key=lambda hit: (hit.distance, hit.declared_id))

    def _refreshed(self) -> _Held:
        tip = lists.declared_tip()
        if tip == self._held.tip:
            return self._held
        # After a restored backup what is in memory may belong to another history: then all is read anew.
        if tip.version <= self._held.tip.version or not lists.has_declared_row(self._held.tip):
            self._held = _Held()
        self._held.follow(lists.declared_changes(after=self._held.tip.version, until=tip.version))
        self._held.tip = tip
        return self._held


def near_declared(wanted: Sequence[DeclaredFacts], readings: Iterable[Read]) -> Iterator[Read]:
    """Those of the readings (eight PDQ hashes in a row, MD5, quality) that fit any of the fingerprints."""
    pdqs = _as_rows([one.value for one in wanted if one.kind == "pdq"])
    md5s = {one.value for one in wanted if one.kind == "md5"}
    for batch in _batches(readings, 2048):
        fits = np.array([bytes(row.md5) in md5s for row in batch])
        if len(pdqs):
            stored = _as_rows([bytes(row.pdqs) for row in batch]).reshape(len(batch), -1, 32)
            plain = np.array([row.quality < LEAST_QUALITY for row in batch])
            for pdq in pdqs:
                nearest = np.bitwise_count(stored ^ pdq).sum(axis=2, dtype=np.int64).min(axis=1)
                fits |= (nearest <= MAX_DISTANCE) & ~plain
        yield from (row for row, fit in zip(batch, fits, strict=True) if fit)


def _batches(readings: Iterable[Read], size: int) -> Iterator[list[Read]]:
    rows = iter(readings)
    while batch := list(islice(rows, size)):
        yield batch


def _as_rows(hashes: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32)
