"""Hashing a JPEG that was decoded smaller than it is: close to the hash at full size, for every orientation and symmetry."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from ringmatch.decoding import decode_scaled

import ringmatch
from ringmatch import TooLarge, Undecodable, _native, hash_many

Picture = NDArray[np.uint8]
LIMITS = {"max_bytes": 10**8, "max_pixels": 10**8}
MOST_DRIFT_BITS = 4

# (height, width): one, two, three and four eighths, with and without an incomplete last pixel.
SCALABLE = [(4100, 4203), (2048, 2051), (1400, 1367), (1024, 1031), (1101, 1900)]


@pytest.fixture(scope="module")
def draw(make_picture: Callable[..., Picture]) -> Callable[..., Picture]:
    """Return a function that draws large pictures fast: an enlarged one, with fine grain over it."""

    def large(seed: int, height: int, width: int) -> Picture:
        enlarged = Image.fromarray(make_picture(seed, 300, 400)).resize((width, height), Image.Resampling.BICUBIC)
        grain = np.random.default_rng(seed).integers(0, 24, (height, width, 1), dtype=np.uint8)
        return np.asarray(enlarged) // 8 * 7 + grain

    return large


def jpeg(pixels: Picture, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **{"quality": 88, **options})
    return file.getvalue()


def distance(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


@pytest.mark.parametrize("size", SCALABLE)
@pytest.mark.parametrize("seed", range(3))
def test_hash_symmetries_and_quality_are_close_to_those_at_full_size(
    draw: Callable[..., Picture], seed: int, size: tuple[int, int]
) -> None:
    data = jpeg(draw(seed + 70, *size))

    full, scaled = ringmatch.pdq(data), ringmatch.pdq(data, scaled=True)

    for ours, theirs in zip(scaled.dihedral(), full.dihedral(), strict=True):
        assert distance(ours, theirs) <= MOST_DRIFT_BITS
    assert scaled.dihedral()[0] == scaled.hash
    assert abs(scaled.quality - full.quality) <= 1


@pytest.mark.parametrize("size", SCALABLE)
def test_the_smallest_size_with_both_sides_at_least_512_is_decoded(size: tuple[int, int]) -> None:
    found = decode_scaled(jpeg(np.zeros((*size, 3), np.uint8)), **LIMITS)

    assert (found.full_rows, found.full_columns) == size
    assert found.pixels.shape == tuple(-(-side * found.eighths // 8) for side in size)
    assert min(found.pixels.shape) >= 512
    assert min(size) * (found.eighths - 1) / 8 <= 511 < min(size) / 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(1101, 1900), (1031, 1026)])
def test_orientation_is_applied(draw: Callable[..., Picture], orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(draw(80, *size), exif=exif)

    found = decode_scaled(data, **LIMITS)

    assert distance(ringmatch.pdq(data, scaled=True).hash, ringmatch.pdq(data).hash) <= MOST_DRIFT_BITS
    assert (found.full_rows, found.full_columns) == (size if orientation < 5 else size[::-1])


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_every_kind_of_jpeg_can_be_scaled(draw: Callable[..., Picture], subsampling: int, progressive: bool) -> None:
    picture = draw(81, 1300, 1100)
    data = jpeg(picture, subsampling=subsampling, progressive=progressive)
    grey = jpeg(picture[..., 1], progressive=progressive)

    assert decode_scaled(data, **LIMITS).eighths == 4
    assert distance(ringmatch.pdq(data, scaled=True).hash, ringmatch.pdq(data).hash) <= MOST_DRIFT_BITS
    assert distance(ringmatch.pdq(grey, scaled=True).hash, ringmatch.pdq(grey).hash) <= MOST_DRIFT_BITS


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_other_formats_small_pictures_and_arrays_are_hashed_in_full(draw: Callable[..., Picture], kind: str) -> None:
    file = io.BytesIO()
    Image.fromarray(draw(82, 1030, 1040)).save(file, kind)
    small = jpeg(draw(83, 1000, 1500))

    assert ringmatch.pdq(file.getvalue(), scaled=True) == ringmatch.pdq(file.getvalue())
    assert ringmatch.pdq(small, scaled=True) == ringmatch.pdq(small)
    assert ringmatch.pdq(draw(84, 1030, 1040), scaled=True) == ringmatch.pdq(draw(84, 1030, 1040))


@pytest.mark.parametrize("eighths", [1, 2, 4, 8])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_picture_that_lost_nothing_by_scaling_keeps_its_hash(
    make_picture: Callable[..., Picture], eighths: int, mirrored: bool
) -> None:
    """Squares of one colour are what a scaled pixel stands for, the incomplete ones at the edges included."""
    scaled = make_picture(85, 300, 280)[..., :1]
    span = 8 // eighths
    rows, columns = 300 * span - (span - 1), 280 * span - span // 2
    full = scaled.repeat(span, axis=0).repeat(span, axis=1)[:rows, :columns]
    if mirrored:
        scaled, full = scaled[::-1, ::-1], full[::-1, ::-1]

    whole, *_ = _native.pdq(np.ascontiguousarray(full))
    found, *_ = _native.pdq(np.ascontiguousarray(scaled), *full.shape[:2], eighths, mirrored, mirrored)

    assert distance(found, whole) <= 2


def test_pixels_that_are_not_the_scaled_version_of_the_size_given_are_refused() -> None:
    pixels = np.zeros((100, 100, 1), np.uint8)

    for full_rows, full_columns, eighths in [(801, 800, 1), (800, 792, 1), (800, 800, 0), (100, 100, 9), (-1, 800, 1)]:
        with pytest.raises(ValueError):
            _native.pdq(pixels, full_rows, full_columns, eighths)


def test_every_path_gives_the_same_bits(draw: Callable[..., Picture]) -> None:
    data = jpeg(draw(86, 1100, 1300))
    before = _native.active_path()
    found = []
    for path in _native.available_paths():
        _native.select_path(path)
        found.append(ringmatch.pdq(data, scaled=True))
    _native.select_path(before)

    assert all(other == found[0] for other in found)


def test_limits_and_damage_are_reported_as_at_full_size(draw: Callable[..., Picture]) -> None:
    data = jpeg(draw(87, 1100, 1300))

    with pytest.raises(TooLarge):
        ringmatch.pdq(data, scaled=True, max_pixels=1100 * 1300 - 1)
    with pytest.raises(TooLarge):
        ringmatch.pdq(data, scaled=True, max_bytes=len(data) - 1)
    with pytest.raises(Undecodable):
        ringmatch.pdq(data[: len(data) // 2], scaled=True)


def test_stray_bytes_that_the_fast_decoder_refuses_are_no_obstacle(draw: Callable[..., Picture]) -> None:
    data = jpeg(draw(88, 1100, 1300))
    stray = data[:2] + b"\xff\xff\xff" + data[2:] + b"trailing"

    assert distance(ringmatch.pdq(stray, scaled=True).hash, ringmatch.pdq(data).hash) <= MOST_DRIFT_BITS


@pytest.mark.parametrize("workers", [1, 2])
def test_many_files_can_be_hashed_that_way(tmp_path: Path, draw: Callable[..., Picture], workers: int) -> None:
    data = jpeg(draw(89, 1100, 1300))
    (tmp_path / "one.jpg").write_bytes(data)

    (result,) = hash_many([tmp_path / "one.jpg"], workers, scaled=True)

    assert result.pdq == ringmatch.pdq(data, scaled=True)


@pytest.mark.skipif(
    not os.environ.get("RINGMATCH_PHOTOGRAPHS") or importlib.util.find_spec("pdqhash") is None,
    reason="RINGMATCH_PHOTOGRAPHS names no folder of photographs, or pdqhash is missing: generated pictures only",
)
def test_photographs_of_your_own_hash_close_to_the_reference() -> None:
    import pdqhash

    for path in sorted(Path(os.environ["RINGMATCH_PHOTOGRAPHS"]).rglob("*.jpg")):
        data = path.read_bytes()
        bits, quality = pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))
        if quality < 50 or Image.open(path).getexif().get(0x0112, 1) != 1:
            continue
        expected = np.packbits(bits).tobytes()
        assert distance(ringmatch.pdq(data).hash, expected) <= 2, path.name
        assert distance(ringmatch.pdq(data, scaled=True).hash, expected) <= MOST_DRIFT_BITS, path.name
