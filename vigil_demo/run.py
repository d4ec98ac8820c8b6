"""`vigil demo`: everything on loopback, the chain played in front of the user, then the site left running to try."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vigil.core.supervisor import Supervisor
    from vigil_demo.mail import MailServer
    from vigil_demo.rdap import RdapServer
    from vigil_demo.world import World

WORLD_PORT, CONTROL_PORT, MAIL_PORT, RDAP_PORT = 10, 11, 12, 13  # after the port base
PORTS_NEEDED = 14
SEED = 2026
ABUSE_MAILBOX = "abuse@demo-provider.example"
LIMIT_SECONDS = 600

ENVIRONMENT = {
    "VIGIL_DEMO": "1",
    "VIGIL_HOTLINE_DIR": str(Path(__file__).resolve().parent / "hotline"),
    "VIGIL_CRAWL_ALLOW_PRIVATE": "1",
    "VIGIL_CRAWL_MIN_DELAY_SECONDS": "0.01",
    "VIGIL_CRAWL_LEASE_SECONDS": "5",
    "VIGIL_TICK_SECONDS": "0.3",
    "VIGIL_STALLED_JOB_SECONDS": "6",
    "VIGIL_AUDIT_HEAD_SECONDS": "2",
}


@dataclass
class Servers:
    """The loopback world around the hotline: its web, its provider's mailbox, its address registry."""

    world: World
    mail: MailServer
    rdap: RdapServer


def _free_port_base() -> int:
    """A run of free ports on loopback."""
    for base in range(18_000, 60_000, 20):
        with contextlib.ExitStack() as stack:
            try:
                for offset in range(PORTS_NEEDED):
                    listener = stack.enter_context(socket.socket())
                    listener.bind(("127.0.0.1", base + offset))
            except OSError:
                continue
            return base
    raise SystemExit("vigil demo: no free ports on loopback")


def _prepare_environment(var: Path, port_base: int) -> ModuleType:
    """Set the demonstration's environment and read the settings anew. Refuses an operator's own database."""
    if os.environ.get("DATABASE_URL"):
        raise SystemExit("vigil demo: refused, DATABASE_URL names a real database; a demonstration makes its own")
    os.environ.update(ENVIRONMENT)
    os.environ.update(
        {
            "VIGIL_VAR": str(var),
            "VIGIL_PORT_BASE": str(port_base),
            "VIGIL_SMTP_HOST": "127.0.0.1",
            "VIGIL_SMTP_PORT": str(port_base + MAIL_PORT),
            "VIGIL_RDAP_BASE_URL": f"http://127.0.0.1:{port_base + RDAP_PORT}",
            "VIGIL_PROCESS": "migrate",
            "DJANGO_SETTINGS_MODULE": "vigil.settings",
        }
    )
    os.environ.pop("VIGIL_RUN_DIR", None)
    from vigil import settings

    importlib.reload(settings)
    from vigil.core import postgres

    postgres.ensure()
    return importlib.reload(settings)  # the very first start has just made the secrets


def _prepare_database() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from vigil.core import clock
    from vigil_demo.staff import make_people

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    make_people(clock.now())


@contextlib.contextmanager
def _servers(port_base: int, var: Path) -> Iterator[Servers]:
    from vigil_demo.mail import MailServer
    from vigil_demo.rdap import Organisation, RdapServer, Registry
    from vigil_demo.world import World

    provider = Organisation("DEMO-1", "Demo Provider", ABUSE_MAILBOX)
    registry = Registry(domains={"localhost": provider}, networks={"127.0.0.0/8": provider})
    with (
        World(
            SEED, listed=12, port=port_base + WORLD_PORT, control_port=port_base + CONTROL_PORT, cache=var / "pictures"
        ) as world,
        MailServer(port=port_base + MAIL_PORT, folder=var / "mail") as mail,
        RdapServer(registry, port=port_base + RDAP_PORT) as rdap,
    ):
        yield Servers(world, mail, rdap)


@contextlib.contextmanager
def _running(supervisor: Supervisor) -> Iterator[None]:
    """All processes, watched from a thread, ended at the end together with the database."""
    from vigil.core import postgres

    ended = threading.Event()
    supervisor.start()
    watcher = threading.Thread(target=supervisor.watch, args=(ended.is_set,), daemon=True)
    watcher.start()
    try:
        supervisor.wait_until_serving()
        yield
    finally:
        ended.set()
        watcher.join(timeout=15)
        supervisor.stop()
        postgres.stop()


