"""Hashing JPEG files, side by side with Pillow and pdqhash in one process.

    python benchmarks/hashing.py --pictures 6

Pictures are drawn from the seed: soft shapes, edges and grain. Drift is the distance in bits to Pillow + pdqhash.
"""
# ruff: noqa: T201 (a program for the terminal)

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import pdqhash
import simplejpeg
from data import machine
from numpy.typing import NDArray
from PIL import Image

import ringmatch

SIZES = [(512, 512), (1024, 768), (4000, 3000)]


def draw(rng: np.random.Generator, width: int, height: int) -> bytes:
    """Return a JPEG of quality 88."""
    base = rng.integers(0, 256, (height // 40, width // 40, 3), dtype=np.uint8)
    picture = np.asarray(Image.fromarray(base).resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    for _ in range(8):
        left, top = int(rng.integers(0, width)), int(rng.integers(0, height))
        picture[top : top + height // 5, left : left + width // 5] += rng.integers(-70, 70, 3, dtype=np.int16)
    picture += rng.integers(-6, 7, picture.shape, dtype=np.int16)
    file = io.BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()


def reference(data: bytes) -> NDArray[np.uint8]:
    """Hash as most programs do today."""
    bits, _ = pdqhash.compute(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    return bits


def ours(data: bytes) -> NDArray[np.uint8]:
    """Hash straight from luma, which is what pdq() does."""
    return np.unpackbits(np.frombuffer(ringmatch.pdq(data).hash, np.uint8))


def ours_in_colour(data: bytes) -> NDArray[np.uint8]:
    """Decode to colour first, which loses nothing against the reference."""
    return np.unpackbits(np.frombuffer(ringmatch.pdq(simplejpeg.decode_jpeg(data)).hash, np.uint8))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    print(f"{machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {ringmatch.active_path()}")
    print(f"{options.pictures} pictures a size, seed {options.seed}, one thread, milliseconds a picture with decoding")
    ways: dict[str, Callable[[bytes], NDArray[np.uint8]]] = {
        "Pillow + pdqhash": reference,
        "ringmatch, colour": ours_in_colour,
        "ringmatch.pdq": ours,
    }
    for width, height in SIZES:
        rng = np.random.default_rng(options.seed)
        files = [draw(rng, width, height) for _ in range(options.pictures)]
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                start = time.perf_counter()
                for data in files:
                    way(data)
                seconds[name].append((time.perf_counter() - start) / len(files))
        expected = [reference(data) for data in files]
        usual = statistics.median(seconds["Pillow + pdqhash"])
        for name, way in ways.items():
            drift = [int((way(data) != bits).sum()) for data, bits in zip(files, expected, strict=True)]
            median = statistics.median(seconds[name])
            print(
                f"{width}x{height} {name:20} {median * 1000:8.2f} ms {usual / median:6.1f}x"
                f"  drift mean {np.mean(drift):.2f} max {max(drift)}"
            )


if __name__ == "__main__":
    main()
