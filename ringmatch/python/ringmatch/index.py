"""Exact search by Hamming distance over 256-bit hashes."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringmatch._native import NativeIndex
from ringmatch.errors import BadShape, DistanceTooWide, TooLarge

MAX_DISTANCE = 31
_MOST_ROWS = 2**32 - 2


class Matches(NamedTuple):
    """Pairs in range, one per row, ordered by query, then distance, then id.

    query: uint32, row number in the queries. id: uint64, as given to `build`. distance: uint16, bits, 0 to 31.
    """

    query: NDArray[np.uint32]
    id: NDArray[np.uint64]
    distance: NDArray[np.uint16]


class Index:
    """An immutable set of hashes with ids. Safe to search from many threads at once."""

    def __init__(self, native: NativeIndex) -> None:
        """Not for callers: use `build` or `open`."""
        self._native = native

    @classmethod
    def build(cls, hashes: NDArray[np.uint8], ids: NDArray[np.uint64], *, threads: int = 1) -> Index:
        """Index `hashes` (uint8, shape (n, 32)) under `ids` (uint64, shape (n,)). Copies both.

        A hash may occur many times and an id may too: every pair is kept. threads: 0 means every core.
        Raises BadShape for other shapes or types, TooLarge from 2**32 - 1 rows.
        """
        checked_hashes = _hash_rows(hashes, "hashes")
        checked_ids = _id_column(ids, len(checked_hashes))
        return cls(NativeIndex.build(checked_hashes, checked_ids, _thread_count(threads)))

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
        return Matches(*self._native.search(rows, int(max_distance), _thread_count(threads)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to `path`. Whoever opens that path sees the old file or the whole new one, never a part."""
        target = Path(path)
        # In the same folder, because a rename is atomic only within one file system.
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        try:
            with temporary.open("xb") as file:
                file.write(self._native.image().data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)

    def __len__(self) -> int:
        """Return the number of ids, counting each as often as it was given."""
        return self._native.id_count

    @property
    def entry_count(self) -> int:
        """Number of different hashes."""
        return self._native.entry_count

    @property
    def size_bytes(self) -> int:
        """Size in memory, which is also the size of the file."""
        return self._native.size_bytes


def _hash_rows(rows: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    if not isinstance(rows, np.ndarray) or rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != 32:
        raise BadShape(f"{name} must be a uint8 array of shape (n, 32), not {_description(rows)}")
    if len(rows) > _MOST_ROWS:
        raise TooLarge(f"{name} has {len(rows)} rows; the most is {_MOST_ROWS}")
    return np.ascontiguousarray(rows)


def _id_column(ids: NDArray[np.uint64], count: int) -> NDArray[np.uint64]:
    if not isinstance(ids, np.ndarray) or ids.dtype != np.uint64 or ids.shape != (count,):
        raise BadShape(f"ids must be a uint64 array of shape ({count},), not {_description(ids)}")
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


def _sync_folder(folder: Path) -> None:
    # The rename is durable only once the folder that holds the name is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
