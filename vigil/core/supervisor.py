"""`vigil up`: starts every process of one machine, starts again what dies, and ends all of them on a signal. No Django here."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from vigil import settings
from vigil.core import postgres

POLL_SECONDS = 0.25
STOP_SECONDS = 10.0
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process: its command, its environment, and how often it was started."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    start_again_at: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own, its output in `var/log/NAME.log`."""
        settings.LOG_DIR.mkdir(parents=True, exist_ok=True)
        with (settings.LOG_DIR / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command), env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=_die_with_parent,
            )  # fmt: skip
        self.starts += 1

    def end(self, number: int) -> None:
        """Send a signal to the process and everything that it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, number)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def own_command(*arguments: str) -> list[str]:
    """The command line of `vigil ARGUMENTS` in this very environment."""
    return [sys.executable, "-m", "vigil.cli", *arguments]


def standard_children() -> list[Child]:
    """The processes of `vigil up`, in the order of their start."""
    children = [Child("keyd", own_command("keyd"))]
    children += [Child(f"web-{origin}", own_command("web", origin)) for origin in settings.WEB_ORIGINS]
    return [*children, *(Child(name, own_command(name)) for name in ("worker", "crawl", "index", "mailroom"))]


class Supervisor:
    """Keeps children running until `stop` is called or a signal arrives."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)
        self._stopping = False

    def start(self, *, wait_for_keyd: bool = True) -> None:
        """Start all children; the key process first, since the others ask it for their keys."""
        for child in self.children:
            child.start()
            if child.name == "keyd" and wait_for_keyd:
                _wait_for(settings.KEYD_SOCKET.exists, seconds=20, what="the key process")
        self._write_pids()

    def wait_until_serving(self) -> None:
        """Wait until every web origin that was started takes connections."""
        for origin in settings.WEB_ORIGINS:
            if any(child.name == f"web-{origin}" for child in self.children):
                port = settings.PORT_OF_ORIGIN[origin]
                _wait_for(partial(_takes_connections, port), seconds=30, what=f"the web process {origin}")

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Start again what dies (with growing pauses) until a signal arrives or `until` says so."""
        while not self._stopping and not until():
            self.check()
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """One look: the database answers, every child lives; what does not is started again."""
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            if child.start_again_at == 0.0:
                child.end(signal.SIGKILL)  # what a killed parent left behind would keep its port
                child.start_again_at = time.monotonic() + min(0.2 * 2 ** min(child.starts - 1, 6), 10.0)
            if time.monotonic() >= child.start_again_at:
                child.start_again_at = 0.0
                child.start()
                self._write_pids()
        if not postgres.is_external() and not postgres.is_answering():
            with contextlib.suppress(postgres.PostgresProblem):
                postgres.ensure()

    def stop(self) -> None:
        """End all children (terminate, then kill), last started first."""
        self._stopping = True
        for child in reversed(self.children):
            child.end(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self.children):
            if child.process is None:
                continue
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.1, deadline - time.monotonic()))
            child.end(signal.SIGKILL)
            child.process.wait()
        self._pid_file().unlink(missing_ok=True)

    def pid_of(self, name: str) -> int:
        """Process id of a running child."""
        child = next(child for child in self.children if child.name == name)
        assert child.process is not None
        return child.process.pid

    def _pid_file(self) -> Path:
        return settings.RUN_DIR / "up.pids"

    def _write_pids(self) -> None:
        lines = [f"{child.name} {child.process.pid}" for child in self.children if child.process is not None]
        self._pid_file().write_text("\n".join([f"up {os.getpid()}", *lines]) + "\n")


def _takes_connections(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait_for(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"vigil: {what} did not start; see {settings.LOG_DIR}")
        time.sleep(0.05)


def is_running() -> bool:
    """Whether another `vigil up` of this installation runs."""
    try:
        first = (settings.RUN_DIR / "up.pids").read_text().split()[1]
        os.kill(int(first), 0)
    except (OSError, IndexError, ValueError):
        return False
    return int(first) != os.getpid()


def run_up(
    children: Sequence[Child] | None = None, *, when_started: Callable[[Supervisor], None] | None = None
) -> None:
    """Run until a signal arrives, then end everything, the embedded database included."""
    if is_running():
        raise SystemExit("vigil: it is running already; end it first (Ctrl-C in its terminal)")
    supervisor = Supervisor(children or standard_children())

    def on_signal(_number: int, _frame: object) -> None:
        supervisor._stopping = True

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        supervisor.start()
        if when_started is not None:
            when_started(supervisor)
        supervisor.watch()
    finally:
        supervisor.stop()
        postgres.stop()
