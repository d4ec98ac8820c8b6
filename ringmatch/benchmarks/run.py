"""Measure everything, print the table, and keep the result.

    python benchmarks/run.py                        all of it, ten million hashes, about a quarter of an hour on two cores
    python benchmarks/run.py --part hash            one part again; the others keep their results
    python benchmarks/run.py --size 200000          quickly, to see that it works

Each measurement is a process of its own, so that its memory is gone before the next one starts. Results go to
build/benchmarks. Those of the full size are put into results/, docs/ and BENCHMARKS.md at the end, by the part "report".
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from report import FULL, KINDS

HERE = Path(__file__).resolve().parent
PARTS = ("hash", "search", "build", "open", "plot", "report")


def measurements(part: str, size: int, largest: int) -> list[list[str]]:
    """Return the programs of one part with their arguments."""
    if part == "hash":
        return [["hashing.py"]]
    if part == "search":
        searches = [["search.py", "--kind", kind, "--size", str(size)] for kind in KINDS]
        drop_ins = [["drop_in.py", "--kind", kind, "--size", str(max(1000, size // 10))] for kind in KINDS]
        return searches + drop_ins
    if part == "build":
        return [["building.py", "--kind", "random", "--size", str(size)]]
    if part == "open":
        return [["opening.py", "--size", str(size)]]
    if part == "plot":
        sizes = [size // 100, size // 10, *([largest] if largest > size else [])]
        return [["search.py", "--kind", kind, "--size", str(one)] for one in sizes for kind in KINDS]
    return []


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", default=",".join(PARTS), help=f"of {', '.join(PARTS)}; several with commas")
    parser.add_argument("--size", type=lambda text: int(float(text)), default=FULL)
    parser.add_argument("--largest", type=lambda text: int(float(text)), help="of the plot; three times --size")
    options = parser.parse_args()
    parts = options.part.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    results = HERE.parent / "build" / "benchmarks" / str(options.size)
    results.mkdir(parents=True, exist_ok=True)

    began = time.monotonic()
    for part in PARTS:
        if part not in parts:
            continue
        for program, *arguments in measurements(part, options.size, options.largest or 3 * options.size):
            subprocess.run(
                [sys.executable, HERE / program, *arguments, "--results", results], check=True, env=_environment()
            )
        if part == "plot":
            subprocess.run([sys.executable, HERE / "plot.py", results, results / "search"], check=True)
    sys.stdout.write(f"\nmeasured in {(time.monotonic() - began) / 60:.1f} minutes; results in {results}\n")
    sys.stdout.flush()
    if "report" in parts:
        if options.size == FULL:
            publish(results)
        report = [HERE / "results", "--write"] if options.size == FULL else [results]
        subprocess.run([sys.executable, HERE / "report.py", *report], check=True)


def publish(results: Path) -> None:
    """Put what was measured where it is kept: a part that was not measured again stays as it was."""
    for ending, folder in ((".json", HERE / "results"), (".svg", HERE.parent / "docs"), (".png", HERE.parent / "docs")):
        folder.mkdir(exist_ok=True)
        for file in results.glob(f"*{ending}"):
            shutil.copyfile(file, folder / file.name)


def _environment() -> dict[str, str]:
    # The programs set the number of threads themselves. numpy's own must not compete with those that are measured.
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


if __name__ == "__main__":
    main()
