"""The worker's door: a release that was asked for is computed by the statistics process, with its own database role."""

from __future__ import annotations

import os
import subprocess
import sys

from vigil.core.events import on
from vigil.core.models import Event
from vigil.oversight.errors import ReleaseFailed

_COMMAND = "import django, sys; django.setup(); from vigil.oversight.cli import run_asked; sys.exit(run_asked())"
TIMEOUT_SECONDS = 120


@on("oversight.release_asked")
def release_what_was_asked(event: Event) -> None:
    """Start the statistics process: the worker's role may not write a release. Tried again by the event when it fails."""
    environment = os.environ | {"VIGIL_PROCESS": "stats", "DJANGO_SETTINGS_MODULE": "vigil.settings"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _COMMAND], env=environment, timeout=TIMEOUT_SECONDS, check=False, capture_output=True
        )
    except subprocess.TimeoutExpired:
        raise ReleaseFailed("timeout") from None
    if done.returncode != 0:
        raise ReleaseFailed(done.returncode)
