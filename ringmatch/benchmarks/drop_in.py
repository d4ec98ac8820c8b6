"""One query a call, as services ask today: python-threatexchange's own PDQIndex, our stand-in for it, and our Index.

    python benchmarks/drop_in.py --size 1000000 --kind random --results build/results

One thread. PDQIndex and the stand-in take hexadecimal text and return objects; Index takes and returns arrays.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import faiss
import numpy as np
from data import KINDS, make_list, make_queries
from measure import MAX_DISTANCE, ROUNDS, SEED, Result, context, in_turn, keep, peak_bytes, say, timed

from ringmatch import Index

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it announces the order of the bits of PDQ on import
    from ringmatch.threatexchange import RingPdqIndex
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

ASKED = {"PDQIndex": 600, "RingPdqIndex": 20_000, "Index": 20_000}


def measure(kind: str, size: int, seed: int, rounds: int) -> Result:
    """Build the three, compare what they find, and time them."""
    result: Result = {"kind": kind, "size": size, "seed": seed, "rounds": rounds, "context": context()}
    say(f"one query a call: {size} hashes, {kind}, load {result['context']['load_at_start']}")
    faiss.omp_set_num_threads(1)
    hashes = make_list(kind, size, seed)
    queries = make_queries(hashes, kind, max(ASKED.values()), seed)
    text = [row.tobytes().hex() for row in queries]
    entries = [(row.tobytes().hex(), number) for number, row in enumerate(hashes)]
    made: dict[str, object] = {}
    seconds = {
        "PDQIndex": timed(lambda: made.__setitem__("PDQIndex", PDQIndex.build(entries))),
        "RingPdqIndex": timed(lambda: made.__setitem__("RingPdqIndex", RingPdqIndex.build(entries))),
        "Index": timed(lambda: made.__setitem__("Index", Index.build(hashes, np.arange(size, dtype=np.uint64)))),
    }
    theirs, stand_in, index = (made[name] for name in ASKED)

    def found_by(one: object, query: str) -> set[tuple[int, int]]:
        return {(match.metadata, match.similarity_info.distance) for match in one.query(query)}  # type: ignore[attr-defined]

    sample = text[: ASKED["PDQIndex"]]
    expected = [found_by(theirs, query) for query in sample]
    result["same_answers"] = (
        expected
        == [found_by(stand_in, query) for query in sample]
        == [
            set(zip(found.id.tolist(), found.distance.tolist(), strict=True))
            for found in (index.search(queries[number : number + 1], MAX_DISTANCE) for number in range(len(sample)))  # type: ignore[attr-defined]
        ]
    )
    result["compared_queries"] = len(sample)
    ways = {
        "PDQIndex": lambda: [theirs.query(query) for query in text[: ASKED["PDQIndex"]]],  # type: ignore[attr-defined]
        "RingPdqIndex": lambda: [stand_in.query(query) for query in text[: ASKED["RingPdqIndex"]]],  # type: ignore[attr-defined]
        "Index": lambda: [
            index.search(queries[number : number + 1], MAX_DISTANCE)  # type: ignore[attr-defined]
            for number in range(ASKED["Index"])
        ],
    }
    result["contenders"] = {
        name: {"queries": ASKED[name], "queries_a_second": ASKED[name] / taken, "warm_build_seconds": seconds[name]}
        for name, taken in in_turn(ways, rounds).items()
    }
    for name, one in result["contenders"].items():
        say(f"  {name:16} {one['queries_a_second']:12.1f}/s")
    say(f"  same answers: {result['same_answers']}")
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
    result = measure(options.kind, options.size, options.seed, options.rounds)
    keep(options.results, f"drop-in-{options.kind}", result)


if __name__ == "__main__":
    main()
