"""The index finds exactly what a full scan finds, whatever the data, the threshold and the instructions."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import ringmatch
from ringmatch import BadShape, DistanceTooWide, Index, Matches, _native

Hashes = NDArray[np.uint8]
PATHS = _native.available_paths()
# RINGMATCH_MANY_CASES=1 tries every distance on the long lists; minutes instead of seconds.
MANY_CASES = os.environ.get("RINGMATCH_MANY_CASES") == "1"


def full_scan(hashes: Hashes, ids: NDArray[np.uint64], queries: Hashes, max_distance: int) -> Matches:
    stored = np.ascontiguousarray(hashes).view(np.uint64)
    found_query, found_id, found_distance = [], [], []
    for number, query in enumerate(np.ascontiguousarray(queries).view(np.uint64)):
        distance = np.bitwise_count(stored ^ query).sum(axis=1, dtype=np.uint16)
        near = np.flatnonzero(distance <= max_distance)
        order = np.lexsort((ids[near], distance[near]))
        found_query.append(np.full(len(near), number, np.uint32))
        found_id.append(ids[near][order])
        found_distance.append(distance[near][order])
    return Matches(
        np.concatenate([np.empty(0, np.uint32), *found_query]),
        np.concatenate([np.empty(0, np.uint64), *found_id]),
        np.concatenate([np.empty(0, np.uint16), *found_distance]),
    )


def assert_same(found: Matches, expected: Matches) -> None:
    for name in Matches._fields:
        got, want = getattr(found, name), getattr(expected, name)
        assert got.dtype == want.dtype
        assert np.array_equal(got, want), name


def matches_of(columns: tuple[NDArray, ...] | None) -> Matches:
    """What the native search gave back: None stands for nothing found."""
    if columns is None:
        return Matches(np.empty(0, np.uint32), np.empty(0, np.uint64), np.empty(0, np.uint16))
    assert len(columns[0]) > 0
    return Matches._make(columns)


def ring_index(hashes: Hashes, ids: NDArray[np.uint64], compact: bool = False) -> Index:
    """Build with tables even where a scan would be chosen."""
    return Index(_native.NativeIndex.build(hashes, ids, 1, ring_from=0, compact=compact))


def some_ids(count: int) -> NDArray[np.uint64]:
    return np.random.default_rng(count).permutation(count).astype(np.uint64) * np.uint64(3)


def random_hashes(rng: np.random.Generator, count: int) -> Hashes:
    return rng.integers(0, 256, (count, 32), dtype=np.uint8)


def flipped(rng: np.random.Generator, hashes: Hashes, distances: NDArray[np.int64]) -> Hashes:
    """Return the hashes with exactly that many random bits changed in each."""
    ranks = rng.random((len(hashes), 256)).argsort(axis=1).argsort(axis=1)
    return np.packbits(np.unpackbits(hashes, axis=1) ^ (ranks < distances[:, np.newaxis]), axis=1)


def clustered(rng: np.random.Generator, count: int) -> Hashes:
    centres = random_hashes(rng, max(1, count // 50))
    return flipped(rng, centres[rng.zipf(1.4, count) % len(centres)], rng.integers(0, 24, count))


def skewed(rng: np.random.Generator, count: int) -> Hashes:
    patterns = rng.integers(0, 2**16, (16, 40), dtype=np.uint16)
    choice = np.minimum(rng.zipf(1.3, (count, 16)), 40) - 1
    return patterns[np.arange(16), choice].view(np.uint8)


def in_stored_order(bits: NDArray[np.bool_]) -> Hashes:
    """Turn bits, given by their place in the tables, into hashes, so that data can be aimed at the tables."""
    natural = bits[:, np.asarray(_native.stored_bit_order())]
    return np.packbits(natural, axis=1, bitorder="little")


def aimed_at_one_bucket(rng: np.random.Generator, count: int) -> Hashes:
    """Equal in the first eight blocks of the tables: eight tables have everything in one bucket."""
    bits = rng.random((count, 256)) < 0.5
    bits[:, :128] = False
    bits[: count // 2, 128:] = rng.random((count // 2, 128)) < 0.06
    return in_stored_order(bits)


def few_bits(rng: np.random.Generator, count: int) -> Hashes:
    return flipped(rng, np.zeros((count, 32), np.uint8), rng.integers(0, 12, count))


def constant_blocks(rng: np.random.Generator, count: int) -> Hashes:
    """Half of the 16-bit blocks of the tables, every other one, are the same in all hashes."""
    bits = rng.random((count, 256)) < 0.5
    bits.reshape(count, 16, 16)[:, ::2] = rng.random((8, 16)) < 0.5
    return in_stored_order(bits)


def few_values(rng: np.random.Generator, count: int) -> Hashes:
    """Each block of the tables has one of four values: all keys are crowded, and so are the blocks next to them."""
    values = rng.random((16, 4, 16)) < 0.5
    blocks = values[np.arange(16), rng.integers(0, 4, (count, 16))]
    return in_stored_order(blocks.reshape(count, 256))


def all_equal(rng: np.random.Generator, count: int) -> Hashes:
    return np.broadcast_to(rng.integers(0, 256, 32, dtype=np.uint8), (count, 32)).copy()


KINDS = {
    "random": random_hashes,
    "clustered": clustered,
    "skewed": skewed,
    "aimed": aimed_at_one_bucket,
    "few": few_bits,
    "constant": constant_blocks,
    "few_values": few_values,
    "equal": all_equal,
}


def queries_around(rng: np.random.Generator, hashes: Hashes, count: int) -> Hashes:
    if len(hashes) == 0:
        return random_hashes(rng, count)
    near = flipped(rng, hashes[rng.integers(0, len(hashes), count)], rng.integers(0, 40, count))
    return np.concatenate([near, random_hashes(rng, count // 4 + 1)])


@pytest.mark.parametrize("size", [0, 1, 2, 63, 64, 65, 1030])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_both_layouts_find_what_a_full_scan_finds(kind: str, size: int, compact: bool, dispatch_path: str) -> None:
    rng = np.random.default_rng([size, 1])
    hashes = KINDS[kind](rng, size)
    ids = some_ids(size)
    queries = queries_around(rng, hashes, 30)

    for index in (Index.build(hashes, ids, compact=compact), ring_index(hashes, ids, compact)):
        assert len(index) == size
        for max_distance in (0, 15, 16, 31):
            assert_same(index.search(queries, max_distance), full_scan(hashes, ids, queries, max_distance))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_ten_thousand_hashes_are_searched_exactly_at_every_distance(
    kind: str, compact: bool, dispatch_path: str
) -> None:
    rng = np.random.default_rng(2)
    hashes = KINDS[kind](rng, 10_000)
    ids = some_ids(10_000)
    queries = queries_around(rng, hashes, 32)
    widest = full_scan(hashes, ids, queries, 31)
    index = Index.build(hashes, ids, compact=compact)

    for max_distance in range(32):
        within = widest.distance <= max_distance
        expected = Matches(widest.query[within], widest.id[within], widest.distance[within])
        assert_same(index.search(queries, max_distance), expected)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_hundred_thousand_hashes_are_searched_exactly_on_every_path_in_both_forms(kind: str) -> None:
    rng = np.random.default_rng(12)
    hashes = KINDS[kind](rng, 100_000)
    ids = some_ids(100_000)
    # What is within 31 bits of everything has a hundred thousand answers: a few of those queries are enough.
    queries = queries_around(rng, hashes, 24 if MANY_CASES else 2)
    widest = full_scan(hashes, ids, queries, 31)
    before = _native.active_path()
    try:
        for compact in (False, True):
            native = _native.NativeIndex.build(hashes, ids, 2, ring_from=0, compact=compact)
            for path in PATHS:
                _native.select_path(path)
                for max_distance in range(32) if MANY_CASES else (15, 31):
                    within = widest.distance <= max_distance
                    expected = Matches(widest.query[within], widest.id[within], widest.distance[within])
                    for plan in ("per_query", "join"):
                        assert_same(matches_of(native.search(queries, max_distance, 2, plan)), expected)
    finally:
        _native.select_path(before)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 1030])
def test_one_query_alone_is_answered_like_many(size: int, compact: bool, dispatch_path: str) -> None:
    """Few queries on a short list are scanned in another way than a batch."""
    rng = np.random.default_rng([size, 6])
    hashes = clustered(rng, size)
    ids = some_ids(size)
    index = ring_index(hashes, ids, compact)

    for query in queries_around(rng, hashes, 20):
        alone = query[np.newaxis]
        assert_same(index.search(alone), full_scan(hashes, ids, alone, 31))


@pytest.mark.parametrize("size", [1, 65, 3000])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_joining_a_batch_with_the_tables_gives_the_same_answers(
    kind: str, size: int, compact: bool, dispatch_path: str
) -> None:
    rng = np.random.default_rng([size, 5])
    hashes = KINDS[kind](rng, size)
    ids = some_ids(size)
    queries = queries_around(rng, hashes, 60)
    native = _native.NativeIndex.build(hashes, ids, 1, ring_from=0, compact=compact)

    for max_distance in (0, 7, 15, 16, 24, 31):
        for threads in (1, 3):
            joined = matches_of(native.search(queries, max_distance, threads, plan="join"))
            assert_same(joined, full_scan(hashes, ids, queries, max_distance))


def test_a_large_batch_on_a_long_list_is_answered_like_its_parts() -> None:
    """Long enough that the join is chosen, which the small cases above ask for by name."""
    rng = np.random.default_rng(10)
    hashes = random_hashes(rng, 500_000)
    index = Index.build(hashes, some_ids(500_000), threads=0)
    queries = queries_around(rng, hashes, 4000)

    together = index.search(queries, threads=0)

    parts = [index.search(queries[start : start + 1000]) for start in range(0, len(queries), 1000)]
    assert len(together.id) > 2000
    assert np.array_equal(together.id, np.concatenate([part.id for part in parts]))
    assert np.array_equal(together.distance, np.concatenate([part.distance for part in parts]))
    assert np.array_equal(together.query, np.concatenate([part.query + 1000 * k for k, part in enumerate(parts)]))


@pytest.mark.parametrize("spread", ["even", "one_run", "pairs"])
def test_differences_placed_against_the_tables_are_found(spread: str, compact: bool, dispatch_path: str) -> None:
    """The method rests on where differences lie in the blocks, so they are put where it is weakest."""
    rng = np.random.default_rng(3)
    stored_bits = rng.random((2000, 256)) < 0.5
    query_bits = stored_bits.copy()
    for row in range(2000):
        distance = row % 34
        step = np.arange(distance)
        start = int(rng.integers(0, 256))
        if spread == "even":
            places = (start + 16 * step + step // 16) % 256
        elif spread == "one_run":
            places = (start + step) % 256
        else:
            places = (start + 32 * (step // 2) + step % 2 + step // 16 * 2) % 256
        query_bits[row, places] ^= True
    hashes, queries = in_stored_order(stored_bits), in_stored_order(query_bits)
    ids = some_ids(2000)

    found = ring_index(hashes, ids, compact).search(queries)

    assert_same(found, full_scan(hashes, ids, queries, 31))


@st.composite
def small_sets(draw: st.DrawFn) -> tuple[Hashes, NDArray[np.uint64], Hashes]:
    """Sets near a few centres: most pairs are close to the threshold, many are equal."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    centres = random_hashes(rng, draw(st.integers(1, 4)))
    count = draw(st.integers(0, 80))
    reach = draw(st.integers(0, 45))
    hashes = flipped(rng, centres[rng.integers(0, len(centres), count)], rng.integers(0, reach + 1, count))
    ids = rng.integers(0, draw(st.sampled_from([3, 2**20, 2**63])), count).astype(np.uint64)
    queries = flipped(rng, centres[rng.integers(0, len(centres), 12)], rng.integers(0, 20, 12))
    return hashes, ids, queries


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    sets=small_sets(),
    max_distance=st.integers(0, 31),
    path=st.sampled_from(PATHS),
    tables=st.booleans(),
    compact=st.booleans(),
)
def test_the_index_finds_exactly_what_a_full_scan_finds(
    sets: tuple[Hashes, NDArray[np.uint64], Hashes], max_distance: int, path: str, tables: bool, compact: bool
) -> None:
    hashes, ids, queries = sets
    before = _native.active_path()
    _native.select_path(path)
    try:
        index = ring_index(hashes, ids, compact) if tables else Index.build(hashes, ids, compact=compact)
        assert_same(index.search(queries, max_distance), full_scan(hashes, ids, queries, max_distance))
    finally:
        _native.select_path(before)


