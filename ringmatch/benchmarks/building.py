"""Build one list cold: every build in a process of its own that does nothing else, the contenders taking turns.

python benchmarks/building.py --size 1000000 --kind random --results build/results
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from data import KINDS, Hashes, make_list
from measure import ROUNDS, SEED, Result, context, cores, keep, median, peak_bytes, resident_bytes, say, timed

from ringmatch import Index


def ring(hashes: Hashes, threads: int) -> Callable[[], object]:
    """Build ours; the ids are made before the clock starts."""
    ids = np.arange(len(hashes), dtype=np.uint64)
    return lambda: Index.build(hashes, ids, threads=threads)


def multihash(hashes: Hashes) -> Callable[[], object]:
    """Build faiss's exact multi-index, which takes one thread however many it may have."""
    import faiss

    def build() -> object:
        index = faiss.IndexBinaryMultiHash(256, 16, 16)
        index.nflip = 1
        index.add(hashes)
        return index

    return build


WAYS: dict[str, Callable[[Hashes], Callable[[], object]]] = {
    "ring_1": lambda hashes: ring(hashes, 1),
    "ring_all": lambda hashes: ring(hashes, cores()),
    "faiss_multihash": multihash,
}


def child(way: str, kind: str, size: int, seed: int) -> Result:
    """Build once."""
    build = WAYS[way](make_list(kind, size, seed))
    before, built = resident_bytes(), []
    seconds = timed(lambda: built.append(build()))
    return {"seconds": seconds, "grown_bytes": resident_bytes() - before, "peak_bytes": peak_bytes()}


def in_a_process(way: str, options: argparse.Namespace) -> Result:
    """Build once in a new process."""
    arguments = ["--way", way, "--kind", options.kind, "--size", str(options.size), "--seed", str(options.seed)]
    run = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE)
    result: Result = json.loads(run.stdout)
    return result


def measure(options: argparse.Namespace) -> Result:
    """Let the contenders take turns."""
    result: Result = {"kind": options.kind, "size": options.size, "seed": options.seed, "rounds": options.rounds}
    result["context"] = context()
    say(f"cold builds: {options.size} hashes, {options.kind}, load {result['context']['load_at_start']}")
    runs: dict[str, list[Result]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            runs[way].append(in_a_process(way, options))
            say(f"  {way:16} {runs[way][-1]['seconds']:8.2f} s")
    result["contenders"] = {
        way: {
            "seconds": median([run["seconds"] for run in taken]),
            "grown_bytes_a_hash": median([run["grown_bytes"] for run in taken]) / options.size,
            "peak_gib": round(max(run["peak_bytes"] for run in taken) / 2**30, 2),
        }
        for way, taken in runs.items()
    }
    return result


def main() -> None:
    """Measure and keep, or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--kind", choices=KINDS, default="random")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        say(json.dumps(child(options.way, options.kind, options.size, options.seed)))
    elif options.results:
        keep(options.results, f"build-{options.kind}", measure(options))
    else:
        parser.error("--results says where to keep the result")


if __name__ == "__main__":
    main()
