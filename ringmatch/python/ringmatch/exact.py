"""Exact look-up of cryptographic digests: MD5, SHA-1 and SHA-256 of files."""

from __future__ import annotations

import mmap
import os
import struct
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ringmatch import _native
from ringmatch.errors import BadShape, DamagedIndex
from ringmatch.files import save_atomically
from ringmatch.index import Matches

_MAGIC = b"RINGEXCT"
_VERSION = 1
_BYTE_ORDER = 0x01020304
_HEADER = struct.Struct("=8sIIIIQQ")  # magic, version, byte order, digest bytes, reserved, rows, checksum of all else
_HEADER_BYTES = 64


class Digest(IntEnum):
    """The kinds of digest, by their length in bytes."""

    MD5 = 16
    SHA1 = 20
    SHA256 = 32


class ExactSet:
    """An immutable set of digests of one kind with ids, sorted, so that a look-up is a binary search.

    The answers have the shape of `Index.search`, with distance 0.
    """

    def __init__(self, image: NDArray[np.uint8]) -> None:
        """Not for callers: use `build` or `open`."""
        self._image = image
        self._kind, rows = _checked_header(image)
        ids_end = _HEADER_BYTES + 8 * rows
        self._ids = image[_HEADER_BYTES:ids_end].view(np.uint64)
        self._digests = image[ids_end:].reshape(rows, self._kind)
        if not _native.digests_are_ascending(self._digests):
            raise DamagedIndex("the digests of the set are not in order")

    @classmethod
    def build(cls, digests: NDArray[np.uint8], ids: NDArray[np.uint64]) -> ExactSet:
        """Keep `digests` (uint8, shape (n, 16), (n, 20) or (n, 32)) under `ids` (uint64, shape (n,)). Copies both.

        A digest may occur several times: every id is kept. Raises BadShape for other shapes or types.
        """
        kinds = [int(kind) for kind in Digest]
        if not (_is_array(digests, np.uint8, 2) and digests.shape[1] in kinds):
            raise BadShape(f"digests must be a uint8 array of shape (n, k) with k in {kinds}")
        if not (_is_array(ids, np.uint64, 1) and len(ids) == len(digests)):
            raise BadShape(f"ids must be a uint64 array of shape ({len(digests)},)")
        order = _native.digest_order(np.ascontiguousarray(digests), np.ascontiguousarray(ids))
        rows, digest_bytes = digests.shape
        image = np.zeros(_HEADER_BYTES + rows * (8 + digest_bytes), np.uint8)
        ids_end = _HEADER_BYTES + 8 * rows
        image[_HEADER_BYTES:ids_end] = ids[order].view(np.uint8)
        image[ids_end:] = digests[order].ravel()
        _write_header(image, digest_bytes, rows)
        return cls(image)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> ExactSet:
        """Map a file written by `save`, after reading all of it once. Raises OSError or DamagedIndex."""
        with Path(path).open("rb") as file:
            if os.fstat(file.fileno()).st_size < _HEADER_BYTES:
                raise DamagedIndex("the file is too short to be a set of digests")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return cls(np.frombuffer(mapped, np.uint8))

    def search(self, queries: NDArray[np.uint8]) -> Matches:
        """Return the ids of every stored digest that equals a query, ordered by query, then id; distance is 0.

        queries: uint8, shape (m, k) with the k of this set. Raises BadShape.
        """
        if not (_is_array(queries, np.uint8, 2) and queries.shape[1] == self._kind):
            raise BadShape(f"queries must be a uint8 array of shape (m, {self._kind})")
        first, last = _native.digest_ranges(self._digests, np.ascontiguousarray(queries))
        counts = (last - first).astype(np.intp)
        query = np.repeat(np.arange(len(queries), dtype=np.uint32), counts)
        rank_within_query = np.arange(len(query)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = np.repeat(first.astype(np.intp), counts) + rank_within_query
        return Matches(query, self._ids[rows], np.zeros(len(query), np.uint16))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the set to `path`: the old file or the whole new one is there, never a part."""
        save_atomically(Path(path), self._image.data)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._ids)

    @property
    def kind(self) -> Digest:
        """Which digests these are."""
        return self._kind


def _is_array(value: object, kind: type[np.generic], dimensions: int) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == kind and value.ndim == dimensions


def _write_header(image: NDArray[np.uint8], digest_bytes: int, rows: int) -> None:
    fields = (_MAGIC, _VERSION, _BYTE_ORDER, digest_bytes, 0, rows)
    _HEADER.pack_into(image.data, 0, *fields, 0)
    _HEADER.pack_into(image.data, 0, *fields, _checksum(image))


def _checksum(image: NDArray[np.uint8]) -> int:
    """Cover the header with its checksum field zero, and the body."""
    header = bytearray(image[:_HEADER_BYTES].tobytes())
    header[_HEADER.size - 8 : _HEADER.size] = bytes(8)
    return _native.xxh64(bytes(header), _native.xxh64_of_array(image[_HEADER_BYTES:]))


def _checked_header(image: NDArray[np.uint8]) -> tuple[Digest, int]:
    if len(image) < _HEADER_BYTES:
        raise DamagedIndex("the file is too short to be a set of digests")
    magic, version, byte_order, digest_bytes, _, rows, checksum = _HEADER.unpack_from(image.data, 0)
    if magic != _MAGIC:
        raise DamagedIndex("the file is not a set of digests")
    if version != _VERSION or byte_order != _BYTE_ORDER:
        raise DamagedIndex("the set has a version or byte order that this release does not read here")
    if digest_bytes not in list(Digest) or len(image) != _HEADER_BYTES + rows * (8 + digest_bytes):
        raise DamagedIndex("the set is cut off or its header makes no sense")
    if checksum != _checksum(image):
        raise DamagedIndex("the contents of the set do not match their checksum")
    return Digest(digest_bytes), rows
