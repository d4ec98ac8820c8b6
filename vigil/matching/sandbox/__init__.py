"""The decode sandbox: a pool of locked-in processes. A hostile file costs one of them, never the caller.

Sandbox --socket--> zygote (decoders loaded, privileges gone) --fork--> decoder (locked in)
   \\-------------- one socket for each decoder: bytes in, fixed frames out --------------/
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from vigil.matching.errors import SandboxDown, TooLarge, Undecodable
from vigil.matching.sandbox import layers, protocol
from vigil.matching.sandbox.preview import blurred_png
from vigil.matching.sandbox.protocol import CANARY, FACTS, HEADER, OK, PROGRESS, THUMBNAIL, TOO_LARGE, UNDECODABLE

START_SECONDS = 30.0
# A decoder that computes this long is hung: two seconds, and what many pixels take once it has said how many they are. Its own
# time counts, so that a busy machine makes no picture undecodable ...
HUNG_CPU_SECONDS, CPU_SECONDS_A_MEGAPIXEL = 2.0, 0.15
# ... and this is the end in any case.
ANSWER_SECONDS = 30.0
LOOK_SECONDS = 0.25
PICTURES_A_DECODER = 500
BUSY_SECONDS_A_DECODER = 20.0


class _Lost(Exception):
    """The decoder died, hung or sent nonsense. `ended`: its wait status, when it died by itself."""

    def __init__(self, why: str = "ended") -> None:
        super().__init__(why)
        self.why = why
        self.ended = 0


class _Zygote:
    """The process that decoders are forked from. Safe for threads."""

    def __init__(self, *, wanted: int, has_canaries: bool) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "vigil.matching.sandbox.zygote", str(theirs.fileno()), str(wanted)]
        # Nothing of the caller's environment: its secrets have no business beside a decoder.
        environment = {
            "PYTHONPATH": os.pathsep.join(part for part in sys.path if part), "PYTHONSAFEPATH": "1", "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [*command, "canaries" if has_canaries else "-"], pass_fds=[theirs.fileno()], env=environment, cwd="/",
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        try:
            self._control.settimeout(START_SECONDS)
            is_ready, self.held, problem = protocol.READY.unpack(self._control.recv(protocol.READY.size))
        except Exception as exc:
            self.close()
            raise SandboxDown("zygote") from exc
        if not is_ready:
            self.close()
            raise SandboxDown(problem.rstrip(b"\0").decode("ascii", "replace"))

    @property
    def process_id(self) -> int:
        """Its process number."""
        return self._process.pid

    def fork(self, descriptor: int) -> int:
        """Fork a decoder that serves this socket; returns its process number. Raises OSError when the zygote is gone."""
        with self._lock:
            socket.send_fds(self._control, [protocol.COMMAND.pack(protocol.FORK, 0)], [descriptor])
            return self._reply()[0]

    def end(self, process: int) -> int:
        """Kill a decoder that still runs; returns its wait status (of a death of its own, if it had died before)."""
        with self._lock:
            self._control.send(protocol.COMMAND.pack(protocol.END, process))
            return self._reply()[1]

    def _reply(self) -> tuple[int, int]:
        reply = self._control.recv(protocol.REPLY.size)
        if len(reply) != protocol.REPLY.size:
            raise ConnectionResetError("the zygote is gone")
        process, status = protocol.REPLY.unpack(reply)
        return process, status

    def close(self) -> None:
        """End it; its decoders are killed with it."""
        self._control.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass
class _Decoder:
    """The caller's end of one decoder."""

    zygote: _Zygote
    process: int
    connection: socket.socket
    held: int = 0
    pictures: int = 0
    busy_seconds: float = 0.0

    @classmethod
    def start(cls, zygote: _Zygote, *, must_hold: int) -> _Decoder:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                decoder = cls(zygote, zygote.fork(theirs.fileno()), ours)
            _, body = decoder._read(limit=1)
        except (OSError, _Lost) as exc:
            ours.close()
            raise SandboxDown("decoder") from exc
        decoder.held = body[0] if body else 0
        if decoder.held & must_hold != must_hold:
            decoder.end()
            raise SandboxDown(f"layers {decoder.held}")
        return decoder

    def ask(self, operation: int, data: bytes, *, limit: int) -> tuple[int, bytes]:
        started = time.monotonic()
        try:
            self.connection.settimeout(ANSWER_SECONDS)
            self.connection.sendall(HEADER.pack(operation, len(data)) + data)
        except OSError as exc:
            raise _Lost() from exc
        self.pictures += 1
        answer = self._read(limit=limit)
        self.busy_seconds += time.monotonic() - started
        return answer

    def _read(self, *, limit: int) -> tuple[int, bytes]:
        give_up_at, cpu_at = time.monotonic() + ANSWER_SECONDS, self._cpu_seconds() + HUNG_CPU_SECONDS
        status, size = HEADER.unpack(self._receive(HEADER.size, give_up_at, cpu_at))
        if status == PROGRESS and size == protocol.PIXELS.size:
            (pixels,) = protocol.PIXELS.unpack(self._receive(size, give_up_at, cpu_at))
            cpu_at += min(pixels, protocol.MAX_PIXELS) / 1e6 * CPU_SECONDS_A_MEGAPIXEL
            status, size = HEADER.unpack(self._receive(HEADER.size, give_up_at, cpu_at))
        if status not in {OK, UNDECODABLE, TOO_LARGE} or size > limit:
            raise _Lost("lied")
        return status, self._receive(size, give_up_at, cpu_at)

    def _receive(self, size: int, give_up_at: float, cpu_at: float) -> bytes:
        data = bytearray()
        self.connection.settimeout(LOOK_SECONDS)
        while len(data) < size:
            try:
                part = self.connection.recv(size - len(data))
            except TimeoutError as exc:
                if time.monotonic() > give_up_at or self._cpu_seconds() > cpu_at:
                    raise _Lost("hung") from exc
                continue
            except OSError as exc:
                raise _Lost() from exc
            if not part:
                raise _Lost()
            data += part
        return bytes(data)

    def _cpu_seconds(self) -> float:
        try:
            return time.clock_gettime(((~self.process) << 3) | 2)  # the clock of another process's computing (Linux)
        except OSError:
            return 0.0  # it is gone; its socket says so

    @property
    def is_worn(self) -> bool:
        return self.pictures >= PICTURES_A_DECODER or self.busy_seconds >= BUSY_SECONDS_A_DECODER

    def end(self) -> int:
        self.connection.close()
        try:
            return self.zygote.end(self.process)
        except OSError:
            return 0  # the zygote is gone, and its decoders with it


