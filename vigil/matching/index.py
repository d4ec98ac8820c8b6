"""The index: a snapshot (immutable files, memory-mapped, shared) plus the changes since, both out of the one feed.

A snapshot is a folder `INDEX_DIR/VERSION` with `pdq.ring` (ringmatch) and `entries.npy` (entry id, SHA-256); `INDEX_DIR/current`
names the folder in use and is swapped atomically. Every look-up asks the feed for its version first, so a withdrawal is out of
the next answer, whatever the snapshot holds.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import Error as DatabaseError
from numpy.typing import NDArray

import ringmatch
from vigil.lists import selectors as lists
from vigil.matching.errors import ListUnreadable

MAX_DISTANCE = 31
PAGE_ROWS = 5000
KEPT_SNAPSHOTS = 2
_ROW = np.dtype([("entry", "V16"), ("sha256", "V32"), ("pdq", "u1", 32)])


@dataclass(frozen=True)
class Hit:
    """One published entry that matches. `orientation`: which of the asked hashes was nearest (0 = as it is)."""

    entry_id: UUID
    match: str  # "exact" or "near"
    distance: int
    orientation: int


@dataclass(frozen=True)
class Answer:
    """The hits, and the feed version that they were found with."""

    feed_version: int
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class _Snapshot:
    version: int
    ring: ringmatch.Index
    rows: NDArray[np.void]
    by_sha256: dict[bytes, int]


@dataclass
class _Delta:
    """What changed since the snapshot: entries added, entries gone."""

    version: int
    added: dict[UUID, tuple[bytes, bytes]] = field(default_factory=dict)  # entry -> (sha256, pdq)
    gone: set[UUID] = field(default_factory=set)

    def apply(self, change: lists.FeedChange) -> None:
        if change.change == "publish":
            self.added[change.entry_id] = (change.sha256, change.pdq)
            self.gone.discard(change.entry_id)
        else:
            self.added.pop(change.entry_id, None)
            self.gone.add(change.entry_id)
        self.version = change.version


class PublishedIndex:
    """What is published, for this process. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._delta = _Delta(0)

    def lookup(self, *, pdqs: list[bytes] | tuple[bytes, ...], sha256: bytes | None) -> Answer:
        """See `services.lookup`."""
        try:
            with self._lock:
                self._refresh()
                snapshot, version = self._snapshot, self._delta.version
                added, gone = dict(self._delta.added), set(self._delta.gone)
        except (DatabaseError, OSError, ValueError, ringmatch.RingmatchError) as exc:
            raise ListUnreadable() from exc
        found: dict[UUID, Hit] = {}
        _search_snapshot(snapshot, pdqs, sha256, gone, found)
        _search_added(added, pdqs, sha256, found)
        hits = sorted(found.values(), key=lambda hit: (hit.match != "exact", hit.distance, hit.entry_id))
        return Answer(version, tuple(hits))

    def _refresh(self) -> None:
        version = lists.feed_version()
        if version < self._delta.version:
            # The feed is another one (a restored database): nothing in memory means anything any more.
            self._snapshot, self._delta = None, _Delta(0)
        current = current_version()
        if current is not None and current <= version and (self._snapshot is None or self._snapshot.version < current):
            self._snapshot = _open_snapshot(current)
            self._delta = _Delta(current)
        while self._delta.version < version:
            for change in lists.feed_since(self._delta.version, limit=PAGE_ROWS):
                self._delta.apply(change)


def _better(found: dict[UUID, Hit], hit: Hit) -> None:
    known = found.get(hit.entry_id)
    if known is None or (known.match == "near" and (hit.match == "exact" or hit.distance < known.distance)):
        found[hit.entry_id] = hit


