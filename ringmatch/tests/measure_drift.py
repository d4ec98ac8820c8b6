"""Measure how far the fast ways of hashing are from the reference, on the photographs in a folder.

    python tests/measure_drift.py FOLDER [--widths 0 4000 2000 1024]

Each photograph is made into a JPEG of each width (0: the file as it is, if it is one; none is enlarged), and hashed by
Pillow and pdqhash, by `pdq` (luma), and by `pdq(scaled=True)`. Prints mean and largest distance in bits.
"""
# ruff: noqa: T201 (a program for the terminal)

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pdqhash
from PIL import Image, ImageOps

import ringmatch

QUALITY_WORTH_MATCHING = 50


def distance(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def reference(data: bytes) -> tuple[bytes, int]:
    """Hash as most programs do: every pixel in colour, at full size."""
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    bits, quality = pdqhash.compute(np.asarray(upright.convert("RGB")))
    return np.packbits(bits).tobytes(), quality


def as_jpegs(path: Path, width: int) -> Iterator[bytes]:
    with Image.open(path) as picture:
        if width == 0:
            if picture.format == "JPEG":
                yield path.read_bytes()
            return
        if picture.width < width:
            return
        height = round(picture.height * width / picture.width)
        file = io.BytesIO()
        picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS).save(file, "JPEG", quality=88)
        yield file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--widths", type=int, nargs="+", default=[0, 4000, 3000, 2000, 1500, 1024, 800])
    options = parser.parse_args()
    photographs = sorted(p for p in options.folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    for width in options.widths:
        luma, scaled, between = [], [], []
        for path in photographs:
            for data in as_jpegs(path, width):
                expected, quality = reference(data)
                if quality < QUALITY_WORTH_MATCHING:
                    continue
                full, smaller = ringmatch.pdq(data).hash, ringmatch.pdq(data, scaled=True).hash
                luma.append(distance(full, expected))
                scaled.append(distance(smaller, expected))
                between.append(distance(smaller, full))
        if luma:
            columns = {"luma to reference": luma, "scaled to reference": scaled, "scaled to luma": between}
            drift = "; ".join(f"{name} {np.mean(bits):.2f} / {max(bits)}" for name, bits in columns.items())
            print(f"width {width or 'as it is':>8}  {len(luma):3} photographs  {drift}")


if __name__ == "__main__":
    main()