def test_every_id_of_a_repeated_hash_comes_back(compact: bool) -> None:
    rng = np.random.default_rng(4)
    hashes = random_hashes(rng, 300)[rng.integers(0, 300, 20_000)]
    ids = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    index = ring_index(hashes, ids, compact)

    found = index.search(hashes[:50], 0)

    assert index.entry_count <= 300
    assert len(index) == 20_000
    assert_same(found, full_scan(hashes, ids, hashes[:50], 0))


@pytest.mark.parametrize("largest", [2**32 - 1, 2**32, 2**64 - 1])
def test_ids_of_any_size_come_back_unchanged(largest: int) -> None:
    hashes = random_hashes(np.random.default_rng(5), 3)
    ids = np.array([0, largest, 7], np.uint64)

    found = Index.build(hashes, ids).search(hashes, 0)

    assert found.id.tolist() == [0, largest, 7]


def test_threads_change_nothing_but_the_time(compact: bool) -> None:
    rng = np.random.default_rng(6)
    hashes = clustered(rng, 20_000)
    ids = some_ids(20_000)
    queries = queries_around(rng, hashes, 1500)
    alone = Index.build(hashes, ids, threads=1, compact=compact)
    together = Index.build(hashes, ids, threads=3, compact=compact)

    assert_same(together.search(queries, threads=3), alone.search(queries))
    assert_same(together.search(queries, threads=0), alone.search(queries))


