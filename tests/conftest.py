"""One played demonstration for all tests across rooms: started once, the chain played, left running, ended at the end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from vigil_demo.run import _free_port_base

_LINK = re.compile(r"^\s*(Demo [A-Za-z ]+?)\s+(http://\S+/demo/sign-in/\S+)")


@dataclass
class Played:
    """A running demonstration whose chain is played. `links`: one-use sign-in link of each person, by name."""

    var: Path
    port_base: int
    steps: dict[str, dict[str, Any]]
    seconds: float
    links: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `vigil` command on this installation, as a person at a terminal."""
        from vigil_demo.run import ENVIRONMENT

        environment = clean_environment() | ENVIRONMENT | self._own()
        return subprocess.run(
            [sys.executable, "-m", "vigil.cli", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def _own(self) -> dict[str, str]:
        return {"VIGIL_VAR": str(self.var), "VIGIL_PORT_BASE": str(self.port_base)}


def clean_environment() -> dict[str, str]:
    """This process's environment without what the test process set for itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("VIGIL_", "DJANGO_", "PYTEST_"))}


def open_to_the_database_user(folder: Path) -> Path:
    """Let the unprivileged user of the embedded server pass through pytest's closed folders."""
    for path in (folder, *list(folder.parents)[:3]):
        path.chmod(path.stat().st_mode | 0o011)
    return folder


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """`vigil demo` as a user starts it: played through, still running."""
    root, base = open_to_the_database_user(tmp_path_factory.mktemp("played")), _free_port_base()
    environment = clean_environment() | {"VIGIL_VAR": str(root), "VIGIL_PORT_BASE": str(base), "COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-m", "vigil.cli", "demo", "--json"], env=environment, stdout=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(600, process.kill)
    watchdog.start()
    assert process.stdout is not None
    result: Played | None = None
    for line in process.stdout:
        if line.startswith("{"):
            outcome = json.loads(line)
            result = Played(root / "demo", base, outcome["steps"], outcome["seconds"])
        elif result is not None and (match := _LINK.match(line)):
            result.links[match.group(1)] = match.group(2)
        elif line.startswith("Mails that providers received"):
            break
    watchdog.cancel()
    assert result is not None, "the demonstration ended before it had played"
    yield result
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
