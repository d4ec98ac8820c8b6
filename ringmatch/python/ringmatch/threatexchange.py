"""PDQ for python-threatexchange and Hasher-Matcher-Actioner, with this package's hashing and index in place of theirs.

Needs the package `threatexchange`, which nothing else here does. README.md says how to load it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.index import (
    IndexMatchUntyped,
    SignalSimilarityInfoWithIntDistance,
    SignalTypeIndex,
)
from threatexchange.signal_type.pdq import signal as reference

from ringmatch.errors import RingmatchError
from ringmatch.hashing import pdq
from ringmatch.index import MAX_DISTANCE, Index

Entry = TypeVar("Entry")

__all__ = ["TX_MANIFEST", "PdqSignal", "RingPdqIndex", "RingPdqSignal"]
_ADDED_AT_ONCE = 65_536
#: One object a distance, shared by all matches: making one for each match took longer than finding it.
_SIMILARITIES = tuple(SignalSimilarityInfoWithIntDistance(distance) for distance in range(MAX_DISTANCE + 1))


class RingPdqIndex(SignalTypeIndex[Entry]):
    """Their PDQIndex on our Index: the same calls and matches, up to 31 bits. Matches come nearest first."""

    def __init__(self, entries: Iterable[tuple[str, Entry]] = ()) -> None:
        """entries: pairs of 64 hexadecimal digits and anything that is to come back with a match."""
        super().__init__()
        self._changing = threading.Lock()
        self._entries: list[Entry] = []
        self._waiting: list[bytes] = []
        self._index = Index.build(np.empty((0, 32), np.uint8), np.empty(0, np.uint64))
        self.add_all(entries)

    @classmethod
    def get_match_threshold(cls) -> int:
        """Return the widest distance that matches, in bits."""
        return MAX_DISTANCE

    def __len__(self) -> int:
        """Return the number of entries, repeated ones included."""
        return len(self._entries)

    def query(self, query: str) -> Sequence[IndexMatchUntyped[SignalSimilarityInfoWithIntDistance, Entry]]:
        """Return every entry within the threshold of this hash. Raises ValueError unless it has 64 hexadecimal digits."""
        self._add_waiting()
        found = self._index.search(np.frombuffer(_from_hex(query), np.uint8).reshape(1, 32), self.get_match_threshold())
        return self._matches(found.id.tolist(), found.distance.tolist())

    def query_many(
        self, queries: Sequence[str]
    ) -> list[list[IndexMatchUntyped[SignalSimilarityInfoWithIntDistance, Entry]]]:
        """Answer many queries in one call, which is several times faster than one by one."""
        self._add_waiting()
        rows = _rows([_from_hex(query) for query in queries])
        found = self._index.search(rows, self.get_match_threshold())
        positions, distances = found.id.tolist(), found.distance.tolist()
        ends = np.searchsorted(found.query, np.arange(len(rows) + 1)).tolist()
        return [self._matches(positions[start:end], distances[start:end]) for start, end in pairwise(ends)]

    def _matches(
        self, positions: list[int], distances: list[int]
    ) -> list[IndexMatchUntyped[SignalSimilarityInfoWithIntDistance, Entry]]:
        similarities = map(_SIMILARITIES.__getitem__, distances)
        return list(map(IndexMatchUntyped, similarities, map(self._entries.__getitem__, positions)))

    def add(self, signal_str: str, entry: Entry) -> None:
        """Add one entry; a hash may be added many times. Raises ValueError as `query` does."""
        self.add_all([(signal_str, entry)])

    def add_all(self, entries: Iterable[tuple[str, Entry]]) -> None:
        """Add all of them; the next query sees them."""
        remaining = iter(entries)
        while chunk := list(islice(remaining, _ADDED_AT_ONCE)):
            # All hashes are read before anything changes: a bad one leaves the index as it was before its batch.
            hashes = [_from_hex(signal) for signal, _ in chunk]
            with self._changing:
                self._entries.extend(entry for _, entry in chunk)
                self._waiting.extend(hashes)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the index ready to search, which `serialize` does too."""
        self._add_waiting()
        with self._changing:
            return {"entries": self._entries, "index": self._index}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up what `__getstate__` gave."""
        super().__init__()
        self._changing = threading.Lock()
        self._entries = state["entries"]
        self._waiting = []
        self._index = state["index"]

    def _add_waiting(self) -> None:
        # Callers add entries one by one; building for each would be quadratic in effect. Many threads may ask at once:
        # the first one builds, and the others wait for it rather than answer without what was added before.
        if not self._waiting:
            return
        with self._changing:
            if self._waiting:
                first = len(self._entries) - len(self._waiting)
                self._index.add(_rows(self._waiting), np.arange(first, len(self._entries), dtype=np.uint64))
                self._waiting = []


class PdqSignal(reference.PdqSignal):
    """Their PDQ signal type under its own name, "pdq", to stand in its place where signal types are configured (HMA)."""

    @classmethod
    def get_name(cls) -> str:
        """Return the name of the signal type that this one replaces."""
        return reference.PdqSignal.get_name()

    @classmethod
    def get_index_cls(cls) -> type[RingPdqIndex[object]]:
        """Return our index."""
        return RingPdqIndex

    @classmethod
    def hash_from_bytes(cls, bytes_: bytes) -> str:
        """Return the hash in hexadecimal, or nothing for a picture that cannot be read or is too plain to match."""
        try:
            found = pdq(bytes_)
        except RingmatchError:
            return ""
        return found.hash.hex() if found.quality >= cls.QUALITY_THRESHOLD else ""


class RingPdqSignal(PdqSignal):
    """The same under a name of its own, for the `tx` command, which always has a "pdq" and refuses a second."""

    @classmethod
    def get_name(cls) -> str:
        """Return a name that is not taken."""
        return "ring_pdq"


TX_MANIFEST = ThreatExchangeExtensionManifest(signal_types=(RingPdqSignal,))


def _from_hex(signal: str) -> bytes:
    # Python's own reader also takes spaces between the digits.
    if len(signal) != 64 or len(hash_bytes := bytes.fromhex(signal)) != 32:
        raise ValueError("a PDQ hash has 64 hexadecimal digits")
    return hash_bytes


def _rows(hashes: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, 32)
