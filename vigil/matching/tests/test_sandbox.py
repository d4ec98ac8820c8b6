"""Every wall is leaned on: what is forbidden kills a decoder, and the next picture is read all the same."""

import io
import random
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from vigil.matching import services
from vigil.matching.errors import TooLarge, Undecodable
from vigil.matching.sandbox import Sandbox


def picture(seed=1, size=(320, 240), kind="JPEG"):
    noise = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1, canaries=True) as sandbox:
        yield sandbox


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_ordinary_pictures_are_read(sandbox, kind):
    orientations, quality, width, height = sandbox.facts(picture(kind=kind))
    assert (len(orientations), len(set(orientations)), width, height) == (8, 8, 320, 240)
    assert 0 < quality <= 100


@pytest.mark.parametrize("forbidden", ["open", "socket", "fork", "exec", "memory", "hang", "lie"])
def test_what_is_forbidden_costs_one_decoder_and_the_next_picture_is_read(sandbox, forbidden):
    with pytest.raises((Undecodable, TooLarge)):
        sandbox.canary(forbidden)
    assert sandbox.facts(picture())[2] == 320


def test_the_layers_that_must_hold_do(sandbox):
    assert {"limits", "seccomp"} <= set(sandbox.layers())


def test_a_preview_is_small_grey_and_blurred(sandbox):
    preview = Image.open(io.BytesIO(sandbox.preview(picture(size=(1600, 900)))))
    assert max(preview.size) <= 160 and preview.mode == "L" and preview.info == {}
    sharp = np.asarray(Image.open(io.BytesIO(picture(size=(1600, 900)))).convert("L").resize(preview.size), dtype=float)
    blurred = np.asarray(preview, dtype=float)
    assert np.abs(np.diff(blurred)).mean() < 0.9 * np.abs(np.diff(sharp)).mean()


def test_a_truncated_picture_is_undecodable():
    whole = picture(size=(800, 600))
    with pytest.raises(Undecodable):
        services.read_picture(whole[: len(whole) // 3])


def _png(width, height, rows):
    def chunk(kind, data):
        return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))

    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("bomb", [_png(60_000, 60_000, b""), _png(30_000, 30_000, bytes(50_000_000))])
def test_a_decompression_bomb_is_too_large(bomb):
    assert len(bomb) < 200_000
    with pytest.raises(TooLarge):
        services.read_picture(bomb)


@pytest.mark.parametrize("data", [b"", b"x", b"<html></html>", b"GIF", b"%PDF-1.7" + bytes(100)])
def test_what_is_no_picture_never_reaches_a_decoder(data):
    with pytest.raises(Undecodable):
        services.read_picture(data)


def test_mutated_files_never_cost_more_than_a_decoder(sandbox):
    randomness = random.Random(7)
    originals = [picture(kind=kind) for kind in ("JPEG", "PNG", "WEBP", "GIF")]
    for count in range(200):
        data = bytearray(originals[count % 4])
        for _ in range(randomness.randint(1, 12)):
            data[randomness.randrange(len(data))] = randomness.randrange(256)
        try:
            sandbox.facts(bytes(data))
        except (Undecodable, TooLarge):
            continue
    assert sandbox.facts(picture())[3] == 240


def test_threads_share_the_pool():
    results = []
    with Sandbox(workers=2) as shared:
        threads = [
            threading.Thread(target=lambda seed=seed: results.append(shared.facts(picture(seed)))) for seed in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 8 and len({bytes(orientations[0]) for orientations, *_ in results}) == 8


def test_exact_hashes_are_those_of_the_file():
    import hashlib

    data = picture()
    facts = services.read_picture(data)
    assert facts.sha256 == hashlib.sha256(data).digest() and facts.md5 == hashlib.md5(data).digest()
