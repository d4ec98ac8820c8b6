"""Inside the sandbox: one process that reads pictures from a socket and answers with fixed binary frames.

Request: operation (1 byte), length (4 bytes), bytes. Answer: status (1 byte), length (4 bytes), body. Run as a program with the
socket's descriptor as its argument. Imports and warms every decoder first: afterwards nothing can be opened any more.
"""

from __future__ import annotations

import io
import os
import socket
import sys

import numpy as np
from PIL import AvifImagePlugin, Image, ImageFilter

import ringmatch
from vigil.matching.sandbox import layers
from vigil.matching.sandbox.protocol import CANARY, FACTS, FACTS_BODY, HEADER, OK, PREVIEW, TOO_LARGE, UNDECODABLE

MAX_PIXELS = 64_000_000
PREVIEW_SIDE, PREVIEW_BLUR = 160, 3.0


def facts(data: bytes) -> bytes:
    """Eight PDQ orientations, quality, width and height of a picture."""
    result = ringmatch.pdq(data, max_pixels=MAX_PIXELS)
    with Image.open(io.BytesIO(data)) as picture:
        width, height = picture.size
    return FACTS_BODY.pack(b"".join(result.dihedral()), result.quality, width, height)


def preview(data: bytes) -> bytes:
    """A PNG of at most 160 pixels, grey and blurred here, so that no failing script can show more."""
    ringmatch.pdq(data, max_pixels=MAX_PIXELS)  # the same limits and the same refusals as for hashing
    with Image.open(io.BytesIO(data)) as picture:
        picture.draft("L", (PREVIEW_SIDE, PREVIEW_SIDE))
        small = picture.convert("L")
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    out = io.BytesIO()
    Image.fromarray(np.asarray(small.filter(ImageFilter.GaussianBlur(PREVIEW_BLUR)))).save(out, "PNG")
    return out.getvalue()


def _canary(data: bytes) -> bytes:
    """Try something forbidden; used by tests, which expect that this process does not survive it."""
    match data.decode():
        case "open":
            os.open("/etc/hostname", os.O_RDONLY)
        case "socket":
            socket.socket(socket.AF_INET)
        case "fork":
            os.fork()
        case "exec":
            os.execv("/bin/true", ["true"])  # noqa: S606
        case "memory":
            bytearray(8 * 1024**3)
        case "hang":
            while True:
                pass
        case "lie":
            os.write(int(sys.argv[1]), b"\xff" * 64)
    return b""


_OPERATIONS = {FACTS: facts, PREVIEW: preview}


def _answer(operation: int, data: bytes) -> tuple[int, bytes]:
    try:
        return OK, _OPERATIONS[operation](data)
    except (ringmatch.TooLarge, Image.DecompressionBombError, MemoryError):
        return TOO_LARGE, b""
    except Exception:
        return UNDECODABLE, b""


def _warm_up() -> None:
    """Touch each decoder once: a codec that loads late would be killed for it."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.init()
    pixels = np.arange(96 * 96 * 3, dtype=np.uint32).astype(np.uint8).reshape(96, 96, 3)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
        out = io.BytesIO()
        try:
            Image.fromarray(pixels).save(out, kind)
        except (KeyError, OSError, ValueError):
            continue  # this build of the library has no such codec
        facts(out.getvalue())
        preview(out.getvalue())


def _receive(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, received = memoryview(data), 0
    while received < size:
        count = connection.recv_into(view[received:])
        if count == 0:
            os._exit(0)
        received += count
    return bytes(data)


def main() -> None:
    """Lock in, say which layers hold, serve until the socket closes."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    has_canaries = "--canaries" in sys.argv
    _warm_up()
    held = layers.lock_in()
    connection.sendall(HEADER.pack(OK, 1) + bytes([held]))
    while True:
        operation, size = HEADER.unpack(_receive(connection, HEADER.size))
        data = _receive(connection, size)
        if operation == CANARY and has_canaries:
            status, body = OK, _canary(data)
        else:
            status, body = _answer(operation, data)
        connection.sendall(HEADER.pack(status, len(body)) + body)


if __name__ == "__main__":
    main()
