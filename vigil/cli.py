"""The `vigil` command. Each process of an installation is one of its subcommands; every one finds or starts the database."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

Command = Callable[[argparse.Namespace], int]


def _settings(process: str) -> ModuleType:
    """The settings of one process: the database found or started, secrets made, roles there."""
    os.environ["VIGIL_PROCESS"] = process
    os.environ["DJANGO_SETTINGS_MODULE"] = "vigil.settings"
    from vigil import settings

    importlib.reload(settings)
    from vigil.core import postgres

    postgres.ensure()
    return importlib.reload(settings)  # the very first start has just made the secrets


def _django(process: str) -> None:
    _settings(process)
    import django

    django.setup()


def _stop_event() -> threading.Event:
    """An event that a termination signal or Ctrl-C sets."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


# ---- database ---------------------------------------------------------------------------------------------------------------
def db_status(_: argparse.Namespace) -> int:
    """Say which database is used and whether it answers."""
    settings = _settings("migrate")
    from vigil.core import postgres

    if postgres.is_external():
        print(f"external server: {settings.DATABASE_URL}")
        return 0
    print(f"embedded server: process {postgres.server_pid()}, data in {settings.POSTGRES_DIR}, answering")
    return 0


def db_stop(_: argparse.Namespace) -> int:
    """Stop the embedded server."""
    os.environ["VIGIL_PROCESS"] = "migrate"
    from vigil.core import postgres

    print("stopped" if postgres.stop() else "was not running")
    return 0


def db_roles(_: argparse.Namespace) -> int:
    """Make the roles and the database on the server of DATABASE_URL, with the passwords of the secret files."""
    settings = _settings("migrate")
    from vigil.core import postgres

    if postgres.is_external():
        postgres.prepare_external()
    print(f"roles and database {settings.DATABASES['default']['NAME']} are there")
    return 0


def db_psql(arguments: argparse.Namespace) -> int:
    """Open psql as one role (by default the one that may only migrate)."""
    _settings("migrate")
    from vigil.core import postgres

    command, environment = postgres.psql_command(arguments.role)
    os.execvpe(command[0], [*command, *arguments.rest], environment)  # noqa: S606


def prepare(_: argparse.Namespace) -> int:
    """Bring the database up to date and collect the static files: safe to repeat, quick when there is nothing to do."""
    _django("migrate")
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)
    return 0


# ---- processes -----------------------------------------------------------------------------------------------------------------
def web(arguments: argparse.Namespace) -> int:
    """Serve one origin with granian, on loopback."""
    settings = _settings(arguments.origin)
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(settings.PORT_OF_ORIGIN[arguments.origin]), "--workers", "1", "--blocking-threads", "4",
        "--no-ws", "--http", "1", "--workers-kill-timeout", "5", "--log-level", "warning", "--no-access-log",
        "--respawn-failed-workers", "vigil.web.wsgi:application",
    ]  # fmt: skip
    os.execv(command[0], command)  # noqa: S606


def worker(_: argparse.Namespace) -> int:
    """Run jobs and ticks."""
    _django("worker")
    from vigil.core.jobs import run_worker

    run_worker()
    return 0


def crawl(_: argparse.Namespace) -> int:
    """Run the fetchers."""
    _django("crawl")
    from vigil.crawl.process import run_crawler

    run_crawler(_stop_event())
    return 0


def watch(arguments: argparse.Namespace) -> int:
    """Give the crawler an operator's own list of places to watch: a file with one address a line."""
    _django("crawl")
    from pathlib import Path

    from vigil.core import clock, keyd
    from vigil.core.actors import process_actor
    from vigil.crawl.services import add_watch_seeds

    urls = [line.strip() for line in Path(arguments.file).read_text().splitlines() if line.strip()]
    added = add_watch_seeds(actor=process_actor("crawl"), key=keyd.crawl_key(), urls=urls, at=clock.now())
    print(f"{added} new places to watch")
    return 0


def mailroom(_: argparse.Namespace) -> int:
    """Run the partners' mailbox."""
    _django("mailroom")
    from vigil.intake.mailroom import run_mailroom

    run_mailroom(_stop_event())
    return 0


def index(_: argparse.Namespace) -> int:
    """Build index snapshots of the published list."""
    _django("index")
    from vigil.matching.cli import run_index

    run_index(_stop_event())
    return 0


def keyd(_: argparse.Namespace) -> int:
    """Run the key process."""
    _settings("keyd")
    from vigil.core import keyd_server

    keyd_server.serve(_stop_event())
    return 0


def up(_: argparse.Namespace) -> int:
    """Run everything on this machine."""
    prepare(_)
    from vigil.core import supervisor

    supervisor.run_up()
    return 0


