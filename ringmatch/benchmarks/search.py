"""Search one list, side by side with faiss in one process.

    python benchmarks/search.py --size 1000000 --kind random --results build/results

Every contender answers in turn, round after round, first with one thread and then with all; the median round counts.
Recall is against our exhaustive scan, which shares no code with the tables beyond counting bits. The time is that of the
answering alone: what is compared afterwards is made outside of it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from data import KINDS, Hashes, make_list, make_queries
from measure import MAX_DISTANCE, ROUNDS, SEED, Result, context, cores, in_turn, keep, peak_bytes, say, timed
from numpy.typing import NDArray

from ringmatch import Index, _native

JOIN = 131_072
ONLINE = 2_000  # queries in one call: as many as a busy service gathers, and few enough never to be joined
LARGEST_OF_MULTIHASH = 10_000_000  # it takes 237 to 351 bytes a hash
Pairs = NDArray[np.uint64]
Ask = Callable[[Hashes, int], object]


@dataclass
class Contender:
    """One way to answer, asked with its own number of queries: slow ones get fewer, so that a round stays short."""

    ask: Ask
    pairs: Callable[[object], Pairs]
    queries: int
    build_seconds: float
    bytes_a_hash: float | None = None


def coded(query: NDArray[np.integer], row: NDArray[np.integer]) -> Pairs:
    """Return every found pair as one number, ascending, repeats kept."""
    return np.sort(query.astype(np.uint64) << np.uint64(32) | row.astype(np.uint64))


def of_index(index: Index, batch: int) -> Ask:
    """Answer through the public call, so many queries at a time."""

    def ask(queries: Hashes, threads: int) -> object:
        return [
            index.search(queries[start : start + batch], MAX_DISTANCE, threads=threads)
            for start in range(0, len(queries), batch)
        ]

    return ask


def pairs_of_index(batch: int) -> Callable[[object], Pairs]:
    """Return what turns the answers of `of_index` into pairs."""

    def pairs(answers: object) -> Pairs:
        parts = [coded(part.query + start * batch, part.id) for start, part in enumerate(answers)]  # type: ignore[arg-type]
        return np.sort(np.concatenate(parts))

    return pairs


def of_scan(index: _native.NativeIndex) -> Ask:
    """Answer with our scan of everything."""
    return lambda queries, threads: index.search(queries, MAX_DISTANCE, threads, "per_query")


def of_faiss(index: faiss.IndexBinary) -> Ask:
    """Answer with faiss, whose range excludes its bound."""
    return lambda queries, _: index.range_search(queries, MAX_DISTANCE + 1)


def pairs_of_faiss(answer: object) -> Pairs:
    """Turn what faiss returns into pairs."""
    limits, _, rows = answer  # type: ignore[misc]
    return coded(np.repeat(np.arange(len(limits) - 1), np.diff(limits).astype(np.int64)), rows)


def contenders(hashes: Hashes) -> dict[str, Contender]:
    """Build everything that will answer."""
    size = len(hashes)
    ids = np.arange(size, dtype=np.uint64)
    few = max(48, min(4000, 8_000_000_000 // size))
    fewest = max(32, min(1000, 600_000_000 // size))
    many = max(ONLINE, min(20_000, 200_000_000_000 // size))
    made: dict[str, Contender] = {}
    kept: dict[str, object] = {}

    def built(name: str, build: Callable[[], object]) -> float:
        say(f"  building {name}")
        return timed(lambda: kept.__setitem__(name, build()))

    seconds = built("ring", lambda: Index.build(hashes, ids, threads=cores()))
    ring: Index = kept["ring"]  # type: ignore[assignment]
    made["ring"] = Contender(of_index(ring, ONLINE), pairs_of_index(ONLINE), many, seconds, ring.size_bytes / size)
    made["join"] = Contender(of_index(ring, JOIN), pairs_of_index(JOIN), JOIN, seconds, ring.size_bytes / size)
    seconds = built("compact", lambda: Index.build(hashes, ids, threads=cores(), compact=True))
    compact: Index = kept["compact"]  # type: ignore[assignment]
    made["compact"] = Contender(
        of_index(compact, ONLINE), pairs_of_index(ONLINE), many, seconds, compact.size_bytes / size
    )
    seconds = built("scan", lambda: _native.NativeIndex.build(hashes, ids, cores(), ring_from=2**40))
    scan: _native.NativeIndex = kept["scan"]  # type: ignore[assignment]
    made["scan"] = Contender(of_scan(scan), lambda answer: coded(answer[0], answer[1]), few, seconds)  # type: ignore[index]

    flat = faiss.IndexBinaryFlat(256)
    made["faiss_flat"] = Contender(
        of_faiss(flat), pairs_of_faiss, fewest, built("faiss_flat", lambda: flat.add(hashes))
    )
    if size <= LARGEST_OF_MULTIHASH:
        multihash = faiss.IndexBinaryMultiHash(256, 16, 16)
        multihash.nflip = 1
        seconds = built("faiss_multihash", lambda: multihash.add(hashes))
        made["faiss_multihash"] = Contender(of_faiss(multihash), pairs_of_faiss, fewest, seconds)
    return made


def recall_of(contender: Contender, queries: Hashes, truth: Pairs, known: int) -> Result:
    """Compare with the scan, pair by pair: how many of its pairs were found, and how many were that it does not have."""
    asked = min(known, contender.queries)
    expected = truth[: np.searchsorted(truth, np.uint64(asked) << np.uint64(32))]
    found = contender.pairs(contender.ask(queries[:asked], cores()))
    return {
        "recall": float(np.isin(expected, found).mean()) if len(expected) else 1.0,
        "wrong": int((~np.isin(found, expected)).sum()) + len(found) - len(np.unique(found)),
        "recall_queries": asked,
        "recall_pairs": len(expected),
    }


def measure(kind: str, size: int, seed: int, rounds: int) -> Result:
    """Build, compare, and time."""
    result: Result = {"kind": kind, "size": size, "seed": seed, "rounds": rounds, "context": context()}
    say(f"search: {size} hashes, {kind}, seed {seed}, load {result['context']['load_at_start']}")
    hashes = make_list(kind, size, seed)
    queries = make_queries(hashes, kind, JOIN, seed)
    field = contenders(hashes)
    faiss.omp_set_num_threads(cores())
    scan = field["scan"]
    truth = scan.pairs(scan.ask(queries[: scan.queries], cores()))
    result["contenders"] = {
        name: {
            "queries": one.queries,
            "bytes_a_hash": one.bytes_a_hash,
            "warm_build_seconds": one.build_seconds,
            **recall_of(one, queries, truth, scan.queries),
        }
        for name, one in field.items()
    }
    for threads in sorted({1, cores()}):
        faiss.omp_set_num_threads(threads)
        ways = {
            name: lambda one=one, threads=threads: one.ask(queries[: one.queries], threads)
            for name, one in field.items()
        }
        for name, seconds in in_turn(ways, rounds).items():
            rate = field[name].queries / seconds
            result["contenders"][name][f"queries_a_second_{threads}"] = rate
            say(f"  {name:16} {threads} thread(s) {rate:12.1f}/s  recall {result['contenders'][name]['recall']:.5f}")
    result["peak_gib"] = round(peak_bytes() / 2**30, 2)
    return result


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--kind", choices=KINDS, default="random")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path, required=True)
    options = parser.parse_args()
    keep(
        options.results,
        f"search-{options.kind}-{options.size}",
        measure(options.kind, options.size, options.seed, options.rounds),
    )


if __name__ == "__main__":
    main()
