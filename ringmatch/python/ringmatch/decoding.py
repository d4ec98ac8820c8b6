"""From the bytes of a picture file to the pixels that PDQ hashes."""

from __future__ import annotations

import importlib.util
import io
import struct
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from ringmatch.errors import TooLarge, Undecodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Only these: Pillow also reads formats that start other programs or hold many nested files.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_ORIENTATION_TAG = 0x0112

# Where a displayed pixel lies in the stored picture, by EXIF orientation 1 to 8.
_TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a[::-1].swapaxes(0, 1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}

# Which stored axes (rows, columns) an orientation runs through from their far end.
_MIRRORED = {2: (False, True), 3: (True, True), 4: (True, False), 6: (True, False), 7: (True, True), 8: (False, True)}

# Decoding at five to seven eighths is slower than at full size: the decoder has no vectors for it.
_EIGHTHS = (1, 2, 3, 4)
_SMALLEST_SIDE = 512


@dataclass(frozen=True, slots=True)
class ScaledPixels:
    """A picture as displayed, perhaps decoded smaller than it is, with what hashing needs to know about that.

    pixels: as `decode` returns them. full_rows, full_columns: the size as displayed, in full. eighths: 1 to 8; a pixel
    stands for 8 / eighths pixels of the full picture along each axis. mirrored_rows, mirrored_columns: whether the axis
    was turned round after decoding, so that an incomplete last pixel has become the first.
    """

    pixels: NDArray[np.uint8]
    full_rows: int
    full_columns: int
    eighths: int = 8
    mirrored_rows: bool = False
    mirrored_columns: bool = False


def decode(data: bytes, *, max_bytes: int, max_pixels: int) -> NDArray[np.uint8]:
    """Return the pixels of the first frame as displayed: uint8, shape (h, w), (h, w, 3) or, with alpha, (h, w, 4).

    Raises TooLarge before decoding, from the size of the file or the size its header declares; Undecodable otherwise.
    """
    with _opened(data, max_bytes, max_pixels) as picture:
        return np.ascontiguousarray(_displayed(picture, data))


