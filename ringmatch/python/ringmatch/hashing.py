"""PDQ hashes of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ringmatch import _native
from ringmatch.decoding import ScaledPixels, decode, decode_frames, decode_scaled
from ringmatch.errors import BadShape

MAX_BYTES = 32 * 2**20
MAX_PIXELS = 100_000_000
MAX_FRAMES = 1000


@dataclass(frozen=True, slots=True)
class Pdq:
    """A PDQ hash of 256 bits and its quality.

    hash: 32 bytes, bit 255 first, so that `hash.hex()` is the text other PDQ programs print.
    quality: 0 to 100; below 50 a picture is too plain for its hash to mean much.
    """

    hash: bytes
    quality: int
    _coefficients: bytes = field(repr=False, compare=False)

    def dihedral(self) -> tuple[bytes, ...]:
        """Return the hashes of the eight turned and mirrored versions of the picture, without decoding it again.

        Order and names are those of the reference: original, rotate 90 (counter-clockwise), rotate 180, rotate 270,
        flipx (upside down), flipy (left to right), flipplus1 (rows become columns), flipminus1 (the other diagonal).
        """
        return _native.pdq_dihedral(self._coefficients)


def pdq(
    data: bytes | bytearray | memoryview | NDArray[np.uint8],
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    scaled: bool = False,
) -> Pdq:
    """Hash one picture.

    data: the bytes of a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file (HEIC with the extra "heif"), or decoded pixels,
    uint8, of shape (h, w), (h, w, 3) in red, green, blue, or (h, w, 4) with alpha, which is laid over white.
    The limits apply to files and are checked before decoding. scaled: decode a large JPEG at the smallest of one to four
    eighths of its size that leaves both sides at least 512 pixels: faster, and a few bits off (README.md has figures);
    nothing else changes, and arrays and other formats are hashed as without it.
    Raises TooLarge, Undecodable, or BadShape for arrays.
    Source: PDQ as in ThreatExchange; at most 2 bits from it on ordinary photographs at full size.
    """
    if isinstance(data, np.ndarray):
        return _pdq_of_pixels(_checked_pixels(data))
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data must be bytes or a numpy array, not {type(data).__name__}")
    if scaled:
        return _pdq_of_scaled(decode_scaled(bytes(data), max_bytes=max_bytes, max_pixels=max_pixels))
    return _pdq_of_pixels(decode(bytes(data), max_bytes=max_bytes, max_pixels=max_pixels))


def pdq_frames(
    data: bytes | bytearray | memoryview,
    *,
    max_frames: int = MAX_FRAMES,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
) -> Iterator[Pdq]:
    """Yield the hash of every frame of an animation, or page of a TIFF file, in order, at most `max_frames` of them.

    Takes files as `pdq` does; a still picture has one frame. The limit on pixels is one for each frame. Raises TooLarge
    and Undecodable as `pdq` does, for a damaged frame once the frames before it have been given.
    """
    for pixels in decode_frames(bytes(data), max_bytes=max_bytes, max_pixels=max_pixels, max_frames=max_frames):
        yield _pdq_of_pixels(pixels)


def _checked_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    well_shaped = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not well_shaped or 0 in pixels.shape:
        raise BadShape(
            f"pixels must be uint8 of shape (h, w), (h, w, 3) or (h, w, 4), not {pixels.dtype} of {pixels.shape}"
        )
    return pixels


def _pdq_of_pixels(pixels: NDArray[np.uint8]) -> Pdq:
    return Pdq(*_native.pdq(_with_channels(pixels)))


def _pdq_of_scaled(picture: ScaledPixels) -> Pdq:
    return Pdq(
        *_native.pdq(
            _with_channels(picture.pixels),
            picture.full_rows,
            picture.full_columns,
            picture.eighths,
            picture.mirrored_rows,
            picture.mirrored_columns,
        )
    )


def _with_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels)
