"""Exact search by Hamming distance over 256-bit hashes."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringmatch._native import NativeIndex
from ringmatch.errors import BadShape, DistanceTooWide, TooLarge
from ringmatch.files import save_atomically

MAX_DISTANCE = 31
_MOST_ROWS = 2**32 - 2
_UINT8 = np.dtype(np.uint8)
# A segment that is at most this many times larger than what is added is merged with it. Each segment costs a search its
# look-ups again, each merge costs building: with 8, ten million hashes never have more than five or six segments.
_MERGE_RATIO = 8


class Matches(NamedTuple):
    """Pairs in range, one per row, ordered by query, then distance, then id.

    query: uint32, row number in the queries. id: uint64, as given to `build`. distance: uint16, bits, 0 to 31.
    """

    query: NDArray[np.uint32]
    id: NDArray[np.uint64]
    distance: NDArray[np.uint16]

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Matches:
        """Return only the chosen rows: a mask, or row numbers in the order wanted."""
        return Matches(self.query[chosen], self.id[chosen], self.distance[chosen])


def _nothing() -> Matches:
    columns = np.empty(0, np.uint32), np.empty(0, np.uint64), np.empty(0, np.uint16)
    for column in columns:
        column.flags.writeable = False
    return Matches(*columns)


_NOTHING = _nothing()


@dataclass(frozen=True, slots=True)
class _Segment:
    """An immutable part of an index, less the ids that were removed since it was built."""

    native: NativeIndex
    removed: NDArray[np.uint64]  # ascending
    live_rows: int

    @classmethod
    def of(cls, native: NativeIndex) -> _Segment:
        return cls(native, np.empty(0, np.uint64), native.id_count)

    def without(self, ids: NDArray[np.uint64]) -> _Segment:
        """ids: ascending, without repeats."""
        wanted = np.setdiff1d(ids, self.removed, assume_unique=True)
        counts = self.native.count_rows(wanted)
        gone = int(counts.sum())
        if gone == 0:
            return self
        return _Segment(self.native, np.union1d(self.removed, wanted[counts > 0]), self.live_rows - gone)

    def search(self, queries: NDArray[np.uint8], max_distance: int, threads: int) -> Matches:
        columns = self.native.search(queries, max_distance, threads)
        if columns is None:
            return _NOTHING
        found = Matches._make(columns)
        if len(self.removed) == 0:
            return found
        return found.rows(~_is_in(found.id, self.removed))

    def rows(self, threads: int) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        hashes, ids = self.native.rows(threads)
        kept = ~_is_in(ids, self.removed)
        return hashes[kept], ids[kept]


class Index:
    """A set of hashes with ids. Safe to search from many threads at once, also while one of them changes it.

    Inside are a few immutable segments. A change makes new ones beside them and then swaps the list of segments in one
    step, so a search sees everything before a change or everything after it and never waits.
    """

    def __init__(self, native: NativeIndex) -> None:
        """Not for callers: use `build` or `open`."""
        self._compact = native.compact
        self._segments: tuple[_Segment, ...] = (_Segment.of(native),)
        self._changing = threading.Lock()

    @classmethod
    def build(
        cls, hashes: NDArray[np.uint8], ids: NDArray[np.uint64], *, threads: int = 1, compact: bool = False
    ) -> Index:
        """Index `hashes` (uint8, shape (n, 32)) under `ids` (uint64, shape (n,)). Copies both.

        A hash may occur many times and an id may too: every pair is kept. threads: 0 means every core.
        compact: a tenth less memory for about a sixth less speed; what is added later is kept in the same form.
        Raises BadShape for other shapes or types, TooLarge from 2**32 - 1 rows.
        """
        return cls(_build(*_checked_rows(hashes, ids), _thread_count(threads), compact))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, threads: int = 1) -> Index:
        """Map a file written by `save`. Reads all of it once to check it; threads share that reading.

        Processes that open the same file share its memory. Raises OSError when it cannot be read and DamagedIndex when
        it is not, byte for byte, what was saved. A file in use may be replaced or unlinked, never written to in place.
        """
        return cls(NativeIndex.open(os.fspath(path), _thread_count(threads)))

    def search(self, queries: NDArray[np.uint8], max_distance: int = MAX_DISTANCE, *, threads: int = 1) -> Matches:
        """Return every stored hash within `max_distance` bits of each query. Exact: nothing in range is missed.

        queries: uint8, shape (m, 32). threads: 0 means every core. The interpreter lock is released meanwhile.
        Raises BadShape unless (m, 32), DistanceTooWide outside 0 to 31.
        """
        if not 0 <= max_distance <= MAX_DISTANCE:
            raise DistanceTooWide(f"max_distance is {max_distance}; the index is exact for 0 to {MAX_DISTANCE}")
        rows = _hash_rows(queries, "queries")
        distance, workers, segments = int(max_distance), _thread_count(threads), self._segments
        if len(segments) == 1:
            return segments[0].search(rows, distance, workers)
        return _merged([segment.search(rows, distance, workers) for segment in segments])

    def add(self, hashes: NDArray[np.uint8], ids: NDArray[np.uint64], *, threads: int = 1) -> None:
        """Add rows as `build` would have taken them. When this returns, every new search sees all of them.

        Builds a small segment, merged with those not much larger: cheap on the whole, now and then as long as `build`.
        Raises as `build` does.
        """
        new_hashes, new_ids = _checked_rows(hashes, ids)
        workers = _thread_count(threads)
        if len(new_ids) == 0:
            return
        with self._changing:
            kept = list(self._segments)
            taken: list[_Segment] = []
            size = len(new_ids)
            while kept and kept[-1].live_rows <= _MERGE_RATIO * size:
                taken.append(kept.pop())
                size += taken[-1].live_rows
            parts = [segment.rows(workers) for segment in taken] + [(new_hashes, new_ids)]
            self._segments = (*kept, _Segment.of(_built_from(parts, workers, self._compact)))

    def remove(self, ids: NDArray[np.uint64]) -> int:
        """Take out every row under any of `ids` (uint64, shape (k,)); return how many there were.

        When this returns, no new search finds them; ids that are not stored are ignored. Reads all ids once, so
        removing many in one call is far cheaper than one by one. The memory is freed by `merge`, `add` or `save`.
        """
        wanted = np.unique(_id_column(ids, None))
        with self._changing:
            before = len(self)
            changed = [segment.without(wanted) for segment in self._segments]
            # One segment always stays, so that an index from which everything was removed is still one.
            self._segments = tuple(segment for segment in changed if segment.live_rows > 0) or (changed[0],)
            return before - len(self)

    def merge(self, *, threads: int = 1) -> None:
        """Fold all segments into one, as if built anew from the rows that are left. Searches go on meanwhile."""
        with self._changing:
            self._segments = (_Segment.of(_compacted(self._segments, _thread_count(threads))),)

    def ids(self, *, threads: int = 1) -> NDArray[np.uint64]:
        """Return every id as often as it was given, in no particular order: uint64, shape (len(index),)."""
        return np.concatenate([segment.rows(_thread_count(threads))[1] for segment in self._segments])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to `path`. Whoever opens that path sees the old file or the whole new one, never a part."""
        save_atomically(Path(path), _compacted(self._segments, 1).image().data)

    def to_bytes(self) -> bytes:
        """Return the bytes that `save` writes."""
        return _compacted(self._segments, 1).image().tobytes()

    @classmethod
    def from_bytes(cls, image: bytes | bytearray | memoryview) -> Index:
        """Make an index from what `to_bytes` returned or `save` wrote. Raises DamagedIndex."""
        return cls(NativeIndex.load(np.frombuffer(image, np.uint8), 1))

    def __len__(self) -> int:
        """Return the number of ids, counting each as often as it was given."""
        return sum(segment.live_rows for segment in self._segments)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as the bytes that `save` writes."""
        return Index.from_bytes, (self.to_bytes(),)

    @property
    def entry_count(self) -> int:
        """Number of stored hashes: different ones within a segment, removed ones included until it is merged."""
        return sum(segment.native.entry_count for segment in self._segments)

    @property
    def compact(self) -> bool:
        """Whether this is the compact form, as chosen in `build`."""
        return self._compact

    @property
    def segment_count(self) -> int:
        """Number of segments; each costs a search its look-ups again."""
        return len(self._segments)

    @property
    def size_bytes(self) -> int:
        """Size in memory; after `merge` or `build` also the size of the file."""
        return sum(segment.native.size_bytes for segment in self._segments)


def _build(hashes: NDArray[np.uint8], ids: NDArray[np.uint64], threads: int, compact: bool) -> NativeIndex:
    return NativeIndex.build(hashes, ids, threads, compact=compact)


def _built_from(parts: list[tuple[NDArray[np.uint8], NDArray[np.uint64]]], threads: int, compact: bool) -> NativeIndex:
    hashes = np.concatenate([part[0] for part in parts])
    ids = np.concatenate([part[1] for part in parts])
    return _build(*_checked_rows(hashes, ids), threads, compact)


def _compacted(segments: tuple[_Segment, ...], threads: int) -> NativeIndex:
    if len(segments) == 1 and len(segments[0].removed) == 0:
        return segments[0].native
    return _built_from([segment.rows(threads) for segment in segments], threads, segments[0].native.compact)


def _merged(found: list[Matches]) -> Matches:
    joined = Matches(
        np.concatenate([part.query for part in found]),
        np.concatenate([part.id for part in found]),
        np.concatenate([part.distance for part in found]),
    )
    return joined.rows(np.lexsort((joined.id, joined.distance, joined.query)))


def _is_in(ids: NDArray[np.uint64], ascending: NDArray[np.uint64]) -> NDArray[np.bool_]:
    if len(ascending) == 0:
        return np.zeros(len(ids), np.bool_)
    places = np.searchsorted(ascending, ids)
    present: NDArray[np.bool_] = ascending[np.minimum(places, len(ascending) - 1)] == ids
    return present


def _checked_rows(hashes: NDArray[np.uint8], ids: NDArray[np.uint64]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    rows = _hash_rows(hashes, "hashes")
    return rows, _id_column(ids, len(rows))


def _hash_rows(rows: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    if type(rows) is np.ndarray and rows.dtype is _UINT8 and rows.ndim == 2 and rows.shape[1] == 32:
        if rows.flags.c_contiguous and len(rows) <= _MOST_ROWS:
            return rows  # the usual case, decided without a conversion
    elif not isinstance(rows, np.ndarray) or rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != 32:
        raise BadShape(f"{name} must be a uint8 array of shape (n, 32), not {_description(rows)}")
    if len(rows) > _MOST_ROWS:
        raise TooLarge(f"{name} has {len(rows)} rows; the most is {_MOST_ROWS}")
    return np.ascontiguousarray(rows)


def _id_column(ids: NDArray[np.uint64], count: int | None) -> NDArray[np.uint64]:
    well_shaped = isinstance(ids, np.ndarray) and ids.dtype == np.uint64 and ids.ndim == 1
    if not well_shaped or (count is not None and len(ids) != count):
        shape = "(k,)" if count is None else f"({count},)"
        raise BadShape(f"ids must be a uint64 array of shape {shape}, not {_description(ids)}")
    return np.ascontiguousarray(ids)


def _description(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return type(value).__name__


def _thread_count(threads: int) -> int:
    if threads < 0:
        raise ValueError("threads is a number of threads, or 0 for every core")
    # More threads than this only cost memory; the bound keeps a slip of the pen from exhausting the system.
    return min(threads, 256)
