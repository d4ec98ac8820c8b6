"""Generated pictures: smooth noise, and files that lie about themselves."""

import io
import struct
import zlib

import numpy as np
from PIL import Image


def picture(seed=1, size=(320, 240), kind="JPEG", **how):
    """Smooth noise as the bytes of a file."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(out, kind, **how)
    return out.getvalue()


def stripes(period, size=(160, 160)):
    """Black and white stripes, `period` pixels from white to white, as PNG."""
    row = (np.arange(size[0]) % period < period // 2).astype(np.uint8) * 255
    out = io.BytesIO()
    Image.fromarray(np.tile(row, (size[1], 1))).save(out, "PNG")
    return out.getvalue()


def png(width, height, rows):
    """A PNG whose header claims a size and whose data are whatever is given."""

    def chunk(kind, data):
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
