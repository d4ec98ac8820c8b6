"""Things that a decoder must not be able to do. One is asked to try them; tests expect a refusal or a death."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import struct
from collections.abc import Callable

DONE = 0
ANSWER = struct.Struct("!i")  # 0 = done, else the error number that refused it


def _open() -> None:
    os.open("/etc/hostname", os.O_RDONLY)


def _write() -> None:
    descriptor = os.open("/tmp", os.O_TMPFILE | os.O_RDWR)  # noqa: S108
    os.write(descriptor, b"x")


def _socket() -> None:
    socket.socket(socket.AF_INET)


def _connect() -> None:
    socket.socket(socket.AF_INET).connect(("127.0.0.1", 9))


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)  # or the signal of its death would stop us later, when we are traced


def _exec() -> None:
    os.execv("/bin/true", ["true"])  # noqa: S606


def _ptrace() -> None:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)


def _kill() -> None:
    os.kill(os.getppid(), 0)


def _code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def _memory() -> None:
    bytearray(8 * 1024**3)


def _hang() -> None:
    while True:
        pass


def _lie() -> None:
    os.write(3, b"\xff" * 64)


_ACTS: dict[str, Callable[[], None]] = {
    "open": _open, "write": _write, "socket": _socket, "connect": _connect, "fork": _fork, "exec": _exec, "ptrace": _ptrace,
    "kill": _kill, "code": _code, "memory": _memory, "hang": _hang, "lie": _lie,
}  # fmt: skip
NAMES = tuple(_ACTS)


def attempt(name: str) -> bytes:
    """Try it. Returns 0, or the number of the error that refused it; MemoryError goes on to the caller."""
    try:
        _ACTS[name]()
    except OSError as exc:
        return ANSWER.pack(exc.errno or -1)
    return ANSWER.pack(DONE)
