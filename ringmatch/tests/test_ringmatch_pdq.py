"""PDQ hashes of pixels: as the reference computes them, and the same on every set of instructions."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import ringmatch
from ringmatch import BadShape, Pdq, _native

Picture = NDArray[np.uint8]

needs_reference = pytest.mark.skipif(
    importlib.util.find_spec("pdqhash") is None,
    reason="pdqhash IS MISSING: nothing here compares our hashes with the reference implementation",
)
SIZES = [(5, 5), (6, 90), (63, 64), (64, 64), (64, 300), (65, 127), (128, 128), (129, 257), (480, 640), (1000, 77)]


def bits(hash_bytes: bytes) -> NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(hash_bytes, np.uint8))


def distance(a: bytes, b: bytes) -> int:
    return int((bits(a) != bits(b)).sum())


@needs_reference
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(6))
def test_hash_and_quality_are_within_two_bits_of_the_reference(
    make_picture: Callable[..., Picture], seed: int, size: tuple[int, int]
) -> None:
    import pdqhash

    picture = make_picture(seed, *size)
    expected, expected_quality = pdqhash.compute(picture)

    found = ringmatch.pdq(picture)

    assert (bits(found.hash) != expected).sum() <= 2
    assert abs(found.quality - expected_quality) <= 1


@needs_reference
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_all_eight_symmetries_are_within_two_bits_of_the_reference_and_in_its_order(
    make_picture: Callable[..., Picture], seed: int, size: tuple[int, int]
) -> None:
    import pdqhash

    picture = make_picture(seed + 50, *size)
    expected, _ = pdqhash.compute_dihedral(picture)

    found = ringmatch.pdq(picture).dihedral()

    assert len(found) == 8
    for ours, theirs in zip(found, expected, strict=True):
        assert (bits(ours) != theirs).sum() <= 2


def test_the_symmetries_are_those_of_the_turned_pictures(make_picture: Callable[..., Picture]) -> None:
    """Side 64 makes the shrinking exact, so that turning before and after hashing is the same thing."""
    picture = make_picture(1, 64, 64)
    turned = [
        picture,
        np.rot90(picture, 1),
        np.rot90(picture, 2),
        np.rot90(picture, 3),
        picture[::-1],
        picture[:, ::-1],
        picture.swapaxes(0, 1),
        picture[::-1, ::-1].swapaxes(0, 1),
    ]

    found = ringmatch.pdq(picture).dihedral()

    assert [min(range(8), key=lambda k: distance(found[n], ringmatch.pdq(turned[k]).hash)) for n in range(8)] == list(
        range(8)
    )
    assert all(distance(found[n], ringmatch.pdq(turned[n]).hash) <= 2 for n in range(8))


@pytest.mark.parametrize("size", [*SIZES, (33, 2049), (700, 700)])
def test_every_path_gives_the_same_bits(make_picture: Callable[..., Picture], size: tuple[int, int]) -> None:
    pictures = [make_picture(2, *size), make_picture(3, *size)[..., 0], np.full((*size, 3), 130, np.uint8)]
    before = _native.active_path()
    results = []
    for path in _native.available_paths():
        _native.select_path(path)
        results.append([_native.pdq(np.atleast_3d(picture)) for picture in pictures])
    _native.select_path(before)

    assert all(result == results[0] for result in results)


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 200), width=st.integers(1, 200), channels=st.sampled_from([0, 3, 4]))
def test_any_shape_hashes_to_32_bytes(height: int, width: int, channels: int) -> None:
    shape = (height, width, channels) if channels else (height, width)
    picture = np.random.default_rng(height * 1000 + width).integers(0, 256, shape, dtype=np.uint8)

    found = ringmatch.pdq(picture)

    assert len(found.hash) == 32
    assert 0 <= found.quality <= 100
    assert found.dihedral()[0] == found.hash
    if min(height, width) < 5:
        assert found.hash == bytes(32)
        assert found.quality == 0


def test_a_plain_picture_has_no_quality() -> None:
    assert ringmatch.pdq(np.full((200, 300), 120, np.uint8)).quality == 0


def test_grey_pixels_hash_like_the_same_grey_in_colour(make_picture: Callable[..., Picture]) -> None:
    grey = make_picture(4)[..., 1]

    assert distance(ringmatch.pdq(grey).hash, ringmatch.pdq(np.stack([grey] * 3, axis=-1)).hash) <= 2


def test_alpha_is_laid_over_white(make_picture: Callable[..., Picture]) -> None:
    picture = make_picture(5)
    alpha = np.linspace(0, 255, picture.shape[1]).astype(np.uint8)[np.newaxis, :].repeat(picture.shape[0], axis=0)
    share = alpha[..., np.newaxis] / 255
    expected = np.rint(picture * share + 255 * (1 - share)).astype(np.uint8)

    found = ringmatch.pdq(np.dstack([picture, alpha]))

    assert distance(found.hash, ringmatch.pdq(expected).hash) <= 2
    assert ringmatch.pdq(np.dstack([picture, np.full_like(alpha, 255)])) == ringmatch.pdq(picture)


def test_pixels_need_not_be_contiguous(make_picture: Callable[..., Picture]) -> None:
    picture = make_picture(6)

    assert ringmatch.pdq(picture[::2, ::-1]) == ringmatch.pdq(picture[::2, ::-1].copy())


def test_a_hash_can_be_compared_and_printed(make_picture: Callable[..., Picture]) -> None:
    picture = make_picture(7)

    found = ringmatch.pdq(picture)

    assert found == ringmatch.pdq(picture)
    assert hash(found) == hash(ringmatch.pdq(picture))
    assert repr(found) == f"Pdq(hash={found.hash!r}, quality={found.quality})"
    assert isinstance(found, Pdq)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 10, 2), np.uint8),
        np.zeros((10, 10, 1), np.uint8),
        np.zeros((10, 10), np.float32),
        np.zeros((10, 10), np.uint16),
        np.zeros(10, np.uint8),
        np.zeros((0, 10), np.uint8),
        np.zeros((2, 10, 10, 3), np.uint8),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(pixels: Picture) -> None:
    with pytest.raises(BadShape) as caught:
        ringmatch.pdq(pixels)

    assert caught.value.code == "ringmatch.bad_shape"


def test_something_that_is_neither_bytes_nor_pixels_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError):
        ringmatch.pdq("picture.jpg")  # type: ignore[arg-type]