def _search_snapshot(
    snapshot: _Snapshot | None,
    pdqs: list[bytes] | tuple[bytes, ...],
    sha256: bytes | None,
    gone: set[UUID],
    found: dict[UUID, Hit],
) -> None:
    if snapshot is None:
        return
    if sha256 is not None and (row := snapshot.by_sha256.get(sha256)) is not None:
        entry_id = UUID(bytes=bytes(snapshot.rows["entry"][row]))
        if entry_id not in gone:
            _better(found, Hit(entry_id, "exact", 0, 0))
    if not pdqs:
        return
    matches = snapshot.ring.search(_as_rows(pdqs), MAX_DISTANCE)
    for orientation, row, distance in zip(matches.query, matches.id, matches.distance, strict=True):
        entry_id = UUID(bytes=bytes(snapshot.rows["entry"][int(row)]))
        if entry_id not in gone:
            _better(found, Hit(entry_id, "near", int(distance), int(orientation)))


def _search_added(
    added: dict[UUID, tuple[bytes, bytes]],
    pdqs: list[bytes] | tuple[bytes, ...],
    sha256: bytes | None,
    found: dict[UUID, Hit],
) -> None:
    if not added:
        return
    for entry_id, (entry_sha256, _) in added.items():
        if sha256 == entry_sha256:
            _better(found, Hit(entry_id, "exact", 0, 0))
    if not pdqs:
        return
    ids = list(added)
    stored = _as_rows([added[entry_id][1] for entry_id in ids])
    distances = np.bitwise_count(_as_rows(pdqs)[:, None, :] ^ stored[None, :, :]).sum(axis=2, dtype=np.int64)
    for orientation, position in np.argwhere(distances <= MAX_DISTANCE):
        _better(found, Hit(ids[position], "near", int(distances[orientation, position]), int(orientation)))


def _as_rows(hashes: list[bytes] | tuple[bytes, ...]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(hashes), dtype=np.uint8).reshape(-1, 32)


# ---- snapshots -------------------------------------------------------------------------------------------------------------
def current_version() -> int | None:
    """The version of the snapshot in use, or None when there is none yet."""
    try:
        return int((settings.INDEX_DIR / "current").read_text())
    except FileNotFoundError:
        return None


def _open_snapshot(version: int) -> _Snapshot:
    folder: Path = settings.INDEX_DIR / str(version)
    rows = np.load(folder / "entries.npy", mmap_mode="r", allow_pickle=False)
    by_sha256 = {bytes(digest): row for row, digest in enumerate(rows["sha256"])}
    return _Snapshot(version, ringmatch.Index.open(folder / "pdq.ring"), rows, by_sha256)


def build_snapshot() -> int:
    """Write a snapshot of everything published now and make it the current one; returns its version.

    The files are complete and on the disk before `current` names them, so a crash leaves the old one in use.
    """
    version, published = 0, {}
    while changes := lists.feed_since(version, limit=PAGE_ROWS):
        for change in changes:
            version = change.version
            if change.change == "publish":
                published[change.entry_id] = change
            else:
                published.pop(change.entry_id, None)
    rows = np.zeros(len(published), dtype=_ROW)
    for row, change in enumerate(published.values()):
        rows[row] = (np.void(change.entry_id.bytes), np.void(change.sha256), np.frombuffer(change.pdq, dtype=np.uint8))
    _write_snapshot(version, rows)
    return version


def _write_snapshot(version: int, rows: NDArray[np.void]) -> None:
    root: Path = settings.INDEX_DIR
    folder, partial = root / str(version), root / f"{version}.new"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    ring = ringmatch.Index.build(
        np.ascontiguousarray(rows["pdq"]).reshape(-1, 32), np.arange(len(rows), dtype=np.uint64)
    )
    ring.save(partial / "pdq.ring")
    np.save(partial / "entries.npy", rows, allow_pickle=False)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    pointer = root / "current.new"
    pointer.write_text(str(version))
    pointer.replace(root / "current")
    for old in sorted((int(path.name) for path in root.iterdir() if path.name.isdigit()), reverse=True)[
        KEPT_SNAPSHOTS:
    ]:
        shutil.rmtree(root / str(old), ignore_errors=True)
