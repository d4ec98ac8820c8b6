"""Hash JPEG files, side by side with Pillow and pdqhash in one process, decoding included, one thread.

    python benchmarks/hashing.py --results build/results

Pictures are drawn from the seed: soft shapes, edges and grain. Drift is the distance in bits to Pillow + pdqhash.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pdqhash
import simplejpeg
from measure import ROUNDS, SEED, Result, context, in_turn, keep, say
from numpy.typing import NDArray
from PIL import Image

import ringmatch

SIZES = [(512, 512), (1024, 768), (4000, 3000)]
PICTURES = 6


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


def luma(data: bytes) -> NDArray[np.uint8]:
    """Hash straight from luma, which is what pdq() does."""
    return np.unpackbits(np.frombuffer(ringmatch.pdq(data).hash, np.uint8))


def colour(data: bytes) -> NDArray[np.uint8]:
    """Decode to colour first, which loses nothing against the reference."""
    return np.unpackbits(np.frombuffer(ringmatch.pdq(simplejpeg.decode_jpeg(data)).hash, np.uint8))


def scaled(data: bytes) -> NDArray[np.uint8]:
    """Decode a large picture smaller, with the weights of its full size."""
    return np.unpackbits(np.frombuffer(ringmatch.pdq(data, scaled=True).hash, np.uint8))


WAYS: dict[str, Callable[[bytes], NDArray[np.uint8]]] = {
    "reference": reference,
    "colour": colour,
    "luma": luma,
    "scaled": scaled,
}


def measure(seed: int, rounds: int, pictures: int) -> Result:
    """Draw, time, and compare."""
    result: Result = {"seed": seed, "rounds": rounds, "pictures": pictures, "context": context(), "sizes": {}}
    say(f"hashing: {pictures} JPEG files a size, load {result['context']['load_at_start']}")
    for width, height in SIZES:
        rng = np.random.default_rng(seed)
        files = [draw(rng, width, height) for _ in range(pictures)]
        repeats = 1 if width > 2000 else 5
        turns = {
            name: lambda way=way, all_files=files * repeats: [way(data) for data in all_files]
            for name, way in WAYS.items()
        }
        seconds = in_turn(turns, rounds)
        expected = [reference(data) for data in files]
        of_size = {}
        for name, way in WAYS.items():
            drift = [int((way(data) != bits).sum()) for data, bits in zip(files, expected, strict=True)]
            of_size[name] = {
                "milliseconds": seconds[name] / repeats / pictures * 1000,
                "drift_mean": float(np.mean(drift)),
                "drift_max": max(drift),
            }
            say(
                f"  {width}x{height} {name:10} {of_size[name]['milliseconds']:9.2f} ms"
                f" {seconds['reference'] / seconds[name]:6.1f}x  drift mean {np.mean(drift):.2f} max {max(drift)}"
            )
        result["sizes"][f"{width}x{height}"] = of_size
    return result


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--results", type=Path, required=True)
    options = parser.parse_args()
    keep(options.results, "hashing", measure(options.seed, options.rounds, options.pictures))


if __name__ == "__main__":
    main()