def _var_for(once: bool, fresh: bool) -> Path:
    if once:
        folder = Path(tempfile.mkdtemp(prefix="vigil-demo-"))
        folder.chmod(0o711)  # the database's own user must get through
        return folder
    from vigil import settings

    folder = settings.VAR / "demo"
    if fresh:
        _forget(folder)
    return folder


def _forget(folder: Path) -> None:
    """Stop what still runs on this data and remove it."""
    os.environ["VIGIL_VAR"] = str(folder)
    from vigil import settings
    from vigil.core import postgres, supervisor

    importlib.reload(settings)
    if supervisor.is_running():
        raise SystemExit("vigil demo: it is running in another terminal; end it there first (Ctrl-C)")
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)


def run_demo(*, once: bool, as_json: bool, fresh: bool, kill_seed: int | None = None) -> int:
    """Play the demonstration. `once`: on fresh data, ends by itself and leaves nothing; the exit code says whether all held.

    `kill_seed`: five processes are killed with -9 on the way, at points that the seed chooses.
    """
    started = time.monotonic()
    var = _var_for(once, fresh)
    port_base = _free_port_base() if once else int(os.environ.get("VIGIL_PORT_BASE", "8000"))
    var.mkdir(parents=True, exist_ok=True)
    _turn_signals_into_interrupts()
    try:
        _prepare_environment(var, port_base)
        from vigil.core import supervisor

        if supervisor.is_running():
            raise SystemExit("vigil demo: it is running already in another terminal")
        _prepare_database()
        with (
            _servers(port_base, var) as servers,
            _running(runner := supervisor.Supervisor(supervisor.standard_children())),
        ):
            return _play(servers, runner, var, once=once, as_json=as_json, started=started, kill_seed=kill_seed)
    except KeyboardInterrupt:
        sys.stderr.write("\nvigil demo: ended\n")
        return 130
    finally:
        if once:
            _remove(var)


def _play(
    servers: Servers,
    supervisor: Supervisor,
    var: Path,
    *,
    once: bool,
    as_json: bool,
    started: float,
    kill_seed: int | None,
) -> int:
    from vigil_demo.play import Player, Stage
    from vigil_demo.progress import Progress
    from vigil_demo.trouble import Trouble

    played = var / "played.json"
    if not once and played.exists():
        for url in json.loads(played.read_text())["taken_down"]:
            servers.world.take_down(url)  # what was removed stays removed over a new start
        _leave_running()
        return 0
    stage = Stage(world=servers.world, mail=servers.mail, abuse_mailbox=ABUSE_MAILBOX)
    with Progress(quiet=as_json) as progress:
        trouble = None if kill_seed is None else Trouble(supervisor, kill_seed)
        player = Player(stage, progress, trouble=trouble)
        steps = player.play(deadline=started + (LIMIT_SECONDS if trouble is None else 2 * LIMIT_SECONDS))
    result: dict[str, object] = {"steps": steps, "seconds": round(time.monotonic() - started, 1)}
    if trouble is not None:
        result |= {"killed": trouble.struck, "counts": player.counts()}
    is_whole = all(step["ok"] for step in steps.values())
    if as_json:
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
    if once:
        return 0 if is_whole else 1
    if is_whole:
        player.leave_something_to_try()
        played.write_text(json.dumps({"taken_down": player.taken_down}))
    _leave_running()
    return 0 if is_whole else 1


def _leave_running() -> None:
    """Print where to look and how to sign in; wait for Ctrl-C."""
    from vigil_demo.progress import print_what_to_try

    print_what_to_try()
    while True:
        time.sleep(3600)


def _turn_signals_into_interrupts() -> None:
    def interrupt(_number: int, _frame: object) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):  # a second Ctrl-C must not break into the ending
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):  # a shell without job control starts us with Ctrl-C switched off
        signal.signal(number, interrupt)


def _remove(var: Path) -> None:
    from vigil import settings

    shutil.rmtree(var, ignore_errors=True)
    shutil.rmtree(settings.RUN_DIR, ignore_errors=True)
