#!/usr/bin/env python3
"""Make fingerprints of pictures (PDQ) and videos (MD5) on this computer. Nothing is sent anywhere.
Faire les empreintes numériques de photos (PDQ) et de vidéos (MD5) sur cet ordinateur. Rien n'est envoyé.

    python3 -m pip install pillow numpy
    python3 fingerprint.py FILE [FILE ...]

Fingerprints go to the standard output, one a line, to be copied; file names and problems only to the screen beside it.
Les empreintes sortent une par ligne, à copier; les noms de fichiers et les problèmes ne vont qu'à l'écran.
Source: PDQ as in ThreatExchange. Licence: that of the project that this file comes from.
"""

import hashlib
import sys
from pathlib import Path

SIDE, KEPT = 64, 16
VIDEO_STARTS = (b"\x1aE\xdf\xa3", b"FLV", b"0&\xb2u", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"OggS")
VIDEO_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip")
PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")


def is_video(head: bytes) -> bool:
    """Whether the first bytes are a video's."""
    if head[4:8] == b"ftyp":
        return head[8:12] not in PICTURE_BRANDS
    if head[:4] == b"RIFF":
        return head[8:12] == b"AVI "
    return head.startswith(VIDEO_STARTS) or head[4:8] in VIDEO_BOXES


def weights(length: int):  # type: ignore[no-untyped-def]  # noqa: ANN201 - numpy is not needed for videos
    """64 rows of weights over one side: two boxes amount to a small tent around each sample."""
    import numpy as np

    box = (length + 2 * SIDE - 1) // (2 * SIDE)
    half = (box + 2) // 2
    low = np.maximum(0, np.arange(length) - (box - half))
    high = np.minimum(length - 1, np.arange(length) + half - 1)
    rows = np.zeros((SIDE, length))
    for out in range(SIDE):
        sample = int((out + 0.5) * length / SIDE)
        for j in range(low[sample], high[sample] + 1):
            rows[out, low[j] : high[j] + 1] += 1 / (high[j] - low[j] + 1) / (high[sample] - low[sample] + 1)
    return rows


def pdq(path: str) -> tuple[str, int]:
    """(hash as hexadecimal digits, quality 0 to 100) of one picture."""
    import numpy as np
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = 100_000_000
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened)
        if picture.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        if picture.mode.startswith("I"):
            picture = Image.fromarray((np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8))
        pixels = np.asarray(picture.convert("RGB"))
    if min(pixels.shape[:2]) < 5:
        return "0" * 64, 0
    down, across = weights(pixels.shape[0]), weights(pixels.shape[1])
    small = sum(
        share * (down @ pixels[:, :, channel] @ across.T) for channel, share in enumerate((0.299, 0.587, 0.114))
    )
    steps = [
        np.abs(np.trunc((small[1:] - small[:-1]) * 100 / 255)),
        np.abs(np.trunc((small[:, 1:] - small[:, :-1]) * 100 / 255)),
    ]
    quality = min(100, int(sum(step.sum() for step in steps)) // 90)
    i, j = np.arange(1, KEPT + 1)[:, None], np.arange(SIDE)[None, :]
    cosines = np.sqrt(2 / SIDE) * np.cos(np.pi / 2 / SIDE * i * (2 * j + 1))
    values = (cosines @ small @ cosines.T).ravel()
    bits = values > np.sort(values)[KEPT * KEPT // 2 - 1]
    return np.packbits(bits[::-1]).tobytes().hex(), quality


def md5(path: str) -> str:
    """MD5 of one file, as hexadecimal digits."""
    digest = hashlib.new("md5", usedforsecurity=False)
    with Path(path).open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def main(paths: list[str]) -> int:
    """Fingerprint each file; the number of those that could not be read is the exit status."""
    failed = 0
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                head = file.read(16)
            if is_video(head):
                sys.stdout.write(f"md5:{md5(path)}\n")
            else:
                digits, quality = pdq(path)
                if quality < 50:
                    raise ValueError(
                        "too plain, its fingerprint would fit many others / trop uni, trop d'autres ont la même empreinte"
                    )
                sys.stdout.write(f"pdq:{digits}:{quality}\n")
            sys.stderr.write(f"  ^ {path}\n")
        except Exception as problem:
            failed += 1
            sys.stderr.write(f"  ! {path}: {problem}\n")
    return min(failed, 99)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
