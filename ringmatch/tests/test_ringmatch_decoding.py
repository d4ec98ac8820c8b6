"""Picture files: every format and colour mode as it is displayed, and a clear error for everything else."""

from __future__ import annotations

import importlib.util
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps, features

import ringmatch
from ringmatch import TooLarge, Undecodable, pdq_frames

Picture = NDArray[np.uint8]
HAS_HEIF = importlib.util.find_spec("pillow_heif") is not None
if HAS_HEIF:
    import pillow_heif

    pillow_heif.register_heif_opener()
FORMATS = [
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"),
    pytest.param("AVIF", marks=pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")),
    pytest.param("HEIF", marks=pytest.mark.skipif(not HAS_HEIF, reason="pillow-heif IS MISSING: HEIC untested")),
]
# What every build of Pillow reads.
ALWAYS = FORMATS[:6]


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def distance(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def hash_as_shown(picture: Image.Image) -> bytes:
    """Hash what Pillow shows, by the slow and obvious way."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("LA", "PA", "RGBA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        white = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(white, upright)
    return ringmatch.pdq(np.asarray(upright.convert("RGB"))).hash


def reopened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.fixture(scope="module")
def photo(make_picture: Callable[..., Picture]) -> Image.Image:
    return Image.fromarray(make_picture(11, 300, 400))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_files_hash_like_their_pixels(photo: Image.Image, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}

    assert ringmatch.pdq(encoded(photo, kind, **options)) == ringmatch.pdq(np.asarray(photo))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_hashes_close_to_what_it_shows(photo: Image.Image, kind: str) -> None:
    data = encoded(photo, kind)

    assert distance(ringmatch.pdq(data).hash, hash_as_shown(reopened(data))) <= 2


@pytest.mark.parametrize("quality", [40, 75, 95])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_luma_is_within_two_bits_of_the_colour_way(
    photo: Image.Image, quality: int, subsampling: int, progressive: bool
) -> None:
    data = encoded(photo, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive)

    assert distance(ringmatch.pdq(data).hash, hash_as_shown(reopened(data))) <= 2


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("1", "PNG"),
        ("1", "TIFF"),
        ("L", "JPEG"),
        ("L", "PNG"),
        ("P", "PNG"),
        ("P", "GIF"),
        ("P", "BMP"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
        ("RGBA", "TIFF"),
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
        ("YCbCr", "TIFF"),
        ("LAB", "TIFF"),
    ],
)
def test_colour_modes_are_converted_before_hashing(photo: Image.Image, mode: str, kind: str) -> None:
    source = photo
    if mode in ("LA", "RGBA"):
        source = photo.copy()
        source.putalpha(Image.linear_gradient("L").resize(photo.size))
    if mode == "LAB":
        from PIL import ImageCms

        to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        source = ImageCms.applyTransform(photo, to_lab)
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(source.convert(mode), kind, **options)
    assert reopened(data).mode in (mode, "RGB", "RGBX")

    assert distance(ringmatch.pdq(data).hash, hash_as_shown(reopened(data))) <= 2


def png_of(rows: bytes, width: int, height: int, depth: int, colour: int, *more: tuple[bytes, bytes]) -> bytes:
    """Write what Pillow does not: a PNG of any depth, from its rows without their filter bytes."""
    step = len(rows) // height
    filtered = b"".join(b"\0" + rows[y * step : (y + 1) * step] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *more, (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def test_sixteen_bit_colour_and_alpha_hash_like_eight_bit_ones(photo: Image.Image) -> None:
    opaque = np.asarray(photo)
    alpha = np.asarray(Image.linear_gradient("L").resize(photo.size))
    grey = np.asarray(photo.convert("L"))

    for pixels, colour in [(opaque, 2), (np.dstack([opaque, alpha]), 6), (np.dstack([grey, alpha]), 4)]:
        deep = png_of((pixels.astype(">u2") * 257).tobytes(), *photo.size, 16, colour)
        shallow = png_of(pixels.tobytes(), *photo.size, 8, colour)

        assert distance(ringmatch.pdq(deep).hash, ringmatch.pdq(shallow).hash) <= 2
        assert distance(ringmatch.pdq(deep).hash, hash_as_shown(reopened(shallow))) <= 2


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_value_of_a_grey_png_is_laid_over_white(photo: Image.Image, depth: int) -> None:
    grey = np.asarray(photo.convert("L")) // 32 * 32
    clear = int(grey.min())
    deep = grey.astype(">u2") * (257 if depth == 16 else 1)
    rows = (deep if depth == 16 else grey).tobytes()
    marked = (b"tRNS", struct.pack(">H", clear * (257 if depth == 16 else 1)))

    found = ringmatch.pdq(png_of(rows, *photo.size, depth, 0, marked))

    assert distance(found.hash, ringmatch.pdq(np.where(grey == clear, 255, grey).astype(np.uint8)).hash) <= 2
    assert distance(found.hash, ringmatch.pdq(grey).hash) > 2


def test_sixteen_bit_numbers_may_lie_either_way_round(photo: Image.Image) -> None:
    grey = np.asarray(photo.convert("L"))
    big = Image.frombytes("I;16B", photo.size, (grey.astype(">u2") * 257).tobytes())

    assert ringmatch.pdq(encoded(big, "TIFF")) == ringmatch.pdq(grey)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_hashes_like_eight_bit_grey(photo: Image.Image, kind: str) -> None:
    grey = np.asarray(photo.convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert deep.mode == "I;16"

    assert ringmatch.pdq(encoded(deep, kind)) == ringmatch.pdq(grey)


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_float_pictures_are_read_in_either_usual_range(photo: Image.Image, scale: float) -> None:
    grey = np.asarray(photo.convert("L"))
    data = encoded(Image.fromarray((grey / 255 * scale).astype(np.float32)), "TIFF")

    assert ringmatch.pdq(data) == ringmatch.pdq(grey)


def test_palette_with_a_transparent_colour_is_laid_over_white(photo: Image.Image) -> None:
    palette = photo.quantize(16)
    data = encoded(palette, "GIF", transparency=3)

    assert distance(ringmatch.pdq(data).hash, hash_as_shown(reopened(data))) <= 2
    assert distance(ringmatch.pdq(data).hash, ringmatch.pdq(encoded(palette, "GIF")).hash) > 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", *FORMATS[6:]])
def test_orientation_is_applied(make_picture: Callable[..., Picture], kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(Image.fromarray(make_picture(12, 200, 330)), kind, exif=exif, **options)

    assert distance(ringmatch.pdq(data).hash, hash_as_shown(reopened(data))) <= 2


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_damaged_orientation_does_not_lose_the_picture(photo: Image.Image) -> None:
    data = encoded(photo, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40)

    assert distance(ringmatch.pdq(data).hash, hash_as_shown(photo)) <= 4


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", FORMATS[6]])
def test_an_animation_is_its_first_frame(make_picture: Callable[..., Picture], kind: str) -> None:
    frames = [Image.fromarray(make_picture(seed, 200, 200)).quantize(64).convert("RGB") for seed in (20, 21, 22)]
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}.get(kind, {})
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert reopened(data).n_frames == 3

    assert distance(ringmatch.pdq(data).hash, ringmatch.pdq(np.asarray(frames[0])).hash) <= 2


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", FORMATS[6]])
def test_all_frames_can_be_asked_for(make_picture: Callable[..., Picture], kind: str) -> None:
    frames = [Image.fromarray(make_picture(seed, 200, 200)).quantize(64).convert("RGB") for seed in (20, 21, 22)]
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}.get(kind, {})
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)

    found = list(pdq_frames(data))

    assert len(found) == 3
    assert found[0] == ringmatch.pdq(data)
    for ours, frame in zip(found, frames, strict=True):
        assert distance(ours.hash, ringmatch.pdq(np.asarray(frame)).hash) <= 2
    assert list(pdq_frames(data, max_frames=2)) == found[:2]


def test_a_still_picture_has_one_frame(photo: Image.Image) -> None:
    for kind in ALWAYS:
        assert list(pdq_frames(encoded(photo, kind))) == [ringmatch.pdq(encoded(photo, kind))]


def test_every_page_is_held_to_the_limit(photo: Image.Image) -> None:
    data = encoded(photo.resize((40, 30)), "TIFF", save_all=True, append_images=[photo])
    frames = pdq_frames(data, max_pixels=40 * 30)

    assert len(next(frames).hash) == 32
    with pytest.raises(TooLarge):
        next(frames)


def test_frames_before_a_damaged_one_are_given(make_picture: Callable[..., Picture]) -> None:
    first, second = (Image.fromarray(make_picture(seed, 200, 200)).quantize(64) for seed in (20, 21))
    data = encoded(first, "GIF", save_all=True, append_images=[second])
    frames = pdq_frames(data[: len(data) * 3 // 4])

    assert next(frames) == ringmatch.pdq(data)
    with pytest.raises(Undecodable):
        next(frames)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off_is_undecodable(photo: Image.Image, kind: str, share: float) -> None:
    data = encoded(photo, kind)

    with pytest.raises(Undecodable) as caught:
        ringmatch.pdq(data[: int(len(data) * share)])

    assert caught.value.code == "ringmatch.undecodable"


def test_a_jpeg_with_stray_bytes_that_every_viewer_shows_is_still_hashed(photo: Image.Image) -> None:
    data = encoded(photo, "JPEG")

    assert ringmatch.pdq(data[:2] + b"\xff\xff\xff" + data[2:] + b"trailing").quality > 0


@settings(max_examples=150, deadline=None)
@given(
    data=st.binary(max_size=300), start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM"])
)
def test_any_bytes_become_a_hash_or_a_numbered_error(data: bytes, start: bytes) -> None:
    try:
        found = ringmatch.pdq(start + data, max_pixels=1_000_000)
    except (Undecodable, TooLarge) as error:
        assert error.code in ("ringmatch.undecodable", "ringmatch.too_large")
    else:
        assert len(found.hash) == 32


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(ALWAYS), place=st.floats(0, 1), value=st.binary(min_size=1, max_size=8))
def test_a_damaged_file_becomes_a_hash_or_a_numbered_error(kind: str, place: float, value: bytes) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    data = bytearray(encoded(Image.fromarray(pixels), kind))
    position = int(place * (len(data) - 1))
    data[position : position + len(value)] = value

    try:
        found = ringmatch.pdq(bytes(data), max_pixels=1_000_000)
    except (Undecodable, TooLarge) as error:
        assert error.code in ("ringmatch.undecodable", "ringmatch.too_large")
    else:
        assert len(found.hash) == 32


def test_a_format_outside_the_list_is_undecodable(photo: Image.Image) -> None:
    for kind in ("PPM", "ICO", "EPS"):
        with pytest.raises(Undecodable):
            ringmatch.pdq(encoded(photo, kind))


def test_a_file_above_the_byte_limit_is_refused_before_it_is_looked_at() -> None:
    with pytest.raises(TooLarge) as caught:
        ringmatch.pdq(b"\0" * 101, max_bytes=100)

    assert caught.value.code == "ringmatch.too_large"
    with pytest.raises(TooLarge):
        ringmatch.pdq(bytes(32 * 2**20 + 1))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_pixel_limit_holds_for_every_format(photo: Image.Image, kind: str) -> None:
    data = encoded(photo, kind)

    assert ringmatch.pdq(data, max_pixels=300 * 400).quality > 0
    with pytest.raises(TooLarge):
        ringmatch.pdq(data, max_pixels=300 * 400 - 1)


def png_declaring(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def bombs() -> dict[str, bytes]:
    small = Image.new("RGB", (8, 8))
    gif = bytearray(encoded(small.convert("P"), "GIF"))
    struct.pack_into("<HH", gif, 6, 60_000, 60_000)
    bmp = bytearray(encoded(small, "BMP"))
    struct.pack_into("<ii", bmp, 18, 50_000, 50_000)
    jpeg = bytearray(encoded(small, "JPEG"))
    struct.pack_into(">HH", jpeg, jpeg.index(b"\xff\xc0") + 5, 60_000, 60_000)
    webp_canvas = (16_383).to_bytes(3, "little") * 2
    webp = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + webp_canvas
    lossless = bytearray(encoded(small, "WEBP", lossless=True))
    struct.pack_into("<I", lossless, 21, 0x0FFFFFFF)
    lossy = bytearray(encoded(small, "WEBP"))
    struct.pack_into("<HH", lossy, 26, 0x3FFF, 0x3FFF)
    tiff = bytearray(encoded(small, "TIFF"))
    for tag in (256, 257):
        struct.pack_into("<I", tiff, tiff.index(struct.pack("<HHI", tag, 4, 1)) + 8, 60_000)
    return {
        "png": png_declaring(50_000, 50_000),
        "png just above": png_declaring(10_000, 10_001),
        "png above what Pillow allows": png_declaring(2**31 - 1, 2**31 - 1),
        "gif": bytes(gif),
        "bmp": bytes(bmp),
        "jpeg": bytes(jpeg),
        "webp canvas": webp,
        "webp lossless": bytes(lossless),
        "webp lossy": bytes(lossy),
        "tiff": bytes(tiff),
    }


@pytest.mark.parametrize("kind", FORMATS[6:])
def test_a_bomb_in_boxes_is_refused_from_its_header(photo: Image.Image, kind: str) -> None:
    data = bytearray(encoded(photo, kind))
    struct.pack_into(">II", data, data.index(b"ispe") + 8, 16_000, 16_000)

    with pytest.raises((TooLarge, Undecodable)):
        ringmatch.pdq(bytes(data))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", sorted(bombs()))
def test_a_bomb_is_refused_from_its_header(name: str) -> None:
    with pytest.raises(TooLarge):
        ringmatch.pdq(bombs()[name])


def test_a_picture_at_the_limit_of_the_header_but_without_data_is_undecodable() -> None:
    with pytest.raises(Undecodable):
        ringmatch.pdq(png_declaring(1000, 1000))


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_may_come_in_any_usual_wrapping(photo: Image.Image, wrap: Callable[[bytes], bytes]) -> None:
    data = encoded(photo, "PNG")

    assert ringmatch.pdq(wrap(data)) == ringmatch.pdq(data)