# ---- commands of people ----------------------------------------------------------------------------------------------
def audit_verify(_: argparse.Namespace) -> int:
    """Verify the audit chains; exit 1 and the first bad row of each chain when something is wrong."""
    settings = _settings("auditor")
    import psycopg

    from vigil.audit.verify import verify

    database = settings.DATABASES["default"]
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
    ) as connection:
        # One snapshot for chains and rows: others go on writing meanwhile.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        verdict = verify(connection, settings.AUDIT_HEADS_DIR)
    for bad in verdict.bad:
        print(f"BAD chain {bad.chain} row {bad.n}: {bad.problem}")
    whole = "whole" if verdict.is_whole else "NOT whole"
    print(f"{verdict.rows} rows in {verdict.chains} chains, {verdict.heads_checked} signed heads: {whole}")
    return 0 if verdict.is_whole else 1


def trace(arguments: argparse.Namespace) -> int:
    """Print the chain around a number."""
    # Without a name the chain is shown as the system's own jobs see it; with one, as that person's pages would show it.
    _django("trace" if arguments.as_email else "worker")
    from vigil.oversight.cli import run_trace

    return int(run_trace(arguments.number, as_email=arguments.as_email))


def statistics(arguments: argparse.Namespace) -> int:
    """Release figures, or recount them from the raw tables."""
    _django("stats")
    from vigil.oversight import cli as oversight

    return int(oversight.run_release() if arguments.what == "release" else oversight.run_recount())


def staff_invite(arguments: argparse.Namespace) -> int:
    """Invite a member of staff or an agency's officer: prints a one-use link of 24 hours."""
    _django("migrate")
    from vigil.accounts.cli import run_invite

    return int(
        run_invite(
            arguments.email, roles=arguments.role, name=arguments.name, clearance=arguments.clearance,
            language=arguments.language, agency=arguments.agency,
        )
    )  # fmt: skip


def staff_disable(arguments: argparse.Namespace) -> int:
    """Close an account: its sessions, invitations and keys end at once."""
    _django("migrate")
    from vigil.accounts.cli import run_disable

    return int(run_disable(arguments.email))


def partners(arguments: argparse.Namespace) -> int:
    """Partner organisations that hand in reports, and their keys."""
    _django("migrate")
    from vigil.accounts import cli as accounts

    match arguments.what:
        case "add":
            return accounts.run_partner_add(
                arguments.code, name_en=arguments.name_en, name_fr=arguments.name_fr, kind=arguments.kind,
                email=arguments.email, language=arguments.language,
            )  # fmt: skip
        case "key":
            return accounts.run_partner_key(arguments.code, name=arguments.name, scopes=arguments.scope)
        case "revoke":
            return accounts.run_partner_revoke(arguments.prefix)
        case "end":
            return accounts.run_partner_end(arguments.code)
        case _:
            return accounts.run_partner_list()


def hotline_check(arguments: argparse.Namespace) -> int:
    """Check a folder of the operator's own facts (by default this installation's); 1 when it cannot be used."""
    from pathlib import Path

    from vigil.core.hotline import DEFAULT_DIR
    from vigil.core.hotline_check import check

    # No settings here: they refuse to load with the very file that is to be checked.
    folder = Path(arguments.folder or os.environ.get("VIGIL_HOTLINE_DIR") or DEFAULT_DIR)
    problems, notes = check(folder.absolute())
    for line in [*problems, *notes]:
        print(line)
    print(f"{len(problems)} problems: it cannot be used" if problems else "this hotline can be used")
    return 1 if problems else 0


def questions_check(arguments: argparse.Namespace) -> int:
    """Check one question set, or all of this installation; 1 when one cannot be used."""
    from vigil.intake.cli import check_questions

    return check_questions(_hotline_folder(), Path(arguments.file).absolute() if arguments.file else None)


def questions_list(_: argparse.Namespace) -> int:
    """List the question sets; the one that the form asks is marked."""
    from vigil.intake.cli import list_questions

    return list_questions(_hotline_folder())


def _hotline_folder() -> Path:
    # No settings here: they refuse to load with the very file that is to be checked.
    from vigil.core.hotline import DEFAULT_DIR

    return Path(os.environ.get("VIGIL_HOTLINE_DIR") or DEFAULT_DIR).absolute()


def demo(arguments: argparse.Namespace) -> int:
    """Play the whole chain on loopback."""
    try:
        from vigil_demo.run import run_demo
    except ModuleNotFoundError:
        print(
            "vigil: this installation has no demonstration (it is part of the source, never of a wheel)",
            file=sys.stderr,
        )
        return 2
    return int(
        run_demo(once=arguments.once, as_json=arguments.json, fresh=arguments.fresh, kill_seed=arguments.kill_seed)
    )