def decode_frames(data: bytes, *, max_bytes: int, max_pixels: int, max_frames: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the pixels of each frame as `decode` returns those of the first. The limit on pixels is one for each frame."""
    with _opened(data, max_bytes, max_pixels) as picture:
        # The further pictures inside a JPEG are previews and depth maps, not frames.
        last = 1 if picture.format in ("JPEG", "MPO") else max_frames
        for number in range(last):
            try:
                picture.seek(number)
            except EOFError:
                return
            # Pages of one file may differ in size.
            _refuse_large(picture.size, max_pixels)
            yield np.ascontiguousarray(_displayed(picture, data))


def decode_scaled(data: bytes, *, max_bytes: int, max_pixels: int) -> ScaledPixels:
    """Return the first frame as `decode` does, but a JPEG at the smallest size with both sides at least 512 pixels.

    The decoder makes it smaller in the transform itself, at one to four eighths of the full size. Everything else, and
    what is too small for that, comes in full. Raises as `decode` does.
    """
    with _opened(data, max_bytes, max_pixels) as picture:
        if picture.format in ("JPEG", "MPO") and picture.mode in ("L", "RGB"):
            scaled = _scaled_jpeg_luma(data, picture.size, _orientation(picture))
            if scaled is not None:
                return scaled
        pixels = np.ascontiguousarray(_displayed(picture, data))
        return ScaledPixels(pixels, pixels.shape[0], pixels.shape[1])


@contextmanager
def _opened(data: bytes, max_bytes: int, max_pixels: int) -> Iterator[Image.Image]:
    if len(data) > max_bytes:
        raise TooLarge(f"the file has {len(data)} bytes; the limit is {max_bytes}")
    webp_size = _webp_size(data)
    if webp_size is not None:
        # Pillow's WebP reader reserves two canvases of the declared size while it opens the file, before any check.
        _refuse_large(webp_size, max_pixels)
    try:
        with Image.open(io.BytesIO(data), formats=_known_formats()) as picture:
            _refuse_large(picture.size, max_pixels)
            yield picture
    except (TooLarge, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge("the picture has more pixels than Pillow ever decodes") from error
    except Exception as error:
        # Pillow's readers raise whatever the damage leads them into: OSError, SyntaxError, struct.error, IndexError...
        raise Undecodable("the bytes are not a complete picture of a known format") from error


def _refuse_large(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise TooLarge(f"the picture has {width} x {height} pixels; the limit is {max_pixels}")


@cache
def _known_formats() -> tuple[str, ...]:
    if importlib.util.find_spec("pillow_heif") is None:
        return _FORMATS
    import pillow_heif

    pillow_heif.register_heif_opener()
    return (*_FORMATS, "HEIF")


def _displayed(picture: Image.Image, data: bytes) -> NDArray[np.uint8]:
    pixels = None
    if picture.format in ("JPEG", "MPO") and picture.mode in ("L", "RGB"):
        pixels = _jpeg_luma(data, picture.size)
    if pixels is None:
        picture.load()
        pixels = _pixels(picture)
    turn = _TURNS.get(_orientation(picture))
    return pixels if turn is None else turn(pixels)


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        # Damaged metadata around a sound picture is common and no reason to miss a match: show it as it is stored.
        return 1


def _jpeg_luma(data: bytes, size: tuple[int, int], eighths: int = 8) -> NDArray[np.uint8] | None:
    """Decode straight to luma, which skips the colour planes. None when the fast decoder objects to anything.

    It objects to harmless oddities too (stray bytes between markers), which are common: Pillow then has the last word.
    """
    columns, rows = (_scaled_length(length, eighths) for length in size)
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        if (width, height) != size:
            return None
        smaller = {} if eighths == 8 else {"min_height": rows, "min_width": columns}
        luma = np.asarray(simplejpeg.decode_jpeg(data, colorspace="GRAY", strict=True, **smaller), dtype=np.uint8)
    except ValueError:
        return None
    return luma.reshape(rows, columns) if luma.size == rows * columns else None


def _scaled_jpeg_luma(data: bytes, size: tuple[int, int], orientation: int) -> ScaledPixels | None:
    shorter = min(size)
    eighths = next((e for e in _EIGHTHS if _scaled_length(shorter, e) >= _SMALLEST_SIDE), None)
    luma = None if eighths is None else _jpeg_luma(data, size, eighths)
    if eighths is None or luma is None:
        return None
    columns, rows = size
    mirrored_rows, mirrored_columns = _MIRRORED.get(orientation, (False, False))
    if orientation >= 5:
        rows, columns = columns, rows
        mirrored_rows, mirrored_columns = mirrored_columns, mirrored_rows
    turn = _TURNS.get(orientation)
    shown = luma if turn is None else turn(luma)
    return ScaledPixels(np.ascontiguousarray(shown), rows, columns, eighths, mirrored_rows, mirrored_columns)


def _scaled_length(length: int, eighths: int) -> int:
    return -(-length * eighths // 8)


def _pixels(picture: Image.Image) -> NDArray[np.uint8]:
    if picture.mode.startswith("I;16"):
        deep = np.asarray(picture)
        clear = picture.info.get("transparency")
        # One value of a PNG can stand for "transparent": it is laid over white, as elsewhere.
        return _high_bytes(deep if not isinstance(clear, int) else np.where(deep == clear, np.uint16(0xFFFF), deep))
    if picture.mode == "I":
        # Pillow gives 16-bit files with a sign, or of some older encoders, as 32-bit numbers.
        return _high_bytes(np.clip(np.asarray(picture), 0, 0xFFFF))
    if picture.mode == "F":
        return _from_floats(np.asarray(picture))
    if picture.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA"))
    if picture.mode in ("1", "L"):
        return np.asarray(picture.convert("L"))
    return np.asarray(picture.convert("RGB"))


def _high_bytes(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    # The same cut that Pillow makes for 16-bit colour, so grey and colour versions of a picture agree.
    return (np.asarray(values).astype(np.uint16) >> 8).astype(np.uint8)


def _from_floats(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    finite: NDArray[np.float32] = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    # Float pictures hold 0 to 1 by convention, or 0 to 255 when they were made from bytes.
    scale = 255.0 if float(finite.max(initial=0.0)) <= 1.0 else 1.0
    rounded: NDArray[np.float32] = np.rint(finite * scale)
    return rounded.clip(0, 255).astype(np.uint8)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and len(data) >= 25:
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
