"""Benign pictures, generated: islands seen from above, hills under a sky, coloured shapes. Each is different from all others."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = (400, 300)

FORMS = ("exact", "rescaled", "recompressed", "mirrored", "rotated")
_TERRAIN = np.array(
    [
        (24, 62, 120),
        (38, 98, 160),
        (88, 150, 196),
        (226, 208, 156),
        (126, 168, 84),
        (72, 130, 62),
        (112, 104, 92),
        (238, 240, 244),
    ],
    dtype=np.float32,
)


def _noise(random: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise between 0 and 1: a small random grid, enlarged."""
    grid = Image.fromarray(random.random((cells, cells), dtype=np.float32))
    return np.asarray(grid.resize(SIZE, Image.Resampling.BICUBIC))


def _heights(random: np.random.Generator) -> np.ndarray:
    heights = _noise(random, 5) + 0.9 * _noise(random, 9) + 0.5 * _noise(random, 17) + 0.15 * _noise(random, 60)
    return (heights - heights.min()) / np.ptp(heights)


def _islands(random: np.random.Generator) -> Image.Image:
    heights = _heights(random)
    position = heights * (len(_TERRAIN) - 1)
    low = np.minimum(position.astype(np.int64), len(_TERRAIN) - 2)
    part = (position - low)[..., None]
    colours = _TERRAIN[low] * (1 - part) + _TERRAIN[low + 1] * part
    light = 1 + 6 * np.clip(np.diff(heights, axis=1, prepend=heights[:, :1]), -0.05, 0.05)
    return Image.fromarray(np.clip(colours * light[..., None], 0, 255).astype(np.uint8))


def _hills(random: np.random.Generator) -> Image.Image:
    width, height = SIZE
    sky = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    top, bottom = random.integers(60, 250, 3), random.integers(60, 250, 3)
    picture = Image.fromarray(np.broadcast_to(top * (1 - sky) + bottom * sky, (height, width, 3)).astype(np.uint8))
    clouds = Image.fromarray((np.clip(_heights(random) * 2 - 0.8, 0, 1) * 230).astype(np.uint8))
    picture.paste((245, 245, 245), mask=clouds)
    draw = ImageDraw.Draw(picture)
    x, y, radius = int(random.integers(40, width - 40)), int(random.integers(30, 140)), int(random.integers(15, 45))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 226, 120))
    for layer in range(4):
        points = 7 + 3 * layer
        edge = np.interp(np.arange(width), np.linspace(0, width, points), random.integers(-55, 55, points))
        line = [(column, int(150 + 50 * layer + edge[column])) for column in range(0, width, 4)]
        shade = tuple(int(value) for value in random.integers(20, 200, 3))
        draw.polygon([(0, height), *line, (width, height)], fill=shade)
    return picture


def _shapes(random: np.random.Generator) -> Image.Image:
    width, height = SIZE
    picture = _islands(random).filter(ImageFilter.GaussianBlur(3))
    draw = ImageDraw.Draw(picture)
    for _ in range(26):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        across, down = (int(value) for value in random.integers(20, 130, 2))
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        if random.random() < 0.5:
            draw.ellipse((x, y, x + across, y + down), fill=colour)
        else:
            draw.polygon([(x, y), (x + across, y + down // 3), (x + across // 2, y + down)], fill=colour)
    return picture


def picture(random: np.random.Generator, index: int) -> Image.Image:
    """One picture; its kind goes by the index, everything else by the random numbers."""
    return (_islands, _hills, _shapes)[index % 3](random)


def encoded(image: Image.Image, kind: str = "JPEG", quality: int = 90) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return buffer.getvalue()


def copy_of(image: Image.Image, original: bytes, form: str, turn: int) -> tuple[bytes, str]:
    """A copy in one of FORMS, as bytes and content type. `turn` (0, 1, 2 ...) varies angle, size and file kind."""
    if form == "exact":
        return original, "image/jpeg"
    if form == "rescaled":
        share = (0.5, 0.65, 1.4)[turn % 3]
        small = image.resize((int(image.width * share), int(image.height * share)), Image.Resampling.LANCZOS)
        return encoded(small, quality=88), "image/jpeg"
    if form == "recompressed":
        if turn % 3 == 2:
            return encoded(image, "WEBP", 60), "image/webp"
        return encoded(image, quality=(40, 60)[turn % 2]), "image/jpeg"
    if form == "mirrored":
        flip = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM)[turn % 2]
        return encoded(image.transpose(flip)), "image/jpeg"
    if form == "rotated":
        turned = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[turn % 3]
        return encoded(image.transpose(turned)), "image/jpeg"
    raise ValueError(f"no form {form!r}")
