"""The decode sandbox: a pool of locked-in processes. A hostile file costs one of them, never the caller."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

from vigil.matching.errors import SandboxDown, TooLarge, Undecodable
from vigil.matching.sandbox import layers
from vigil.matching.sandbox.protocol import CANARY, FACTS, FACTS_BODY, HEADER, OK, PREVIEW, TOO_LARGE, UNDECODABLE

START_SECONDS = 20.0
ANSWER_SECONDS = 5.0
PICTURES_A_WORKER = 500
MAX_PREVIEW_BYTES = 128 * 1024
MUST_HOLD = layers.LIMITS | layers.SECCOMP


class _WorkerLost(Exception):
    """The worker died, hung or sent nonsense."""


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    connection: socket.socket
    held: int = 0
    pictures: int = 0

    @classmethod
    def start(cls, *, canaries: bool) -> _Worker:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "vigil.matching.sandbox.worker", str(theirs.fileno())]
        environment = {
            "PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        process = subprocess.Popen(
            [*command, "--canaries"] if canaries else command, pass_fds=[theirs.fileno()], env=environment, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        worker = cls(process, ours)
        try:
            _, body = worker._read(START_SECONDS, limit=1)
        except _WorkerLost as exc:
            worker.kill()
            raise SandboxDown() from exc
        worker.held = body[0]
        if worker.held & MUST_HOLD != MUST_HOLD:
            worker.kill()
            raise SandboxDown(worker.held)
        return worker

    def ask(self, operation: int, data: bytes, *, limit: int) -> tuple[int, bytes]:
        try:
            self.connection.settimeout(ANSWER_SECONDS)
            self.connection.sendall(HEADER.pack(operation, len(data)) + data)
        except OSError as exc:
            raise _WorkerLost() from exc
        self.pictures += 1
        return self._read(ANSWER_SECONDS, limit=limit)

    def _read(self, seconds: float, *, limit: int) -> tuple[int, bytes]:
        self.connection.settimeout(seconds)
        try:
            status, size = HEADER.unpack(self._receive(HEADER.size))
            if status not in {OK, UNDECODABLE, TOO_LARGE} or size > limit:
                raise _WorkerLost()
            return status, self._receive(size)
        except OSError as exc:
            raise _WorkerLost() from exc

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.connection.recv(size - len(data))
            if not part:
                raise _WorkerLost()
            data += part
        return data

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.connection.close()


class Sandbox:
    """A pool of decoders. Safe for threads: each call borrows one worker. `with Sandbox(workers=2) as sandbox: ...`"""

    def __init__(self, workers: int = 1, *, canaries: bool = False) -> None:
        self._canaries = canaries
        self._places: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(workers):
            self._places.put(None)  # started on first use

    def facts(self, data: bytes) -> tuple[list[bytes], int, int, int]:
        """Eight PDQ orientations, quality, width, height. Raises Undecodable, TooLarge, SandboxDown."""
        body = self._ask(FACTS, data, limit=FACTS_BODY.size)
        if len(body) != FACTS_BODY.size:
            raise Undecodable()
        orientations, quality, width, height = FACTS_BODY.unpack(body)
        return [orientations[place : place + 32] for place in range(0, 256, 32)], quality, width, height

    def preview(self, data: bytes) -> bytes:
        """A small grey blurred PNG. Raises Undecodable, TooLarge, SandboxDown."""
        body = self._ask(PREVIEW, data, limit=MAX_PREVIEW_BYTES)
        if not body.startswith(b"\x89PNG\r\n"):
            raise Undecodable()
        return body

    def layers(self) -> tuple[str, ...]:
        """The layers that hold around a decoder on this machine."""
        with self._borrowed() as worker:
            return tuple(name for bit, name in layers.NAMES.items() if worker.held & bit)

    def canary(self, what: str) -> None:
        """Tests: have a worker try something forbidden. Raises Undecodable, since it does not survive."""
        self._ask(CANARY, what.encode(), limit=0)

    def close(self) -> None:
        """End all workers."""
        with contextlib.suppress(queue.Empty):
            while True:
                if (worker := self._places.get_nowait()) is not None:
                    worker.kill()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, operation: int, data: bytes, *, limit: int) -> bytes:
        with self._borrowed() as worker:
            try:
                status, body = worker.ask(operation, data, limit=limit)
            except _WorkerLost as exc:
                worker.kill()  # the place is given back empty: a fresh worker serves the next picture
                raise Undecodable() from exc
        if status == TOO_LARGE:
            raise TooLarge()
        if status != OK:
            raise Undecodable()
        return body

    @contextlib.contextmanager
    def _borrowed(self):  # noqa: ANN202 - an iterator of one worker
        worker = self._places.get()
        try:
            if worker is None:
                worker = _Worker.start(canaries=self._canaries)
            yield worker
        finally:
            if worker is not None and (worker.process.poll() is not None or worker.pictures >= PICTURES_A_WORKER):
                worker.kill()
                worker = None
            self._places.put(worker)


_default: Sandbox | None = None
_default_lock = threading.Lock()


def default() -> Sandbox:
    """This process's own sandbox, started on first use."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Sandbox(workers=2)
        return _default
