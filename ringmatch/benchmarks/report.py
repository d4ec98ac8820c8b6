"""Print the table of what was measured against what was asked for, and keep BENCHMARKS.md true to it.

    python benchmarks/report.py benchmarks/results            print
    python benchmarks/report.py benchmarks/results --write    also write the measured part of BENCHMARKS.md

Needs nothing but Python: the figures come from the result files.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parents[1] / "BENCHMARKS.md"
PICTURE = DOCUMENT.parent / "docs" / "search.svg"
ALTERNATIVE = (
    "Queries a second by the number of hashes in the list, for each way to search; the tables below have the figures"
)
FIRST, LAST = "<!-- measured: written by benchmarks/report.py -->", "<!-- end of what was measured -->"
COMMAND = "make bench-matching"
KINDS = ("random", "clustered")
FULL = 10_000_000
NAMES = {
    "ring": "ringmatch, single look-ups",
    "join": "ringmatch, bulk join",
    "compact": "ringmatch, compact form",
    "scan": "our blocked flat scan",
    "faiss_flat": "faiss IndexBinaryFlat",
    "faiss_multihash": "faiss IndexBinaryMultiHash (16 x 16, nflip 1)",
}

Result = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One thing that was asked for, and what came out."""

    what: str
    value: float
    unit: str
    must: float | None
    aim: float | None
    at_most: bool = False  # less is better

    def reaches(self, bound: float | None) -> bool:
        """Say whether the value is as good as this."""
        if bound is None:
            return True
        return self.value <= bound if self.at_most else self.value >= bound

    @property
    def verdict(self) -> str:
        """Say it in a word."""
        if self.must is None and self.aim is None:
            return ""
        if not self.reaches(self.must):
            return "MISSED"
        return "aim" if self.aim is not None and self.reaches(self.aim) else "pass"

    def cells(self) -> list[str]:
        """Return the line as text."""
        sign = "≤" if self.at_most else "≥"
        bounds = ["" if bound is None else f"{sign} {_number(bound)}{self.unit}" for bound in (self.must, self.aim)]
        return [self.what, f"{_number(self.value)}{self.unit}", *bounds, self.verdict]