def manage(arguments: argparse.Namespace) -> int:
    """Run one of Django's own management commands, as the migrating role."""
    _settings(os.environ.get("VIGIL_MANAGE_PROCESS", "migrate"))
    from django.core.management import execute_from_command_line

    execute_from_command_line(["vigil manage", *arguments.rest])
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    root = argparse.ArgumentParser(prog="vigil", description="The open system that a child-protection hotline runs on.")
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, function: Command, to: argparse._SubParsersAction[argparse.ArgumentParser] = commands
    ) -> argparse.ArgumentParser:
        sub = to.add_parser(name, help=(function.__doc__ or "").splitlines()[0])
        sub.set_defaults(function=function)
        return sub

    db = commands.add_parser("db", help="The database.").add_subparsers(required=True, metavar="WHAT")
    add("status", db_status, db)
    add("stop", db_stop, db)
    add("roles", db_roles, db)
    psql = add("psql", db_psql, db)
    psql.add_argument("--role", default="vigil_migrate")
    psql.add_argument("rest", nargs=argparse.REMAINDER)
    add("prepare", prepare)
    add("web", web).add_argument("origin", choices=["public", "console", "partner", "wire"])
    for name, function in (
        ("worker", worker),
        ("crawl", crawl),
        ("mailroom", mailroom),
        ("index", index),
        ("keyd", keyd),
        ("up", up),
    ):
        add(name, function)
    add("watch", watch).add_argument("file", metavar="FILE")
    audit = commands.add_parser("audit", help="The audit log.").add_subparsers(required=True, metavar="WHAT")
    add("verify", audit_verify, audit)
    tracing = add("trace", trace)
    tracing.add_argument("number")
    tracing.add_argument("--as", dest="as_email", default=None, metavar="EMAIL", help="whose permissions to use")
    add("statistics", statistics).add_argument("what", choices=["release", "recount"])
    people = commands.add_parser("staff", help="Members of staff.").add_subparsers(required=True, metavar="WHAT")
    invite = add("invite", staff_invite, people)
    invite.add_argument("email")
    invite.add_argument("--name", required=True)
    invite.add_argument("--role", action="append", required=True)
    invite.add_argument("--clearance", type=int, default=1, choices=[1, 2, 3])
    invite.add_argument("--language", default="en", choices=["en", "fr"])
    invite.add_argument("--agency", default="", help="an agency's English name, for police officers")
    add("disable", staff_disable, people).add_argument("email")
    _add_partners(commands)
    facts = commands.add_parser("hotline", help="The operator's own facts.").add_subparsers(
        required=True, metavar="WHAT"
    )
    checking = add("check", hotline_check, facts)
    checking.add_argument("folder", nargs="?", default="", metavar="FOLDER")
    asking = commands.add_parser("questions", help="What the form asks.").add_subparsers(required=True, metavar="WHAT")
    add("check", questions_check, asking).add_argument("file", nargs="?", default="", metavar="FILE")
    add("list", questions_list, asking)
    playing = add("demo", demo)
    playing.add_argument("--once", action="store_true", help="play on fresh data, leave nothing running")
    playing.add_argument("--json", action="store_true", help="one JSON object as the last line")
    playing.add_argument("--fresh", action="store_true", help="start over with empty data")
    playing.add_argument("--kill-seed", type=int, default=None, help="kill -9 five processes on the way (tests)")
    add("manage", manage).add_argument("rest", nargs=argparse.REMAINDER)
    return root


def _add_partners(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    what = commands.add_parser("partners", help=(partners.__doc__ or "").splitlines()[0]).add_subparsers(
        required=True, metavar="WHAT", dest="what"
    )

    def add(name: str, words: str) -> argparse.ArgumentParser:
        sub = what.add_parser(name, help=words)
        sub.set_defaults(function=partners)
        return sub

    new = add("add", "Make a partner organisation.")
    new.add_argument("code", help="a short name, for example maplehotline: it is the user name of its mails")
    new.add_argument("--name-en", required=True)
    new.add_argument("--name-fr", default="")
    new.add_argument("--kind", default="hotline", help="hotline, helpline, police or other")
    new.add_argument("--email", default="", help="where answers to its mails go")
    new.add_argument("--language", default="both", help="of answers to its mails: en, fr or both")
    key = add("key", "Make a key and print it once.")
    key.add_argument("code")
    key.add_argument("--name", required=True, help="what it is for, for example: mail server")
    key.add_argument("--scope", nargs="*", default=["report.write"], metavar="SCOPE")
    add("revoke", "End one key: it is refused from the next call on.").add_argument("prefix")
    add("end", "End a partner and all of its keys.").add_argument("code")
    add("list", "List partners and their keys.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the `vigil` command; the exit code."""
    parsed = parser().parse_args(arguments)
    return int(parsed.function(parsed))


if __name__ == "__main__":
    sys.exit(main())
