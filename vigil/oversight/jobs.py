"""The worker's door: a release that was asked for is computed by the statistics process, with its own database role."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta

from vigil.core.events import every_tick
from vigil.core.logs import log
from vigil.oversight import selectors

_COMMAND = "import django, sys; django.setup(); from vigil.oversight.cli import run_asked; sys.exit(run_asked())"
RETRY_AFTER = timedelta(seconds=10)


class StatisticsProcess:
    """At most one child at a time. It is not waited for: a release begins when older transactions have ended, ours too."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.not_before: datetime | None = None

    def tend(self, now: datetime) -> None:
        """Start the statistics process when somebody waits for a release and none is running; try again after a failure."""
        if self.child is not None:
            code = self.child.poll()
            if code is None:
                return
            self.child = None
            if code != 0:
                log.warning("release_not_made", error=str(code))
                self.not_before = now + RETRY_AFTER
        if (self.not_before is None or now >= self.not_before) and selectors.waiting_requests():
            self.child = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Our own interpreter with a constant program, as the process whose role may write a release."""
        environment = os.environ | {"VIGIL_PROCESS": "stats", "DJANGO_SETTINGS_MODULE": "vigil.settings"}
        return subprocess.Popen([sys.executable, "-c", _COMMAND], env=environment, stdout=subprocess.DEVNULL)


statistics = StatisticsProcess()


@every_tick
def release_what_was_asked(now: datetime) -> None:
    """Look whether somebody waits for a release."""
    statistics.tend(now)
