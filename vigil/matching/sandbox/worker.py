"""Inside the sandbox: one forked process that reads pictures from its socket and answers with fixed binary frames."""

from __future__ import annotations

import ctypes
import os
import signal
import socket

import ringmatch
from vigil.matching.sandbox import canaries, decoder, layers
from vigil.matching.sandbox.protocol import (
    CANARY,
    FACTS,
    HEADER,
    MAX_PIXELS,
    OK,
    PIXELS,
    PROGRESS,
    THUMBNAIL,
    TOO_LARGE,
    UNDECODABLE,
)

SOCKET = 3
PR_SET_PDEATHSIG = 1
_OPERATIONS = {FACTS: decoder.facts, THUMBNAIL: decoder.thumbnail}


def serve(descriptor: int, *, zygote: int, layers_wanted: int, layers_held: int, has_canaries: bool) -> None:
    """Lock this process in, say which layers hold, answer until the socket closes."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != zygote:
        return  # it died before its death could be noticed
    _keep_only(descriptor)
    connection = socket.socket(fileno=SOCKET)
    held = layers_held | layers.lock_in(layers_wanted)
    connection.sendall(HEADER.pack(OK, 1) + bytes([held]))

    def progress(pixels: int) -> None:
        if pixels <= MAX_PIXELS:
            connection.sendall(HEADER.pack(PROGRESS, PIXELS.size) + PIXELS.pack(pixels))

    while True:
        operation, size = HEADER.unpack(_receive(connection, HEADER.size))
        status, body = _answer(operation, _receive(connection, size), progress, has_canaries=has_canaries)
        connection.sendall(HEADER.pack(status, len(body)) + body)


def _keep_only(descriptor: int) -> None:
    """Close everything but the socket, the standard streams and the zygote's own socket included."""
    os.dup2(descriptor, SOCKET)
    os.closerange(0, SOCKET)
    os.closerange(SOCKET + 1, 65_536)


def _answer(operation: int, data: bytes, progress: decoder.Progress, *, has_canaries: bool) -> tuple[int, bytes]:
    try:
        if operation == CANARY and has_canaries:
            return OK, canaries.attempt(data.decode())
        return OK, _OPERATIONS[operation](data, progress)
    except (ringmatch.TooLarge, MemoryError):
        return TOO_LARGE, b""
    except Exception:
        return UNDECODABLE, b""


def _receive(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view, received = memoryview(data), 0
    while received < size:
        count = connection.recv_into(view[received:])
        if count == 0:
            os._exit(0)
        received += count
    return bytes(data)
