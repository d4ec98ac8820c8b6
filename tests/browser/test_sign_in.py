"""A real browser registers a passkey and signs in with it, at the console's real process and database role."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, CDPSession, Page, expect


@dataclass
class Installation:
    """An installation of its own, with a console that answers."""

    root: Path
    environment: dict[str, str]
    address: str

    def run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "vigil.cli", *arguments]
        done = subprocess.run(command, env=self.environment, cwd=self.root, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _free_ports() -> int:
    """A base port whose second port (the console's) is free."""
    for base in range(20_000, 30_000, 20):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", base + 1))
            return base
    raise RuntimeError("no free port")


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the console did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("the console does not answer")


@pytest.fixture(scope="module")
def installation(pytestconfig: pytest.Config) -> Iterator[Installation]:
    var, base = Path(settings.VAR) / "browser-sign-in", _free_ports()
    shutil.rmtree(var, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIGIL_", "DJANGO_"))} | {
        "VIGIL_VAR": str(var),
        "VIGIL_PORT_BASE": str(base),
        "PYTHONPATH": str(pytestconfig.rootpath),
    }
    made = Installation(pytestconfig.rootpath, environment, f"http://console.localhost:{base + 1}")
    made.run("prepare")
    command = [sys.executable, "-m", "vigil.cli", "web", "console"]
    console = subprocess.Popen(command, env=environment, cwd=pytestconfig.rootpath)
    try:
        _wait_for(base + 1, console)
        yield made
    finally:
        console.terminate()
        console.wait(timeout=20)
        made.run("db", "stop")
        shutil.rmtree(var, ignore_errors=True)


@pytest.fixture
def page(browser_process: Browser) -> Iterator[Page]:
    """A page that fails the test on any error in its console: a refused script, a refused style, a 500."""
    context = browser_process.new_context(locale="en-CA")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []
    context.close()


def add_authenticator(page: Page) -> tuple[CDPSession, str]:
    """A virtual authenticator that verifies its person, as a telephone or a laptop does."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []


def invite(installation: Installation, name: str, role: str = "auditor") -> str:
    email = f"{name.lower().replace(' ', '-')}@hotline.example"
    return installation.run("staff", "invite", email, "--name", name, "--role", role).strip()


def test_a_person_registers_a_passkey_and_signs_in_with_it(installation: Installation, page: Page) -> None:
    link = invite(installation, "Demo Passkey Auditor")
    session, authenticator = add_authenticator(page)

    page.goto(link)
    assert_accessible(page)
    page.get_by_role("button", name="Open my account").click()
    assert_accessible(page)
    page.get_by_role("link", name="Create a passkey").click()
    assert_accessible(page)
    page.get_by_label("Name of this passkey").fill("office key")
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    credentials = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert [(each["rpId"], each["isResidentCredential"]) for each in credentials] == [("console.localhost", True)]

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert_accessible(page)
    page.goto(
        f"{installation.address}/sign-in/mine"
    )  # leads to the sign-in page, and after it back to where one was going
    page.get_by_role("button", name="Sign in with your passkey").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("My sign-in")
    expect(page.get_by_role("listitem").filter(has_text="office key")).to_be_visible()
    assert_accessible(page)


def test_a_passkey_confirms_who_one_is(installation: Installation, page: Page) -> None:
    link = invite(installation, "Demo Confirming Auditor")
    add_authenticator(page)
    page.goto(link)
    page.get_by_role("button", name="Open my account").click()
    page.get_by_role("link", name="Create a passkey").click()
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    before = page.context.cookies()

    page.goto(f"{installation.address}/sign-in/confirm?next=/sign-in/mine")
    assert_accessible(page)
    page.get_by_role("button", name="Use your passkey").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("My sign-in")
    key = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}["__Host-s"]
    assert key not in [cookie["value"] for cookie in before], "confirming begins a new session key"


def test_without_its_passkey_a_browser_stays_outside_and_says_why(installation: Installation, page: Page) -> None:
    session, authenticator = add_authenticator(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})

    page.goto(f"{installation.address}/sign-in/mine")
    page.get_by_role("button", name="Sign in with your passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("You can try again.")
    assert "/sign-in/" in page.url