def load(folder: Path) -> dict[str, Result]:
    """Read every result file."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def lines(results: dict[str, Result]) -> list[Line]:
    """Return the whole table, as far as its parts were measured."""
    found: list[Line] = []
    for kind in KINDS:
        searches = _searches(results, kind)
        if searches:
            found += _search_lines(searches[_headline(results, kind)])
    for kind in KINDS:
        if drop_in := results.get(f"drop-in-{kind}"):
            found += _drop_in_lines(drop_in)
    for kind in KINDS:
        if build := results.get(f"build-{kind}"):
            found += _build_lines(build)
    if hashing := results.get("hashing"):
        found += _hashing_lines(hashing)
    if opening := results.get("open"):
        found += _opening_lines(opening)
    return found


def _searches(results: dict[str, Result], kind: str) -> dict[int, Result]:
    return {one["size"]: one for name, one in results.items() if name.startswith(f"search-{kind}-")}


def _headline(results: dict[str, Result], kind: str) -> int:
    """The size of the table: the one that everything else was measured at, for the plot has larger and smaller ones."""
    sizes = [size for size, one in _searches(results, kind).items() if "faiss_multihash" in one["contenders"]]
    usual = {one["size"] for name, one in results.items() if name == "open" or name.startswith("build-")}
    return max(usual & set(sizes) or sizes)


def _rate(result: Result, name: str, threads: int) -> float:
    rate: float = result["contenders"][name][f"queries_a_second_{threads}"]
    return rate


def _search_lines(one: Result) -> list[Line]:
    where = f"{_count(one['size'])} {one['kind']}"
    all_threads = one["context"]["cores"]
    found = []
    for threads in sorted({1, all_threads}):
        ring = _rate(one, "ring", threads)
        on = f"{where}, {_threads(threads)}"
        peers = [("faiss_multihash", "faiss MultiHash", 400, 1000), ("faiss_flat", "faiss Flat", 150, 500)]
        peers.append(("scan", f"our flat scan ({one['context']['path']})", 20, 50))
        found += [
            Line(f"search vs {name}, {on}", ring / _rate(one, peer, threads), "x", must, aim)
            for peer, name, must, aim in peers
        ]
        found.append(Line(f"bulk join vs single look-ups, {on}", _rate(one, "join", threads) / ring, "x", 2.5, 4))
        found.append(Line(f"compact form vs normal, {on}", _rate(one, "compact", threads) / ring, "x", 0.7, None))
    if all_threads > 1:
        for name in ("ring", "join"):
            gain = _rate(one, name, all_threads) / _rate(one, name, 1)
            found.append(Line(f"{_threads(all_threads)} vs one, {NAMES[name]}, {where}", gain, "x", None, None))
    lowest = min(contender["recall"] for contender in one["contenders"].values())
    found.append(Line(f"lowest recall of all contenders, {where}", lowest, "", 1, None))
    found.append(
        Line(f"bytes a hash, ids included, {where}", one["contenders"]["ring"]["bytes_a_hash"], " B", 132, 104, True)
    )
    if "compact" in one["contenders"]:
        found.append(
            Line(
                f"bytes a hash, compact form, {where}",
                one["contenders"]["compact"]["bytes_a_hash"],
                " B",
                104,
                None,
                True,
            )
        )
    return found


def _drop_in_lines(one: Result) -> list[Line]:
    rates = {name: contender["queries_a_second"] for name, contender in one["contenders"].items()}
    where = f"one query a call, {_count(one['size'])} {one['kind']}, one thread"
    return [
        Line(f"Index.search vs threatexchange PDQIndex, {where}", rates["Index"] / rates["PDQIndex"], "x", 60, 150),
        Line(
            f"RingPdqIndex.query vs threatexchange PDQIndex, {where}",
            rates["RingPdqIndex"] / rates["PDQIndex"],
            "x",
            60,
            150,
        ),
    ]


def _build_lines(one: Result) -> list[Line]:
    seconds = {name: contender["seconds"] for name, contender in one["contenders"].items()}
    where = f"both cold, {_count(one['size'])} {one['kind']}"
    theirs = seconds["faiss_multihash"]
    return [
        Line(f"build, one thread, vs faiss MultiHash, {where}", theirs / seconds["ring_1"], "x", 6, 30),
        Line(f"build, all threads, vs faiss MultiHash, {where}", theirs / seconds["ring_all"], "x", 6, 30),
    ]


def _hashing_lines(one: Result) -> list[Line]:
    found = []
    bounds = {
        ("4000x3000", "colour"): (10, 12),
        ("4000x3000", "luma"): (15, 22),
        ("4000x3000", "scaled"): (15, 22),
        ("512x512", "luma"): (6, 8),
    }
    for size, ways in one["sizes"].items():
        for way, measured in ways.items():
            if way == "reference":
                continue
            must, aim = bounds.get((size, way), (None, None))
            drift = f"drift {measured['drift_mean']:.2f} mean, {measured['drift_max']} most"
            ratio = ways["reference"]["milliseconds"] / measured["milliseconds"]
            found.append(Line(f"hash, {size} JPEG, {way} ({drift}), vs Pillow + pdqhash", ratio, "x", must, aim))
    return found


def _opening_lines(one: Result) -> list[Line]:
    found = []
    for form in ("normal", "compact"):
        for state in ("warm", "cold"):
            seconds = one[form][state]["first_answer_seconds"]
            what = f"open a mapped list of {_count(one['size'])}, {form}, file {state}: first answer"
            # The file of a loaded list is in the system's cache. Otherwise the disk decides, which the last line shows.
            found.append(Line(what, seconds, " s", 1 if state == "warm" else None, None, True))
        what = f"only reading that file from the disk, {form}"
        found.append(Line(what, one[form]["cold_read_seconds"], " s", None, None))
    rebuilds = one["rebuilds"]
    grown = rebuilds["after_all_bytes"] / rebuilds["after_10_bytes"]
    what = f"memory after {rebuilds['rebuilds']} rebuilds of {_count(rebuilds['size'])} vs after 10"
    return [*found, Line(what, grown, "x", 1.05, None, True)]


def as_text(found: list[Line]) -> str:
    """Lay the table out for a terminal."""
    rows = [["", "measured", "must", "aim", ""], *(line.cells() for line in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        f"{row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    )


def measured_part(results: dict[str, Result]) -> str:
    """Return what BENCHMARKS.md says between its two marks."""
    parts = [FIRST, "", _about(results), "", "## What was asked for, and what came out", ""]
    parts += _table(["", "measured", "must", "aim", ""], [line.cells() for line in lines(results)])
    if PICTURE.exists():
        parts += [
            "",
            "## Queries a second by size of the list",
            "",
            f"![{ALTERNATIVE}]({PICTURE.relative_to(DOCUMENT.parent)})",
        ]
    for kind in KINDS:
        for size, one in sorted(_searches(results, kind).items()):
            parts += ["", f"## Search, {_count(size)} hashes, {kind}", "", *_search_table(one)]
    for kind in KINDS:
        if one := results.get(f"drop-in-{kind}"):
            parts += [
                "",
                f"## One query a call, {_count(one['size'])} hashes, {kind}, one thread",
                "",
                *_drop_in_table(one),
            ]
    for kind in KINDS:
        if one := results.get(f"build-{kind}"):
            parts += ["", f"## Cold builds, {_count(one['size'])} hashes, {kind}", "", *_build_table(one)]
    if one := results.get("hashing"):
        parts += ["", "## Hashing JPEG files of quality 88, one thread, decoding included", "", *_hashing_table(one)]
    return "\n".join([*parts, "", LAST])


def _about(results: dict[str, Result]) -> str:
    if not results:
        return "Nothing was measured yet."
    contexts = [one["context"] for one in results.values()]
    first = contexts[0]
    loads = [one["load_at_start"] for one in contexts]
    peaks = [one["peak_gib"] for one in results.values() if "peak_gib" in one]
    seen = {name: number for one in contexts for name, number in one["versions"].items()}
    versions = ", ".join(f"{name} {number}" for name, number in seen.items())
    seeds = ", ".join(str(seed) for seed in sorted({one["seed"] for one in results.values()}))
    rounds = max(one["rounds"] for one in results.values())
    first_at, last_at = min(one["at"] for one in contexts), max(one["at"] for one in contexts)
    flags = ", ".join(first["flags"])
    return "\n".join(
        [
            f"    {COMMAND}",
            "",
            f"Measured from {first_at} to {last_at}.",
            f"Processor: {first['processor']}, {first['cores']} cores, {first['memory_gib']} GiB, flags {flags};",
            f"ringmatch uses its {first['path']} path.",
            f"Versions: {versions}.",
            f"Seed {seeds}. Load when each part began: {min(loads):.1f} to {max(loads):.1f}."
            + (f" Most memory of one process: {max(peaks):.1f} GiB." if peaks else ""),
            "",
            f"Every ratio is of one run: all contenders answer in turn in one process, and the median of {rounds} rounds",
            "counts; builds take turns in processes of their own. One thread means one for faiss too",
            '(`omp_set_num_threads(1)`, which is what `OMP_NUM_THREADS=1` sets). "clustered" is 35 per cent near-duplicates in',
            "clusters of Zipf sizes, 15 per cent with skewed 16-bit blocks, and the rest uniform. Half of the queries lie at 1 to",
            "31 bits from a stored hash. Ratios are what to read: absolute rates are those of a shared virtual machine.",
        ]
    )


def _search_table(one: Result) -> list[str]:
    threads = sorted({1, one["context"]["cores"]})
    head = ["", "recall", *(f"queries/s, {_threads(count)}" for count in threads)]
    head += [*(f"{NAMES['ring']} is, {_threads(count)}" for count in threads), "bytes a hash"]
    rows = []
    for name, contender in one["contenders"].items():
        rates = [_rate(one, name, count) for count in threads]
        ratios = [_rate(one, "ring", count) / rate for count, rate in zip(threads, rates, strict=True)]
        size = contender["bytes_a_hash"]
        rows.append(
            [
                NAMES[name],
                f"{contender['recall']:.5f}",
                *(f"{rate:,.0f}".replace(",", " ") for rate in rates),
                *(f"{_number(ratio)}x" for ratio in ratios),
                "" if size is None else f"{size:.1f}",
            ]
        )
    return _table(head, rows)


def _drop_in_table(one: Result) -> list[str]:
    rows = [
        [name, f"{contender['queries_a_second']:,.0f}".replace(",", " ")]
        for name, contender in one["contenders"].items()
    ]
    same = "the same" if one["same_answers"] else "NOT THE SAME"
    return [
        *_table(["", "queries/s"], rows),
        "",
        f"Matches and distances of the three on {one['compared_queries']} queries: {same}.",
    ]


def _build_table(one: Result) -> list[str]:
    names = {
        "ring_1": "ringmatch, one thread",
        "ring_all": "ringmatch, all threads",
        "faiss_multihash": NAMES["faiss_multihash"],
    }
    rows = [
        [
            names[name],
            f"{measured['seconds']:.2f}",
            f"{measured['grown_bytes_a_hash']:.0f}",
            f"{measured['peak_gib']:.1f}",
        ]
        for name, measured in one["contenders"].items()
    ]
    return _table(["", "seconds", "bytes a hash by which the process grew", "most memory, GiB"], rows)


def _hashing_table(one: Result) -> list[str]:
    rows = [
        [size, way, f"{measured['milliseconds']:.2f}", f"{measured['drift_mean']:.2f}", str(measured["drift_max"])]
        for size, ways in one["sizes"].items()
        for way, measured in ways.items()
    ]
    return [
        *_table(["size", "way", "milliseconds", "drift, mean bits", "drift, most bits"], rows),
        "",
        f'{one["pictures"]} pictures a size. "reference" is Pillow + pdqhash, from which drift is counted.',
    ]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}".removesuffix(".0") if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def _count(size: int) -> str:
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if size >= unit and size % (unit // 10 or 1) == 0:
            return f"{size / unit:g} {name}"
    return str(size)


def _threads(count: int) -> str:
    return "one thread" if count == 1 else f"{count} threads"


def document_with(part: str, document: str) -> str:
    """Put the measured part between its marks; what stands outside of them is written by hand."""
    before, _, rest = document.partition(FIRST)
    _, _, after = rest.partition(LAST)
    return before + part + after


def main() -> None:
    """Print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    results = load(options.results)
    if not results:
        parser.error(f"no results in {options.results}")
    found = lines(results)
    sys.stdout.write(f"\n{_about(results)}\n\n{as_text(found)}\n")
    if options.write:
        DOCUMENT.write_text(document_with(measured_part(results), DOCUMENT.read_text()))
    if FULL not in {one.get("size") for one in results.values()}:
        sys.stdout.write(f"\nThe bounds are those for {_count(FULL)} hashes: a smaller list cannot show them.\n")
    bound = [line for line in found if line.must is not None]
    missed = [line for line in bound if line.verdict == "MISSED"]
    sys.stdout.write(f"\n{len(bound) - len(missed)} of {len(bound)} bounds are met.\n")


if __name__ == "__main__":
    main()
