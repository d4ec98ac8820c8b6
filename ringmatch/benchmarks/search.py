"""Search, side by side with faiss in one process, on the same data. Ratios are what to read: the machine cancels out.

    OMP_NUM_THREADS=1 python benchmarks/search.py --size 1000000 --kind random

Every contender answers in turn, round after round, so that a disturbance meets all of them; the median round counts.
Recall is against our exhaustive scan, which shares no code with the tables beyond counting bits.
"""
# ruff: noqa: T201 (a program for the terminal)

from __future__ import annotations

import argparse
import importlib.metadata
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import faiss
import numpy as np
from data import Hashes, machine, make_list, make_queries
from numpy.typing import NDArray

from ringmatch import _native

MAX_DISTANCE = 31
Pairs = NDArray[np.uint64]


@dataclass
class Contender:
    """One way to answer, asked with its own number of queries: slow ones get fewer."""

    name: str
    answer: Callable[[Hashes], Pairs]
    queries: int
    build_seconds: float = 0.0
    rates: list[float] = field(default_factory=list)
    recall: float = 0.0

    @property
    def rate(self) -> float:
        """Queries a second in the median round."""
        return statistics.median(self.rates)


def pairs(query: NDArray[np.integer], row: NDArray[np.integer]) -> Pairs:
    """Return every found pair as one number, ascending."""
    return np.unique(query.astype(np.uint64) << np.uint64(32) | row.astype(np.uint64))


def of_ringmatch(index: _native.NativeIndex, threads: int, plan: str) -> Callable[[Hashes], Pairs]:
    """Answer with one plan of ours."""

    def answer(queries: Hashes) -> Pairs:
        query, row, _ = index.search(queries, MAX_DISTANCE, threads, plan)
        return pairs(query, row)

    return answer


def of_faiss(index: faiss.IndexBinary) -> Callable[[Hashes], Pairs]:
    """Answer with faiss, whose range excludes its bound."""

    def answer(queries: Hashes) -> Pairs:
        limits, _, rows = index.range_search(queries, MAX_DISTANCE + 1)
        return pairs(np.repeat(np.arange(len(queries)), np.diff(limits).astype(np.int64)), rows)

    return answer


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that this took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def contenders(hashes: Hashes, threads: int, batch: int) -> list[Contender]:
    """Build everything that will answer, each timed while it is built."""
    size = len(hashes)
    ids = np.arange(size, dtype=np.uint64)
    few = max(16, min(4000, 2_000_000_000 // size))
    multihash, flat = faiss.IndexBinaryMultiHash(256, 16, 16), faiss.IndexBinaryFlat(256)
    multihash.nflip = 1
    faiss.omp_set_num_threads(threads)
    built: list[_native.NativeIndex] = []
    ring_seconds = timed(lambda: built.append(_native.NativeIndex.build(hashes, ids, threads)))
    scan_seconds = timed(lambda: built.append(_native.NativeIndex.build(hashes, ids, threads, ring_from=2**40)))
    print(f"bytes a hash, ids included: {built[0].size_bytes / size:.1f}")
    return [
        Contender("ringmatch, per query", of_ringmatch(built[0], threads, "per_query"), 4000, ring_seconds),
        Contender("ringmatch, join", of_ringmatch(built[0], threads, "join"), batch, ring_seconds),
        Contender("our blocked flat scan", of_ringmatch(built[1], threads, "per_query"), few, scan_seconds),
        Contender("faiss IndexBinaryFlat", of_faiss(flat), max(16, few // 5), timed(lambda: flat.add(hashes))),
        Contender(
            "faiss IndexBinaryMultiHash", of_faiss(multihash), max(16, few // 5), timed(lambda: multihash.add(hashes))
        ),
    ]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--kind", choices=["random", "clustered"], default="random")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=131_072, help="queries of the join")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("ringmatch", "faiss-cpu", "numpy"))
    print(f"{machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {versions}; {_native.active_path()}")
    print(f"{options.size} hashes, {options.kind}, {options.threads} threads, seed {options.seed}")
    hashes = make_list(options.kind, options.size, options.seed)
    queries = make_queries(hashes, options.kind, max(options.batch, 4000), options.seed)
    field_of = contenders(hashes, options.threads, options.batch)
    truth = field_of[2].answer(queries[: field_of[2].queries])

    for contender in field_of:
        shared = np.uint64(min(contender.queries, field_of[2].queries))
        expected = truth[truth >> np.uint64(32) < shared]
        contender.recall = float(np.isin(expected, contender.answer(queries[: int(shared)])).mean())
    for _ in range(options.rounds):
        for contender in field_of:
            asked = queries[: contender.queries]
            contender.rates.append(len(asked) / timed(lambda c=contender, q=asked: c.answer(q)))

    ours = field_of[0]
    print(f"{'':28} {'queries/s':>11} {'recall':>8} {'ours is':>9} {'build s':>8}")
    for contender in field_of:
        print(
            f"{contender.name:28} {contender.rate:11.1f} {contender.recall:8.5f} {ours.rate / contender.rate:8.1f}x"
            f" {contender.build_seconds:8.2f}"
        )


if __name__ == "__main__":
    main()
