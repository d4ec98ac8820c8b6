"""The embedded database: found or started by every command, as root and as an ordinary user, after kill -9 too."""

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import clean_environment, open_to_the_database_user
from vigil_demo.run import _free_port_base

USER = "vigil-ordinary"


def vigil(var, *arguments, **run):
    environment = clean_environment()
    return subprocess.run(
        [sys.executable, "-m", "vigil.cli", *arguments],
        env=environment | {"VIGIL_VAR": str(var), "HOME": str(var)}, capture_output=True, text=True, timeout=120,
        check=False, **run,
    )  # fmt: skip


def _current_user(var, role="vigil_console", **run):
    return vigil(var, "db", "psql", "--role", role, input="SELECT current_user;\n", **run)


@pytest.fixture
def var(tmp_path_factory):
    var = open_to_the_database_user(tmp_path_factory.mktemp("database"))
    yield var
    vigil(var, "db", "stop")


def test_a_command_starts_the_server_and_a_second_one_finds_it(var):
    first, second = vigil(var, "db", "status"), vigil(var, "db", "status")
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout == second.stdout and "answering" in first.stdout
    assert "vigil_console" in _current_user(var).stdout
    assert vigil(var, "db", "stop").stdout == "stopped\n"
    assert vigil(var, "db", "stop").stdout == "was not running\n"


def test_data_survives_kill_9_of_the_server(var):
    vigil(var, "db", "status")
    vigil(var, "db", "psql", input="SET ROLE vigil_owner; CREATE TABLE kept (n int); INSERT INTO kept VALUES (41);\n")
    pid = int((var / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    answer = vigil(var, "db", "psql", input="SET ROLE vigil_owner; SELECT n + 1 FROM kept;\n")
    assert "42" in answer.stdout, answer.stderr


def test_the_server_takes_no_network_connection_and_its_folder_is_closed(var):
    vigil(var, "db", "status")
    settings = (var / "postgres" / "data" / "postgresql.conf").read_text()
    assert "listen_addresses = ''" in settings
    assert (var / "postgres").stat().st_mode & 0o077 == 0
    assert (var / "secrets").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (var / "secrets").iterdir())


def test_an_address_with_a_password_in_it_is_refused_and_the_variable_named(var):
    environment = {
        **os.environ,
        "DATABASE_URL": "postgresql://user:planted-7f3a@127.0.0.1/vigil",
        "VIGIL_VAR": str(var),
    }
    result = subprocess.run(
        [sys.executable, "-m", "vigil.cli", "db", "status"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0 and "DATABASE_URL" in result.stderr and "planted-7f3a" not in result.stderr


@pytest.mark.skipif(
    os.geteuid() != 0, reason="the suite runs as an ordinary user already, so every other test shows it"
)
def test_it_starts_as_an_ordinary_user_too(tmp_path_factory):
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", USER], check=True)
        user = pwd.getpwnam(USER)
    if not _can_run_python(user):
        pytest.skip("this Python stands where an ordinary user cannot reach it (stack of a root-only machine)")
    var = Path(f"/tmp/vigil-ordinary-{os.getpid()}")
    var.mkdir(mode=0o700)
    os.chown(var, user.pw_uid, user.pw_gid)
    as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
    try:
        assert "vigil_public" in _current_user(var, "vigil_public", **as_user).stdout
    finally:
        vigil(var, "db", "stop", **as_user)
        subprocess.run(["rm", "-rf", str(var)], check=False)


def _can_run_python(user):
    try:
        result = subprocess.run(
            [sys.executable, "-c", "import vigil.settings"], user=user.pw_uid, group=user.pw_gid, extra_groups=[],
            cwd="/", capture_output=True, check=False,
        )  # fmt: skip
    except PermissionError:
        return False
    return result.returncode == 0


def test_another_server_is_used_by_its_address_with_passwords_from_files(var, tmp_path):
    """A second server of ours plays the operator's: it listens on loopback and knows nothing of Vigil but its superuser."""
    vigil(var, "db", "status")
    configuration = var / "postgres" / "data" / "postgresql.conf"
    port = _free_port_base()
    configuration.write_text(configuration.read_text() + f"listen_addresses = '127.0.0.1'\nport = {port}\n")
    vigil(var, "db", "stop")
    data, user = var / "postgres" / "data", configuration.stat().st_uid
    binaries = vigil_bin()
    subprocess.run([binaries / "pg_ctl", "-D", data, "-w", "-s", "-l", var / "postgres" / "own.log", "start"],
                   user=user, group=configuration.stat().st_gid, extra_groups=[], cwd="/", check=True)  # fmt: skip
    try:
        secrets = tmp_path / "secrets"
        secrets.mkdir()
        (secrets / "postgres.password").write_text((var / "secrets" / "postgres.password").read_text())
        elsewhere = {
            "DATABASE_URL": f"postgresql://127.0.0.1:{port}/hotline", "VIGIL_DATABASE_SSLMODE": "disable",
            "VIGIL_SECRETS_DIR": str(secrets), "VIGIL_VAR": str(tmp_path),
        }  # fmt: skip
        for arguments in (["db", "roles"], ["prepare"], ["db", "status"]):
            result = _run_elsewhere(elsewhere, *arguments)
            assert result.returncode == 0, result.stderr
        assert "127.0.0.1" in result.stdout
        import psycopg

        password = (secrets / "vigil_public.password").read_text().strip()
        with psycopg.connect(
            host="127.0.0.1", port=port, dbname="hotline", user="vigil_public", password=password
        ) as public:
            assert public.execute("SELECT current_user").fetchone() == ("vigil_public",)
            assert public.execute("SELECT has_table_privilege('intake_report', 'SELECT')").fetchone() == (False,)
        assert not (tmp_path / "postgres").exists()
    finally:
        subprocess.run([binaries / "pg_ctl", "-D", data, "-m", "fast", "-w", "-s", "stop"],
                       user=user, group=configuration.stat().st_gid, extra_groups=[], cwd="/", check=True)  # fmt: skip


def vigil_bin():
    from vigil.core import postgres

    return postgres.bin_dir()


def _run_elsewhere(environment, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "vigil.cli", *arguments],
        env=clean_environment() | environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
