"""What happens inside: bytes of a picture to fixed facts or to a small grey thumbnail. Nothing here opens or keeps anything."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image
from ringmatch.decoding import decode

import ringmatch
from vigil.matching.sandbox.protocol import FACTS_BODY, MAX_BYTES, MAX_PIXELS, MAX_SIDE, THUMBNAIL_HEAD

# Not HEIC: its decoder starts a thread for each picture, and nothing in here may start anything.
KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
Progress = Callable[[int], None]


def facts(data: bytes, progress: Progress) -> bytes:
    """Eight PDQ orientations, quality, width and height as displayed. `progress` is told how many pixels there will be."""
    pixels = _pixels(data, progress)
    result = ringmatch.pdq(pixels)
    return FACTS_BODY.pack(b"".join(result.dihedral()), result.quality, pixels.shape[1], pixels.shape[0])


def thumbnail(data: bytes, progress: Progress) -> bytes:
    """At most 160 grey pixels a side, as displayed; transparent parts lie over white."""
    picture = Image.fromarray(_pixels(data, progress))
    picture.thumbnail((MAX_SIDE, MAX_SIDE), reducing_gap=2.0)
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return THUMBNAIL_HEAD.pack(*picture.size) + picture.convert("L").tobytes()


def warm_up() -> None:
    """Touch each decoder once, one thread each: what loads, starts or opens something later is killed for it."""
    warnings.simplefilter("ignore")  # a warning would look up its line of source
    logging.disable()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.init()
    for data in samples().values():
        facts(data, _ignored)
        thumbnail(data, _ignored)
        with contextlib.suppress(ringmatch.RingmatchError):
            facts(data[: len(data) // 2], _ignored)


def samples() -> dict[str, bytes]:
    """One small generated picture of each kind that this build of the library writes."""
    pixels = np.arange(96 * 96 * 4, dtype=np.uint32).astype(np.uint8).reshape(96, 96, 4)
    made: dict[str, bytes] = {}
    for kind in KINDS:
        out = io.BytesIO()
        with contextlib.suppress(KeyError, OSError, ValueError, RuntimeError):
            Image.fromarray(pixels if kind in {"PNG", "TIFF"} else pixels[:, :, :3]).save(out, kind)
            made[kind] = out.getvalue()
    return made


def _pixels(data: bytes, progress: Progress) -> NDArray[np.uint8]:
    # Before decoding, which takes as long as there are pixels; whatever is wrong here, `decode` says.
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data), formats=KINDS) as picture:
        progress(picture.width * picture.height)
    return decode(data, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS)


def _ignored(_pixels: int) -> None:
    pass