class Sandbox:
    """A pool of decoders. Safe for threads: each call borrows one. `with Sandbox(workers=2) as sandbox: ...`

    `canaries` and `only` are for tests that lean on single walls; without canaries limits and seccomp hold, or nothing starts.
    """

    def __init__(self, workers: int = 1, *, canaries: bool = False, only: int = layers.ALL) -> None:
        self._canaries, self._only = canaries, only
        self._must_hold = layers.MUST_HOLD & only if canaries else layers.MUST_HOLD
        self._lock = threading.Lock()
        self._zygote: _Zygote | None = None
        self._is_closed = False
        self._places: queue.LifoQueue[_Decoder | None] = queue.LifoQueue()
        for _ in range(workers):
            self._places.put(None)  # started on first use

    def facts(self, data: bytes) -> tuple[list[bytes], int, int, int]:
        """Eight PDQ orientations, quality, width, height. Raises Undecodable, TooLarge, SandboxDown."""
        body = self._ask(FACTS, data, limit=protocol.FACTS_BODY.size)
        if len(body) != protocol.FACTS_BODY.size:
            raise Undecodable()
        orientations, quality, width, height = protocol.FACTS_BODY.unpack(body)
        if quality > 100 or not 0 < width * height <= protocol.MAX_PIXELS:
            raise Undecodable()
        return [orientations[place : place + 32] for place in range(0, 256, 32)], quality, width, height

    def preview(self, data: bytes) -> bytes:
        """A small grey blurred PNG. Raises Undecodable, TooLarge, SandboxDown."""
        body = self._ask(THUMBNAIL, data, limit=protocol.MAX_THUMBNAIL_BYTES)
        if len(body) < protocol.THUMBNAIL_HEAD.size:
            raise Undecodable()
        width, height = protocol.THUMBNAIL_HEAD.unpack_from(body)
        grey = body[protocol.THUMBNAIL_HEAD.size :]
        if not (0 < width <= protocol.MAX_SIDE and 0 < height <= protocol.MAX_SIDE and len(grey) == width * height):
            raise Undecodable()
        return blurred_png(width, height, grey)

    def layers(self) -> tuple[str, ...]:
        """The layers that hold around a decoder on this machine. Raises SandboxDown when those that must hold do not."""
        with self._borrowed() as decoder:
            return tuple(name for bit, name in layers.NAMES.items() if decoder.held & bit)

    def canary(self, what: str) -> str:
        """Have a decoder try something forbidden (see `canaries`). Returns "done", the name of the error that refused it, the
        name of the signal that killed the decoder, "hung", "lied" or "too_large"."""
        from vigil.matching.sandbox.canaries import ANSWER, DONE

        with self._borrowed() as decoder:
            try:
                status, body = decoder.ask(CANARY, what.encode(), limit=ANSWER.size)
            except _Lost as lost:
                return self._why(decoder, lost)
        if status != OK:
            return {TOO_LARGE: "too_large"}.get(status, "undecodable")
        (number,) = ANSWER.unpack(body)
        return "done" if number == DONE else os.strerror(number)

    def close(self) -> None:
        """End the zygote and with it all decoders. Nothing is decoded afterwards."""
        with self._lock:
            self._is_closed = True
            zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, operation: int, data: bytes, *, limit: int, is_second_try: bool = False) -> bytes:
        try:
            with self._borrowed() as decoder:
                try:
                    status, body = decoder.ask(operation, data, limit=limit)
                except _Lost as lost:
                    lost.why = self._why(decoder, lost)
                    raise
        except _Lost as lost:
            # A decoder that somebody else ended (memory ran out, an operator) says nothing about the picture: once more.
            if lost.why in {"SIGKILL", "ended"} and not is_second_try:
                return self._ask(operation, data, limit=limit, is_second_try=True)
            raise Undecodable() from lost
        if status == TOO_LARGE:
            raise TooLarge()
        if status != OK:
            raise Undecodable()
        return body

    @staticmethod
    def _why(decoder: _Decoder, lost: _Lost) -> str:
        status = decoder.end()
        if lost.why == "ended" and os.WIFSIGNALED(status):
            return signal.Signals(os.WTERMSIG(status)).name
        return lost.why

    @contextlib.contextmanager
    def _borrowed(self) -> Iterator[_Decoder]:
        decoder = self._places.get()
        is_good = False
        try:
            if decoder is None or decoder.zygote is not self._zygote:
                decoder = self._started()
            yield decoder
            is_good = decoder.connection.fileno() >= 0
        finally:
            if decoder is not None and (not is_good or decoder.is_worn):
                if decoder.connection.fileno() >= 0:
                    decoder.end()
                decoder = None  # the place is given back empty: a fresh decoder serves the next picture
            self._places.put(decoder)

    def _started(self) -> _Decoder:
        for attempt in range(2):
            zygote = self._running_zygote()
            try:
                return _Decoder.start(zygote, must_hold=self._must_hold)
            except SandboxDown:
                with self._lock:
                    if self._zygote is zygote:
                        self._zygote = None
                zygote.close()
                if attempt:
                    raise
        raise SandboxDown()

    def _running_zygote(self) -> _Zygote:
        with self._lock:
            if self._is_closed:
                raise SandboxDown("closed")
            if self._zygote is None:
                self._zygote = _Zygote(wanted=self._only, has_canaries=self._canaries)
            return self._zygote


_default: tuple[int, Sandbox] | None = None
_default_lock = threading.Lock()


def default() -> Sandbox:
    """This process's own sandbox, started on first use. A process that forks gets another."""
    global _default
    with _default_lock:
        if _default is None or _default[0] != os.getpid():
            sandbox = Sandbox(workers=2)
            atexit.register(sandbox.close)
            _default = (os.getpid(), sandbox)
        return _default[1]
