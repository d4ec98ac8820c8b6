"""Sets of digests: what a dictionary would answer, from one mapped file."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ringmatch import BadShape, DamagedIndex, Digest, ExactSet, _native


def digests_of(contents: list[bytes], kind: str) -> NDArray[np.uint8]:
    joined = b"".join(hashlib.new(kind, content, usedforsecurity=False).digest() for content in contents)
    return np.frombuffer(joined, np.uint8).reshape(len(contents), -1)


def ids_from(*ids: int) -> NDArray[np.uint64]:
    return np.array(ids, np.uint64)


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_a_digest_is_found_with_all_of_its_ids(kind: str, tmp_path: Path) -> None:
    stored = digests_of([b"one", b"two", b"one", b"three"], kind)
    built = ExactSet.build(stored, ids_from(9, 2, 1, 2**64 - 1))
    built.save(tmp_path / "set")

    for digests in (built, ExactSet.open(tmp_path / "set")):
        found = digests.search(digests_of([b"three", b"none", b"one"], kind))
        assert found.query.tolist() == [0, 2, 2]
        assert found.id.tolist() == [2**64 - 1, 1, 9]
        assert found.distance.tolist() == [0, 0, 0]
        assert [column.dtype for column in found] == [np.uint32, np.uint64, np.uint16]
        assert len(digests) == 4
        assert digests.kind.name == kind.upper()


@settings(max_examples=100, deadline=None)
@given(
    kind=st.sampled_from(Digest),
    rows=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2**64 - 1)), max_size=40),
    wanted=st.lists(st.integers(0, 8), max_size=12),
    place=st.integers(0, 15),
)
def test_a_set_answers_like_a_dictionary(
    kind: Digest, rows: list[tuple[int, int]], wanted: list[int], place: int
) -> None:
    """Digests that differ in one byte only, first or last, with zeros around it."""

    def row(value: int) -> list[int]:
        return [value if column == place else 0 for column in range(kind)]

    stored = np.array([row(value) for value, _ in rows], np.uint8).reshape(-1, kind)
    queries = np.array([row(value) for value in wanted], np.uint8).reshape(-1, kind)

    found = ExactSet.build(stored, ids_from(*(number for _, number in rows))).search(queries)

    expected = [(n, i) for n, value in enumerate(wanted) for i in sorted(i for v, i in rows if v == value)]
    assert list(zip(found.query.tolist(), found.id.tolist(), strict=True)) == expected


def test_every_changed_byte_and_every_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "set"
    ExactSet.build(digests_of([b"a", b"b", b"c"], "md5"), ids_from(1, 2, 3)).save(path)
    image = bytearray(path.read_bytes())

    for position in range(len(image)):
        image[position] ^= 0x10
        path.write_bytes(image)
        image[position] ^= 0x10
        with pytest.raises(DamagedIndex):
            ExactSet.open(path)
    for length in range(len(image)):
        path.write_bytes(image[:length])
        with pytest.raises(DamagedIndex):
            ExactSet.open(path)


def test_a_forged_set_out_of_order_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set"
    ExactSet.build(digests_of([b"a", b"b"], "md5"), ids_from(1, 2)).save(path)
    image = bytearray(path.read_bytes())
    image[80:96], image[96:112] = image[96:112], image[80:96]
    struct.pack_into("=Q", image, 32, 0)
    checksum = _native.xxh64(bytes(image[:64]), _native.xxh64(bytes(image[64:])))
    struct.pack_into("=Q", image, 32, checksum)
    path.write_bytes(image)

    with pytest.raises(DamagedIndex, match="order"):
        ExactSet.open(path)


@pytest.mark.parametrize(
    "digests", [np.zeros((2, 15), np.uint8), np.zeros((2, 16), np.int8), np.zeros(16, np.uint8), []]
)
def test_digests_of_another_shape_or_type_are_refused(digests: NDArray[np.uint8]) -> None:
    with pytest.raises(BadShape):
        ExactSet.build(digests, np.zeros(len(digests), np.uint64))
    with pytest.raises(BadShape):
        ExactSet.build(np.zeros((1, 16), np.uint8), ids_from(1)).search(digests)


def test_ids_must_be_as_many_as_digests() -> None:
    with pytest.raises(BadShape):
        ExactSet.build(np.zeros((2, 16), np.uint8), ids_from(1))
