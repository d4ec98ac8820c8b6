"""The index: a snapshot (immutable files, memory-mapped, shared) plus the changes since, both out of the one feed.

Every look-up asks the feed for its last row first, so a withdrawal is out of the next answer, whatever the snapshot holds. That
row also tells whether the feed is still the one that was read: after a restored backup, or a rolled back transaction of this
process, what is in memory or on the disk may belong to another history, and is dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.db import Error as DatabaseError
from numpy.typing import NDArray

import ringmatch
from vigil.lists import selectors as lists
from vigil.lists.errors import FeedDamaged
from vigil.lists.selectors import FeedChange, FeedTip
from vigil.matching.errors import ListUnreadable
from vigil.matching.index.snapshot import (
    DamagedSnapshot,
    Snapshot,
    build_snapshot,
    changes_after,
    current_name,
    open_snapshot,
    version_of,
)

MAX_DISTANCE = 31
_NOTHING = FeedTip(0, None, "")
_RANK = {"exact": 0, "md5": 1, "near": 2}


@dataclass(frozen=True)
class Hit:
    """One published entry that matches. `match`: "exact" (the same file by SHA-256), "md5" (by MD5 only) or "near".

    `orientation`: which of the asked hashes was nearest (0 = as it is).
    """

    entry_id: UUID
    match: str
    distance: int
    orientation: int


@dataclass(frozen=True)
class Answer:
    """The hits, and the feed version that they were found with."""

    feed_version: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class _Published:
    """What is published at one row of the feed. Never changed once made, so look-ups need no lock."""

    tip: FeedTip = _NOTHING
    snapshot: Snapshot | None = None
    gone: frozenset[UUID] = frozenset()
    added: tuple[FeedChange, ...] = ()
    pdqs: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 32), np.uint8))
    by_sha256: dict[bytes, UUID] = field(default_factory=dict)
    by_md5: dict[bytes, list[UUID]] = field(default_factory=dict)

    def advanced(self, changes: Iterable[FeedChange]) -> _Published:
        tip, gone, added = self.tip, set(self.gone), {change.entry_id: change for change in self.added}
        for change in changes:
            if change.change == "publish":
                added[change.entry_id] = change
            elif added.pop(change.entry_id, None) is None:
                gone.add(change.entry_id)
            tip = FeedTip(change.version, change.entry_id, change.change)
        by_md5: dict[bytes, list[UUID]] = {}
        for change in added.values():
            by_md5.setdefault(change.md5, []).append(change.entry_id)
        return _Published(
            tip,
            self.snapshot,
            frozenset(gone),
            tuple(added.values()),
            _as_rows([change.pdq for change in added.values()]),
            {change.sha256: change.entry_id for change in added.values()},
            by_md5,
        )

    def search(self, pdqs: Sequence[bytes], sha256: bytes | None, md5: bytes | None) -> tuple[Hit, ...]:
        found: dict[UUID, Hit] = {}
        if self.snapshot is not None:
            _search_snapshot(self.snapshot, self.gone, pdqs, sha256, md5, found)
        if sha256 is not None and (entry_id := self.by_sha256.get(sha256)) is not None:
            _keep_better(found, Hit(entry_id, "exact", 0, 0))
        if md5 is not None:
            for entry_id in self.by_md5.get(md5, []):
                _keep_better(found, Hit(entry_id, "md5", 0, 0))
        if pdqs and self.added:
            distances = np.bitwise_count(_as_rows(pdqs)[:, None, :] ^ self.pdqs[None, :, :]).sum(axis=2, dtype=np.int64)
            for orientation, place in np.argwhere(distances <= MAX_DISTANCE):
                entry_id = self.added[place].entry_id
                _keep_better(found, Hit(entry_id, "near", int(distances[orientation, place]), int(orientation)))
        return tuple(sorted(found.values(), key=lambda hit: (_RANK[hit.match], hit.distance, hit.entry_id)))


class PublishedIndex:
    """What is published, for this process. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._published = _Published()
        self._foreign: str | None = None  # a snapshot of another history

    def lookup(self, *, pdqs: Sequence[bytes], sha256: bytes | None, md5: bytes | None = None) -> Answer:
        """See `services.lookup`."""
        try:
            published = self._refreshed()
            return Answer(published.tip.version, published.search(pdqs, sha256, md5))
        except (DatabaseError, OSError, FeedDamaged, DamagedSnapshot, ringmatch.RingmatchError) as exc:
            raise ListUnreadable() from exc

    def _refreshed(self) -> _Published:
        with self._lock:
            tip = lists.feed_tip()
            name = current_name()
            in_use = self._published.snapshot.name if self._published.snapshot else None
            if name is not None and name not in {in_use, self._foreign} and version_of(name) <= tip.version:
                self._take(name)
            if self._published.tip != tip:
                self._published = self._caught_up(self._published, tip)
            return self._published

    def _take(self, name: str) -> None:
        snapshot = open_snapshot(name)
        if not _has_happened(snapshot.tip):
            self._foreign = name
            return
        self._published = _Published(snapshot.tip, snapshot)

    def _caught_up(self, published: _Published, tip: FeedTip) -> _Published:
        if published.tip.version > tip.version or not _has_happened(published.tip):
            published = _Published()
        while published.tip.version < tip.version:
            before = published.tip.version
            published = published.advanced(changes_after(before))
            if published.tip.version == before:
                raise FeedDamaged(before)
        if published.tip.version == tip.version and published.tip != tip:
            raise FeedDamaged(tip.version)
        return published


def _has_happened(tip: FeedTip) -> bool:
    """Whether the feed has this very row, so that all before it are the same too."""
    if tip.version == 0:
        return True
    row = next(iter(lists.feed_since(tip.version - 1, limit=1)), None)
    return row is not None and FeedTip(row.version, row.entry_id, row.change) == tip


def is_worth_keeping(name: str) -> bool:
    """Whether a snapshot can be read and belongs to this feed."""
    try:
        return _has_happened(open_snapshot(name).tip)
    except (OSError, DamagedSnapshot):
        return False


def _search_snapshot(
    snapshot: Snapshot,
    gone: frozenset[UUID],
    pdqs: Sequence[bytes],
    sha256: bytes | None,
    md5: bytes | None,
    found: dict[UUID, Hit],
) -> None:
    hits = [Hit(entry_id, "exact", 0, 0) for entry_id in snapshot.entries_with_sha256(sha256)] if sha256 else []
    hits += [Hit(entry_id, "md5", 0, 0) for entry_id in snapshot.entries_with_md5(md5)] if md5 else []
    if pdqs:
        matches = snapshot.ring.search(_as_rows(pdqs), MAX_DISTANCE)
        hits += [
            Hit(snapshot.entry_of_row(int(row)), "near", int(distance), int(orientation))
            for orientation, row, distance in zip(matches.query, matches.id, matches.distance, strict=True)
        ]
    for hit in hits:
        if hit.entry_id not in gone:
            _keep_better(found, hit)


def _keep_better(found: dict[UUID, Hit], hit: Hit) -> None:
    known = found.get(hit.entry_id)
    if known is None or (_RANK[hit.match], hit.distance) < (_RANK[known.match], known.distance):
        found[hit.entry_id] = hit


def _as_rows(hashes: Sequence[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32)


__all__ = ["Answer", "Hit", "PublishedIndex", "build_snapshot", "current_name", "is_worth_keeping", "version_of"]
