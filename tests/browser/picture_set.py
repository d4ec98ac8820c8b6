"""Picture files of every kind that phones, cameras and programs write, with generated landscapes in them."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

ORIENTATION_TAG = 0x0112


def landscape(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Sky, hills, texture and grain: the same for the same seed and size."""
    rng = np.random.default_rng(seed)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    picture = np.empty((height, width, 3), dtype=np.float32)
    for channel in range(3):
        sky = rng.uniform(90, 220) - rng.uniform(20, 120) * y + rng.uniform(-30, 30) * x
        picture[..., channel] = sky
    for _ in range(5):
        ridge = np.float32(rng.uniform(0.2, 0.95))
        for _ in range(3):
            ridge = ridge + np.float32(rng.uniform(0.01, 0.08)) * np.sin(
                np.float32(rng.uniform(3, 25)) * x + np.float32(rng.uniform(0, 6))
            )
        waves = 25 * np.sin(np.float32(rng.uniform(20, 90)) * x + np.float32(rng.uniform(20, 90)) * y)
        hill = y > ridge
        for channel in range(3):
            picture[..., channel] = np.where(hill, np.float32(rng.uniform(20, 200)) + waves, picture[..., channel])
    picture += rng.normal(0, 4, picture.shape).astype(np.float32)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a picture file."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return exif


def _with_alpha(seed: int, height: int, width: int) -> Image.Image:
    picture = Image.fromarray(landscape(seed, height, width)).convert("RGBA")
    slope = np.linspace(0, 255, width, dtype=np.uint8)[None, :].repeat(height, axis=0)
    picture.putalpha(Image.fromarray(slope))
    return picture


def _grey_16(seed: int, height: int, width: int) -> Image.Image:
    grey = np.asarray(Image.fromarray(landscape(seed, height, width)).convert("L")).astype(np.uint16)
    return Image.fromarray(grey * 257)


def _rgb_16_png(seed: int, height: int, width: int) -> bytes:
    """A colour PNG of 16 bits a channel, which Pillow reads and does not write."""
    import struct
    import zlib

    pixels = (landscape(seed, height, width).astype(np.uint16) * 257 + 64).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _animation(kind: str) -> bytes:
    frames = [Image.fromarray(landscape(seed, 240, 320)) for seed in (41, 42, 43)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=80)


def picture_set() -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each file. Names say kind and what is special; sizes go from 64 pixels to 12 megapixels."""
    for number, quality in enumerate((35, 60, 75, 88, 95)):
        for subsampling in (0, 1, 2):
            picture = Image.fromarray(landscape(100 + number * 10 + subsampling, 480, 640))
            yield (
                f"jpeg-q{quality}-s{subsampling}",
                encoded(picture, "JPEG", quality=quality, subsampling=subsampling, progressive=number % 2 == 1),
            )
    for height, width in ((64, 64), (64, 97), (101, 67), (127, 129), (256, 256), (300, 200), (333, 1000), (768, 1024)):
        yield f"jpeg-{width}x{height}", encoded(Image.fromarray(landscape(width, height, width)), "JPEG", quality=85)
        yield f"png-{width}x{height}", encoded(Image.fromarray(landscape(height, height, width)), "PNG")
    for number, (height, width) in enumerate(((1080, 1920), (2448, 3264), (3000, 4000), (4032, 3024))):
        yield (
            f"jpeg-{width}x{height}",
            encoded(
                Image.fromarray(landscape(60 + number, height, width)), "JPEG", quality=88, progressive=number == 2
            ),
        )
    yield "jpeg-grey", encoded(Image.fromarray(landscape(20, 400, 300)).convert("L"), "JPEG", quality=85)
    yield "jpeg-cmyk", encoded(Image.fromarray(landscape(21, 400, 300)).convert("CMYK"), "JPEG", quality=90)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    yield "jpeg-profile", encoded(Image.fromarray(landscape(22, 400, 300)), "JPEG", quality=88, icc_profile=profile)
    for orientation in range(1, 9):
        for number, kind in enumerate(("JPEG", "WEBP", "PNG")):
            picture = Image.fromarray(landscape(300 + 10 * number + orientation, 360, 500))
            options = {} if kind == "PNG" else {"quality": 88}
            yield f"{kind.lower()}-exif-{orientation}", encoded(picture, kind, exif=_exif(orientation), **options)
    yield "png-palette", encoded(Image.fromarray(landscape(23, 300, 400)).quantize(64), "PNG")
    yield "png-alpha", encoded(_with_alpha(24, 300, 400), "PNG")
    yield "png-grey", encoded(Image.fromarray(landscape(25, 300, 400)).convert("L"), "PNG")
    yield "png-grey-16", encoded(_grey_16(26, 300, 400), "PNG")
    yield "png-colour-16", _rgb_16_png(27, 300, 400)
    yield "png-one-bit", encoded(Image.fromarray(landscape(28, 300, 400)).convert("1"), "PNG")
    for quality in (40, 75, 90):
        yield f"webp-q{quality}", encoded(Image.fromarray(landscape(50 + quality, 600, 800)), "WEBP", quality=quality)
    yield "webp-lossless", encoded(Image.fromarray(landscape(51, 300, 400)), "WEBP", lossless=True)
    yield "webp-alpha", encoded(_with_alpha(52, 300, 400), "WEBP", lossless=True)
    yield "webp-animation", _animation("WEBP")
    yield "gif", encoded(Image.fromarray(landscape(53, 300, 400)), "GIF")
    yield "gif-animation", _animation("GIF")
    yield "bmp", encoded(Image.fromarray(landscape(54, 300, 400)), "BMP")
    yield "avif", encoded(Image.fromarray(landscape(55, 600, 800)), "AVIF", quality=75)
    yield "avif-444", encoded(Image.fromarray(landscape(56, 300, 400)), "AVIF", quality=85, subsampling="4:4:4")
