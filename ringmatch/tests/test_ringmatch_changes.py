"""Adding, removing and merging: always the same answers as an index built anew from what should be in it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

import ringmatch
from ringmatch import BadShape, Index, Matches

Hashes = NDArray[np.uint8]


def near_hashes(rng: np.random.Generator, count: int) -> Hashes:
    """Hashes around three centres, so that nearly every query matches something."""
    centres = np.random.default_rng(0).integers(0, 256, (3, 32), dtype=np.uint8)
    flips = rng.random((count, 256)) < rng.uniform(0, 0.06, (count, 1))
    return centres[rng.integers(0, 3, count)] ^ np.packbits(flips, axis=1)


def assert_same(found: Matches, expected: Matches) -> None:
    for got, want in zip(found, expected, strict=True):
        assert got.dtype == want.dtype
        assert np.array_equal(got, want)


class ChangingIndex(RuleBasedStateMachine):
    """Any order of changes, checked against a plain list of rows."""

    def __init__(self) -> None:
        super().__init__()
        self.index = Index.build(np.empty((0, 32), np.uint8), np.empty(0, np.uint64))
        self.hashes = np.empty((0, 32), np.uint8)
        self.ids = np.empty(0, np.uint64)
        self.queries = near_hashes(np.random.default_rng(1), 6)

    @rule(seed=st.integers(0, 2**32), count=st.sampled_from([0, 1, 3, 40, 400]), highest=st.sampled_from([5, 2**40]))
    def add(self, seed: int, count: int, highest: int) -> None:
        rng = np.random.default_rng(seed)
        hashes = near_hashes(rng, count)
        ids = rng.integers(0, highest, count).astype(np.uint64)
        self.index.add(hashes, ids)
        self.hashes = np.concatenate([self.hashes, hashes])
        self.ids = np.concatenate([self.ids, ids])

    @rule(seed=st.integers(0, 2**32), share=st.floats(0, 1))
    def remove(self, seed: int, share: float) -> None:
        rng = np.random.default_rng(seed)
        known = rng.choice(self.ids, int(share * len(self.ids))) if len(self.ids) else self.ids
        wanted = np.concatenate([known, np.array([2**50, 2**50], np.uint64)])
        gone = np.isin(self.ids, wanted)
        assert self.index.remove(wanted) == gone.sum()
        self.hashes, self.ids = self.hashes[~gone], self.ids[~gone]

    @precondition(lambda self: len(self.ids) > 0)
    @rule()
    def merge(self) -> None:
        self.index.merge()
        assert self.index.segment_count == 1
        assert self.index.entry_count == len(np.unique(self.hashes, axis=0))

    @rule()
    def pickle(self) -> None:
        self.index = pickle.loads(pickle.dumps(self.index))

    @invariant()
    def answers_like_one_built_anew(self) -> None:
        assert len(self.index) == len(self.ids)
        for max_distance in (0, 20, 31):
            expected = Index.build(self.hashes, self.ids).search(self.queries, max_distance)
            assert_same(self.index.search(self.queries, max_distance), expected)


TestChangingIndex = ChangingIndex.TestCase
TestChangingIndex.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)


def test_a_long_list_with_changes_is_saved_as_if_built_anew(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 256, (30_000, 32), dtype=np.uint8)
    ids = np.arange(30_000, dtype=np.uint64)
    index = Index.build(hashes[:20_000], ids[:20_000])
    index.save(tmp_path / "base")

    opened = Index.open(tmp_path / "base")
    opened.add(hashes[20_000:20_010], ids[20_000:20_010])
    opened.add(hashes[20_010:], ids[20_010:])
    opened.remove(ids[::7])
    opened.save(tmp_path / "changed")

    left = ids % 7 != 0
    Index.build(hashes[left], ids[left]).save(tmp_path / "anew")
    assert (tmp_path / "changed").read_bytes() == (tmp_path / "anew").read_bytes()


def test_small_additions_to_a_long_list_stay_in_few_segments() -> None:
    rng = np.random.default_rng(4)
    index = Index.build(rng.integers(0, 256, (20_000, 32), dtype=np.uint8), np.arange(20_000, dtype=np.uint64))

    for number in range(300):
        index.add(rng.integers(0, 256, (5, 32), dtype=np.uint8), np.full(5, number, np.uint64))

    assert len(index) == 21_500
    assert index.segment_count <= 5


def test_an_id_can_come_back_after_it_was_removed() -> None:
    hashes = near_hashes(np.random.default_rng(5), 2)
    seven = np.array([7], np.uint64)
    index = Index.build(hashes[:1], seven)

    index.remove(seven)
    index.add(hashes[1:], seven)

    assert len(index) == 1
    assert index.search(hashes, 0).query.tolist() == [1]


def test_searches_see_all_of_a_change_or_nothing_of_it() -> None:
    rng = np.random.default_rng(6)
    index = Index.build(rng.integers(0, 256, (9000, 32), dtype=np.uint8), np.zeros(9000, np.uint64))
    together = near_hashes(rng, 1).repeat(10, axis=0)
    ids = np.arange(1, 11, dtype=np.uint64)
    seen: set[int] = set()
    finished = threading.Event()

    def search() -> None:
        while not finished.is_set():
            seen.add(len(index.search(together[:1], 0).id))

    readers = [threading.Thread(target=search) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(60):
        index.add(together, ids)
        index.remove(ids)
        index.merge()
    finished.set()
    for reader in readers:
        reader.join()

    assert seen <= {0, 10}


def test_readers_see_the_states_of_an_index_in_their_order(compact: bool) -> None:
    """The writer goes through known states; merging in between changes none. No reader may see another, or go back."""
    rng = np.random.default_rng(8)
    base = rng.integers(0, 256, (9000, 32), dtype=np.uint8)
    index = Index.build(base, np.full(9000, 2**40, np.uint64), compact=compact)
    wanted = near_hashes(rng, 1)
    states: list[tuple[int, ...]] = [()]
    for number in range(40):
        now = tuple(range(10 * number, 10 * number + 10))
        before = states[-1]
        states += [before + now, now]
    places = {state: place for place, state in enumerate(states)}
    finished = threading.Event()
    failures: list[str] = []
    searches = [0, 0, 0]

    def read(reader: int) -> None:
        latest = 0
        while not finished.is_set():
            state = tuple(index.search(wanted, 0, threads=1 + reader % 2).id.tolist())
            place = places.get(state)
            if place is None or place < latest:
                failures.append(f"{state} after state {latest}")
                return
            latest = place
            searches[reader] += 1

    readers = [threading.Thread(target=read, args=(reader,)) for reader in range(3)]
    for reader in readers:
        reader.start()
    for number in range(40):
        ids = np.arange(10 * number, 10 * number + 10, dtype=np.uint64)
        index.add(wanted.repeat(10, axis=0), ids)
        if number % 4 == 1:
            index.merge(threads=2)
        if number > 0:
            index.remove(ids - np.uint64(10))
        if number % 4 == 3:
            index.merge()
    finished.set()
    for reader in readers:
        reader.join()

    assert failures == []
    assert min(searches) > 0
    assert len(index) == 9010


# What a cycle needs is there after the first ones; a list that stayed behind in each would add 250 MB.
FIFTY_REBUILDS = """
import os, pickle, sys
import numpy as np
from ringmatch import ExactSet, Index

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

