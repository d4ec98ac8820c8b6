"""Open a saved list mapped into memory, in new processes; and rebuild one fifty times, watching the memory.

    python benchmarks/opening.py --size 1000000 --results build/results

"warm" is with the file in the system's cache, as after a restart of the service; "cold" is after the system was told to
drop it, as after a restart of the machine. (A disk that is virtual may still hold it in a cache of its own.)
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from data import make_list, make_queries
from measure import ROUNDS, SEED, Result, context, cores, keep, median, resident_bytes, say

from ringmatch import Index

REBUILDS = 50


def child(path: str, query: str) -> Result:
    """Open and answer one query, as the first thing that this process does."""
    asked = np.frombuffer(bytes.fromhex(query), np.uint8).reshape(1, 32)
    start = time.perf_counter()
    index = Index.open(path, threads=cores())
    opened = time.perf_counter()
    found = index.search(asked)
    answered = time.perf_counter()
    return {"open_seconds": opened - start, "first_answer_seconds": answered - start, "found": len(found.id)}


def forget(path: Path) -> None:
    """Ask the system to drop its copy of the file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_cold(path: Path) -> float:
    """Return the seconds that the disk takes to give the file at all."""
    forget(path)
    start = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.read(8 * 2**20):
            pass
    return time.perf_counter() - start


def opened(path: Path, query: str, rounds: int, cold: bool) -> Result:
    """Open in new processes and take the medians."""
    runs = []
    for _ in range(rounds):
        if cold:
            forget(path)
        run = subprocess.run([sys.executable, __file__, "--open", path, query], check=True, stdout=subprocess.PIPE)
        runs.append(json.loads(run.stdout))
    return {name: median([run[name] for run in runs]) for name in runs[0]}


def rebuilt(seed: int, size: int) -> Result:
    """Build again and again, the last index dropped each time; return the memory after ten and at the end."""
    ids = np.arange(size, dtype=np.uint64)
    hashes = make_list("random", size, seed)
    resident = []
    index = None
    for number in range(REBUILDS):
        hashes[:, 0] ^= np.uint8(number)
        index = Index.build(hashes, ids, threads=cores())
        resident.append(resident_bytes())
    del index
    return {
        "rebuilds": REBUILDS,
        "size": size,
        "after_10_bytes": resident[min(9, len(resident) - 1)],
        "after_all_bytes": resident[-1],
    }


def measure(options: argparse.Namespace) -> Result:
    """Save a list, open it, and rebuild a smaller one."""
    result: Result = {"size": options.size, "seed": options.seed, "rounds": options.rounds, "context": context()}
    say(f"opening: {options.size} hashes, load {result['context']['load_at_start']}")
    hashes = make_list("random", options.size, options.seed)
    query = make_queries(hashes, "random", 32, options.seed)[0].tobytes().hex()
    ids = np.arange(options.size, dtype=np.uint64)
    with tempfile.TemporaryDirectory(dir=options.results) as folder:
        for form, is_compact in (("normal", False), ("compact", True)):
            path = Path(folder) / f"{form}.ring"
            Index.build(hashes, ids, threads=cores(), compact=is_compact).save(path)
            result[form] = {"file_bytes": path.stat().st_size}
            for state in ("warm", "cold"):
                result[form][state] = opened(path, query, options.rounds, state == "cold")
                say(f"  {form:8} {state}: first answer after {result[form][state]['first_answer_seconds']:.3f} s")
            result[form]["cold_read_seconds"] = median([read_cold(path) for _ in range(options.rounds)])
            say(f"  {form:8} only reading the file from the disk: {result[form]['cold_read_seconds']:.3f} s")
            path.unlink()
    del hashes, ids
    result["rebuilds"] = rebuilt(options.seed, max(1000, options.size // 10))
    say(f"  {REBUILDS} rebuilds: {result['rebuilds']}")
    return result


def main() -> None:
    """Measure and keep, or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=lambda text: int(float(text)), default=1_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--open", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.open:
        say(json.dumps(child(*options.open)))
    elif options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        keep(options.results, "open", measure(options))
    else:
        parser.error("--results says where to keep the result")


if __name__ == "__main__":
    main()
