"""What browser tests share: Chromium, an installation of its own with real processes, accessibility and layout checks."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.hotlines import OPEN

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
ORIGINS = {"public": ("report", 0), "console": ("console", 1), "partner": ("partner", 2), "wire": ("api", 3)}
AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
OPERATOR = {"VIGIL_HOTLINE_DIR": str(OPEN)}


def free_port_base() -> int:
    """A base port whose first four ports are free, below those that the system hands out; drawn, since others draw as well."""
    for base in random.sample(range(20_000, 32_000, 20), 600):
        with contextlib.suppress(OSError), contextlib.ExitStack() as probes:
            for offset in range(4):
                probe = probes.enter_context(socket.socket())
                probe.bind(("127.0.0.1", base + offset))
            return base
    raise RuntimeError("no free ports")


@dataclass
class Installation:
    """One installation in a folder of its own. Processes are started by name and ended by id."""

    root: Path
    var: Path
    base: int
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Run one `vigil` command to its end and return what it printed."""
        command = [sys.executable, "-m", "vigil.cli", *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.root, capture_output=True, text=True, timeout=180, input=stdin
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, statement: str) -> str:
        """Run one statement as the tables' owner."""
        lines = [
            "\\set QUIET 1",
            "\\pset tuples_only on",
            "\\pset format unaligned",
            "SET ROLE vigil_owner;",
            f"{statement};",
        ]
        return self.run("db", "psql", "--role", "vigil_migrate", stdin="\n".join(lines) + "\n").strip()

    def start(self, *arguments: str) -> None:
        """Start one process: `start("keyd")`, `start("web", "public")`. Web origins are waited for."""
        command = [sys.executable, "-m", "vigil.cli", *arguments]
        log = self.var / f"{'-'.join(arguments)}.out"
        with log.open("ab") as out:
            process = subprocess.Popen(command, env=self.environment, cwd=self.root, stdout=out, stderr=out)
        self.processes["-".join(arguments)] = process
        if arguments[0] in {"web", "up"}:
            awaited = [arguments[1]] if arguments[0] == "web" else list(ORIGINS)
            for origin in awaited:
                self._wait(functools.partial(self._answers, self.base + ORIGINS[origin][1]), process, log)
        if arguments[0] == "keyd":
            self._wait(lambda: (self.var / "keyd-public" / "sealing.json").exists(), process, log)

    def pid_of(self, name: str) -> int:
        """Process id of one child of `vigil up`."""
        asked = [sys.executable, "-c", "from vigil import settings; print(settings.RUN_DIR)"]
        run_dir = subprocess.check_output(asked, env=self.environment, cwd=self.root, text=True).strip()
        lines = (Path(run_dir) / "up.pids").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[0] == name)

    def stop(self) -> None:
        """End what was started here, then the database."""
        for process in reversed(list(self.processes.values())):
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=20)
        with contextlib.suppress(AssertionError):
            self.run("db", "stop")

    def url(self, origin: str, path: str = "/") -> str:
        """Address of a page."""
        name, offset = ORIGINS[origin]
        return f"http://{name}.localhost:{self.base + offset}{path}"

    @staticmethod
    def _answers(port: int) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    @staticmethod
    def _wait(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + 60
        while not is_ready():
            assert process.poll() is None, f"did not start: {log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, "did not answer in time"
            time.sleep(0.1)


@contextlib.contextmanager
def new_installation(root: Path, name: str, **variables: str) -> Iterator[Installation]:
    """An empty installation with its database brought up to date; ended and deleted afterwards."""
    var, base = Path(settings.VAR) / f"browser-{name}", free_port_base()
    shutil.rmtree(var, ignore_errors=True)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("VIGIL_", "DJANGO_"))}
    made = Installation(
        root,
        var,
        base,
        {
            **inherited,
            "VIGIL_VAR": str(var),
            "VIGIL_PORT_BASE": str(base),
            "PYTHONPATH": str(root),
            **OPERATOR,
            **variables,
        },
    )
    try:
        made.run("prepare")
        yield made
    finally:
        made.stop()
        shutil.rmtree(var, ignore_errors=True)


@pytest.fixture(scope="session")
def browser_process() -> Iterator[Browser]:
    """One Chromium for all tests."""
    expect.set_options(timeout=20_000)  # two cores may be busy with other things
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def public_site(pytestconfig: pytest.Config) -> Iterator[Installation]:
    """The public origin as its real process: granian, role vigil_public, sealed to a real key process."""
    with new_installation(pytestconfig.rootpath, "public") as installation:
        installation.start("keyd")
        installation.start("web", "public")
        yield installation


@pytest.fixture
def new_page(browser_process: Browser) -> Iterator[Callable[..., Page]]:
    """`new_page(width=320, scripts=False, scheme="dark")`: a page in a fresh profile; an error in its console fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(*, width: int = 1280, height: int = 900, scripts: bool = True, **options: object) -> Page:
        options.setdefault("locale", "en-CA")
        context = browser_process.new_context(
            viewport={"width": width, "height": height}, java_script_enabled=scripts, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: object) -> bool:
    # Chromium writes every answer of 400 and above to the console as an error; those are asserted on their own.
    return message.type == "error" and "the server responded with a status of" not in message.text


def assert_accessible(page: Page) -> None:
    """axe finds nothing against WCAG 2.2 A and AA, nor against its best practices."""
    result = Axe().run(page, options=AXE_OPTIONS)
    found = [(v["id"], [node["target"] for node in v["nodes"]]) for v in result.response["violations"]]
    assert found == [], found


def assert_reflows(page: Page) -> None:
    """Nothing is wider than the window, so nobody scrolls in two directions."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def take_screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page when a folder for them is named."""
    folder = os.environ.get("VIGIL_SCREENSHOTS", "")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