rng = np.random.default_rng(1)
hashes = rng.integers(0, 256, (9_000, 32), dtype=np.uint8)
ids = np.arange(9_000, dtype=np.uint64)
path = sys.argv[1]

def cycle(number):
    index = Index.build(hashes, ids, threads=2, compact=number % 2 == 1)
    index.search(hashes[:300], threads=2)
    index.add(hashes[:500], ids[:500])
    index.remove(ids[::3])
    index.search(hashes[:300])
    index.merge()
    index.save(path)
    Index.open(path).search(hashes[:300])
    pickle.loads(pickle.dumps(index)).search(hashes[:10])
    ExactSet.build(hashes, ids).save(path)
    ExactSet.open(path).search(hashes[:10])

for number in range(8):
    cycle(number)
before = resident()
for number in range(50):
    cycle(number)
print(resident() - before)
"""


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps what was freed")
def test_memory_is_flat_over_fifty_rebuilds(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", FIFTY_REBUILDS, str(tmp_path / "list")],
        env={**os.environ, "PYTHONPATH": str(Path(ringmatch.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) < 16 * 2**20


def test_removal_needs_a_column_of_ids() -> None:
    index = Index.build(np.zeros((1, 32), np.uint8), np.zeros(1, np.uint64))

    for ids in (np.zeros(1, np.int64), np.zeros((1, 1), np.uint64), [0]):
        with pytest.raises(BadShape):
            index.remove(ids)  # type: ignore[arg-type]
