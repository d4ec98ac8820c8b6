"""Kill -9 in the middle of a demonstration: worker, a web process, PostgreSQL itself, at points that a seed chooses."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from vigil.core import postgres
from vigil.core.supervisor import Supervisor

STRIKES = 5
CHANCE_A_STEP = 0.02  # about one page in fifty


@dataclass
class Trouble:
    """Strikes five times, each victim at least once; `struck` says who was killed at which step."""

    supervisor: Supervisor
    seed: int
    struck: list[tuple[int, str]] = field(default_factory=list)
    _steps: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - a seed, so that a failure can be played again
        self._victims = ["worker", "web-console", "postgres", "web-public", "crawl"]
        self._random.shuffle(self._victims)

    def maybe_strike(self) -> None:
        """Called before each page: now and then somebody dies."""
        self._steps += 1
        if len(self.struck) < STRIKES and self._random.random() < CHANCE_A_STEP:
            victim = self._victims[len(self.struck)]
            self._kill(victim)
            self.struck.append((self._steps, victim))

    def _kill(self, victim: str) -> None:
        kill: dict[str, Callable[[], int | None]] = {"postgres": postgres.server_pid}
        pid = kill.get(victim, lambda: self.supervisor.pid_of(victim))()
        if pid is None:
            return
        if victim == "postgres":
            os.kill(pid, signal.SIGKILL)
        else:
            os.killpg(pid, signal.SIGKILL)
