"""What all measurements share: the clock, the machine, the files that the results are kept in."""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ringmatch

MAX_DISTANCE = 31
SEED = 7
ROUNDS = 3
PACKAGES = ("ringmatch", "numpy", "faiss-cpu", "threatexchange", "pdqhash", "pillow", "simplejpeg")
FLAGS = ("avx2", "avx512f", "avx512bw", "avx512_bitalg", "avx512_vpopcntdq", "asimd", "sve")

Result = dict[str, Any]


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that this took. What it returns is dropped outside of the measured time."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    del result
    return seconds


def in_turn(ways: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median seconds of each way. All take turns, round after round, so that a disturbance meets all of them.

    Python's collector of cycles rests meanwhile, as in `timeit`: it would walk through the millions of objects that one of
    the contenders has made and charge whoever is asked.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, way in ways.items():
                seconds[name].append(timed(way))
    finally:
        gc.enable()
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def cores() -> int:
    """Return how many threads "all threads" are."""
    return len(os.sched_getaffinity(0))


def resident_bytes() -> int:
    """Return the memory that this process has in RAM now, without pages of mapped files."""
    gc.collect()
    fields = Path("/proc/self/status").read_text().split("RssAnon:")
    return int(fields[1].split()[0]) * 1024


def peak_bytes() -> int:
    """Return the most memory that this process had in RAM."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def context() -> Result:
    """Return where and with what a measurement is made. Call it before the work, for the load is that of this moment."""
    about = _processor()
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": about.get("model name", platform.processor() or platform.machine()),
        "flags": [flag for flag in FLAGS if flag in about.get("flags", about.get("Features", "")).split()],
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_at_start": round(os.getloadavg()[0], 2),
        "path": ringmatch.active_path(),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def keep(folder: Path, name: str, result: Result) -> None:
    """Write one result as JSON, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{name}.part"
    part.write_text(json.dumps(result, indent=1) + "\n")
    part.replace(folder / f"{name}.json")


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _processor() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines if ":" in line)
    first: dict[str, str] = {}
    for name, _, value in pairs:
        first.setdefault(name.strip(), value.strip())
    return first


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