def test_one_index_serves_many_threads_at_once(compact: bool) -> None:
    rng = np.random.default_rng(7)
    hashes = random_hashes(rng, 20_000)
    index = Index.build(hashes, some_ids(20_000), compact=compact)
    queries = queries_around(rng, hashes, 500)
    expected = index.search(queries)
    results: list[Matches] = []

    callers = [threading.Thread(target=lambda: results.append(index.search(queries))) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(results) == 6
    for result in results:
        assert_same(result, expected)


def test_the_caller_may_change_its_arrays_afterwards() -> None:
    hashes = random_hashes(np.random.default_rng(8), 10)
    kept = hashes.copy()
    ids = some_ids(10)
    index = Index.build(hashes, ids)

    hashes[:] = 0
    ids[:] = 0

    assert index.search(kept, 0).id.tolist() == some_ids(10).tolist()


def test_views_that_are_not_contiguous_are_read_as_they_look() -> None:
    hashes = random_hashes(np.random.default_rng(9), 40)
    ids = some_ids(40)

    found = Index.build(hashes[::-2], ids[::2]).search(hashes[::3], 0)

    assert_same(found, full_scan(hashes[::-2], ids[::2], hashes[::3], 0))


@pytest.mark.parametrize("max_distance", [-1, 32, 256])
def test_a_distance_outside_the_exact_range_is_refused(max_distance: int) -> None:
    index = Index.build(np.zeros((1, 32), np.uint8), np.zeros(1, np.uint64))

    with pytest.raises(DistanceTooWide) as caught:
        index.search(np.zeros((1, 32), np.uint8), max_distance)

    assert caught.value.code == "ringmatch.distance_too_wide"


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((2, 31), np.uint8),
        np.zeros((2, 32), np.int8),
        np.zeros(32, np.uint8),
        np.zeros((2, 2, 32), np.uint8),
        [[0] * 32],
    ],
)
def test_rows_of_another_shape_or_type_are_refused(rows: Hashes) -> None:
    index = Index.build(np.zeros((0, 32), np.uint8), np.zeros(0, np.uint64))

    with pytest.raises(BadShape) as caught:
        index.search(rows)
    assert caught.value.code == "ringmatch.bad_shape"

    with pytest.raises(BadShape):
        Index.build(rows, np.zeros(len(rows), np.uint64))


@pytest.mark.parametrize("ids", [np.zeros(1, np.uint64), np.zeros(2, np.int64), np.zeros((2, 1), np.uint64), [1, 2]])
def test_ids_of_another_shape_or_type_are_refused(ids: NDArray[np.uint64]) -> None:
    with pytest.raises(BadShape):
        Index.build(np.zeros((2, 32), np.uint8), ids)


def test_every_error_is_a_ringmatch_error_with_a_code_of_its_own() -> None:
    kinds = [getattr(ringmatch, name) for name in ringmatch.__all__]
    errors = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, ringmatch.RingmatchError)]

    assert len(errors) == 9
    assert len({error.code for error in errors}) == 9
    assert all(error.code.startswith("ringmatch.") for error in errors)
