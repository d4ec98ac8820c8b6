"""Out of the sandbox comes a rectangle of grey bytes; here it is blurred and written down as PNG, without any decoder.

So a decoder that was taken over can choose 160 x 160 grey values, and neither the sharpness nor the file that a browser reads.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

BLUR_PIXELS = 3.0  # standard deviation
_REACH = 9


def blurred_png(width: int, height: int, grey: bytes) -> bytes:
    """A PNG of grey pixels, blurred, with nothing in it but the pixels."""
    blurred = _blurred(np.frombuffer(grey, dtype=np.uint8).reshape(height, width))
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # each row begins with its filter, 0
    rows[:, 1:] = blurred
    header = struct.pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _blurred(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    offsets = np.arange(-_REACH, _REACH + 1)
    weights = np.exp(-((offsets / BLUR_PIXELS) ** 2) / 2)
    weights /= weights.sum()
    values = pixels.astype(np.float64)
    for axis in (0, 1):
        padded = np.pad(values, [(_REACH, _REACH) if axis == side else (0, 0) for side in (0, 1)], mode="edge")
        size = values.shape[axis]
        values = sum(
            weight * np.take(padded, range(place, place + size), axis=axis) for place, weight in enumerate(weights)
        )
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
