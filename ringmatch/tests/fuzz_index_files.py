"""Open damaged and forged index files, case after case, and search what opens.

    python tests/fuzz_index_files.py --cases 20000 --seed 1

A damaged file must be refused (DamagedIndex), unless its bytes came out as they were: then it must answer as before. A
forged one, whose checksums were made valid again, may open; it must then answer something without a crash or a hang. Prints
seed and counts; ends with 1 at the first case that breaks a rule, which --seed S --first N --cases 1 repeats.
"""
# ruff: noqa: T201 (a program for the terminal)

from __future__ import annotations

import argparse
import resource
import signal
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ringmatch import DamagedIndex, ExactSet, Index, Matches, _native

INDEX_HEADER_BYTES, INDEX_PIECE_BYTES = 4096, 4 * 2**20
EXACT_HEADER_BYTES = 64
SECONDS_PER_CASE = 20
BOUNDARIES = (0, 1, 2, 31, 32, 33, 63, 64, 65, 255, 256, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)


class RuleBroken(Exception):
    """A damaged file was taken for a whole one, or answered differently."""


@dataclass(frozen=True)
class Base:
    """A whole file and what it answers."""

    name: str
    image: bytes
    header_fields: int  # bytes of the header that say something
    read: Callable[[bytes], Matches]
    reseal: Callable[[bytearray], None]
    expected: Matches


def reseal_index(image: bytearray) -> None:
    """Give an index the checksums of its changed bytes."""
    body = bytes(image[INDEX_HEADER_BYTES:])
    starts = range(0, len(body), INDEX_PIECE_BYTES)
    pieces = [_native.xxh64(body[start : start + INDEX_PIECE_BYTES]) for start in starts]
    struct.pack_into("=Q", image, 72, _native.xxh64(struct.pack(f"={len(pieces)}Q", *pieces)))
    struct.pack_into("=Q", image, 80, 0)
    struct.pack_into("=Q", image, 80, _native.xxh64(bytes(image[:INDEX_HEADER_BYTES])))


def reseal_exact(image: bytearray) -> None:
    """The same for a set of digests."""
    struct.pack_into("=Q", image, 32, 0)
    body = _native.xxh64(bytes(image[EXACT_HEADER_BYTES:]))
    struct.pack_into("=Q", image, 32, _native.xxh64(bytes(image[:EXACT_HEADER_BYTES]), body))


def index_base(folder: Path, name: str, count: int, *, tables: bool, compact: bool, repeats: bool) -> Base:
    """An index of one kind, read in turn from a file and from bytes."""
    rng = np.random.default_rng(count)
    hashes = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    if repeats:
        hashes[count // 2 :] = hashes[: count - count // 2]
    queries = hashes[:40].copy()
    queries[:, 0] ^= 3
    ids = rng.integers(0, 2**64, count, dtype=np.uint64)
    ring_from = 0 if tables else 2**32
    native = _native.NativeIndex.build(hashes, ids, 1, ring_from=ring_from, compact=compact)
    index = Index(native)
    path = folder / "index"

    def read(image: bytes) -> Matches:
        if len(image) % 2:
            return Index.from_bytes(image).search(queries)
        path.write_bytes(image)
        return Index.open(path, threads=2).search(queries)

    return Base(name, index.to_bytes(), 88, read, reseal_index, index.search(queries))


def exact_base(folder: Path, width: int) -> Base:
    """A set of digests of one kind."""
    rng = np.random.default_rng(width)
    digests = rng.integers(0, 256, (50, width), dtype=np.uint8)
    digests[25:30] = digests[:5]
    built = ExactSet.build(digests, rng.integers(0, 2**64, 50, dtype=np.uint64))
    path = folder / "exact"
    built.save(path)
    image = path.read_bytes()

    def read(changed: bytes) -> Matches:
        path.write_bytes(changed)
        return ExactSet.open(path).search(digests)

    return Base(f"digests of {width} bytes", image, 40, read, reseal_exact, built.search(digests))


def bases(folder: Path) -> list[Base]:
    """Every kind of file."""
    made = [exact_base(folder, width) for width in (16, 20, 32)]
    for tables in (False, True):
        for compact in (False, True):
            for repeats in (False, True):
                name = f"index, {'tables' if tables else 'scan'}{', compact' * compact}{', repeats' * repeats}"
                made.append(index_base(folder, name, 60, tables=tables, compact=compact, repeats=repeats))
    return made


def damage(rng: np.random.Generator, base: Base) -> bytearray:
    """Change a few things, more often where there is something to break: in the header and right behind it."""
    image = bytearray(base.image)
    for _ in range(int(rng.integers(1, 5))):
        size = max(1, len(image))
        near = int(rng.integers(0, min(size, (base.header_fields, 8192, size)[int(rng.integers(0, 3))])))
        length = min(int(rng.integers(1, 65)), size - near)
        match int(rng.integers(0, 8)):
            case 0:
                image[near : near + 1] = bytes([image[near] ^ (1 << int(rng.integers(0, 8)))]) if image else b""
            case 1:
                image[near : near + length] = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
            case 2:
                image[near : near + length] = bytes([int(rng.choice([0, 255]))]) * length
            case 3:
                del image[int(rng.integers(0, size)) :]
            case 4:
                image += rng.integers(0, 256, length, dtype=np.uint8).tobytes()
            case 5:
                other = int(rng.integers(0, size))
                image[near : near + length] = image[other : other + length]
            case 6:
                del image[near : near + length]
            case _:
                place = near // 4 * 4
                if place + 4 <= len(image):
                    struct.pack_into("=I", image, place, BOUNDARIES[int(rng.integers(0, len(BOUNDARIES)))])
    return image


def same(found: Matches, expected: Matches) -> bool:
    """Whether all columns are equal."""
    return all(np.array_equal(got, want) for got, want in zip(found, expected, strict=True))


def run_case(number: int, seed: int, base: Base) -> str:
    """Return what became of it: refused, forged but harmless, or unchanged. Raises RuleBroken."""
    rng = np.random.default_rng([seed, number])
    image = damage(rng, base)
    forged = bool(rng.integers(0, 2)) and len(image) >= INDEX_HEADER_BYTES * (base.reseal is reseal_index) + 64
    if forged:
        base.reseal(image)
    signal.alarm(SECONDS_PER_CASE)  # the default action ends the process: a hang is a crash
    try:
        found = base.read(bytes(image))
    except DamagedIndex:
        if bytes(image) == base.image:
            raise RuleBroken("a whole file was refused") from None
        return "refused, forged" if forged else "refused"
    finally:
        signal.alarm(0)
    if bytes(image) == base.image:
        if not same(found, base.expected):
            raise RuleBroken("a whole file answered differently")
        return "unchanged"
    if not forged:
        raise RuleBroken("a damaged file was opened")
    return "opened, forged"


def run(cases: int, seed: int, first: int = 0) -> Counter[str]:
    """Run these cases, a tenth of a second each at most on the long ones, and count what became of them."""
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        kinds = bases(Path(folder))
        for number in range(first, first + cases):
            base = kinds[number % len(kinds)]
            try:
                counts[run_case(number, seed, base)] += 1
            except Exception:
                print(f"case {number} of seed {seed}, {base.name}", file=sys.stderr)
                raise
    return counts


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--memory-mib", type=int, default=1024, help="the most this process may have had in memory")
    options = parser.parse_args()
    counts = run(options.cases, options.seed, options.first)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    summary = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(f"seed {options.seed}, {options.cases} cases: {summary}; at most {peak} MiB in memory")
    return 0 if peak <= options.memory_mib else 1


if __name__ == "__main__":
    sys.exit(main())
