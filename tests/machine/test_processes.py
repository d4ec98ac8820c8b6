"""The processes of one machine: each under its own database role, each origin with its own cookies and headers."""

import contextlib
import os
import smtplib
import subprocess
import sys
import time

import httpx
import psycopg
import pytest

from tests.conftest import clean_environment, open_to_the_database_user
from vigil_demo.run import _free_port_base

PROCESSES = {
    "vigil-public": "vigil_public", "vigil-console": "vigil_console", "vigil-partner": "vigil_partner",
    "vigil-wire": "vigil_wire", "vigil-worker": "vigil_worker", "vigil-crawl": "vigil_crawl", "vigil-index": "vigil_index",
    "vigil-keyd": "vigil_keyd", "vigil-mailroom": "vigil_wire",
}  # fmt: skip


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """`vigil up` on a folder of its own; yields (folder, port base)."""
    var = open_to_the_database_user(tmp_path_factory.mktemp("installation"))
    base = _free_port_base()
    environment = clean_environment()
    environment |= {"VIGIL_VAR": str(var), "VIGIL_PORT_BASE": str(base)}
    process = subprocess.Popen([sys.executable, "-m", "vigil.cli", "up"], env=environment, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 90
        while not all(_answers(base + offset) for offset in range(4)):
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield var, base, process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=40)


def _answers(port):
    try:
        httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=10)
    except httpx.TransportError:
        return False
    return True


def _superuser(var):
    import hashlib

    run_dir = f"/tmp/vigil-{os.geteuid()}-{hashlib.sha256(str(var).encode()).hexdigest()[:12]}"
    password = (var / "secrets" / "postgres.password").read_text().strip()
    return psycopg.connect(host=f"{run_dir}/pg", user="postgres", password=password, dbname="vigil", autocommit=True)


def _get(base, offset, host, path="/"):
    return httpx.get(
        f"http://127.0.0.1:{base + offset}{path}",
        headers={"Host": f"{host}.localhost:{base + offset}"},
        trust_env=False,
    )


def test_every_live_process_is_connected_as_its_own_role(installation):
    var, base, _ = installation
    for offset, host, path in ((0, "report", "/en/figures"), (1, "console", "/"), (2, "partner", "/")):
        _get(base, offset, host, path)
    httpx.get(
        f"http://127.0.0.1:{base + 3}/v1/feed?after=0", headers={"Authorization": "Bearer nobody"}, trust_env=False
    )
    with smtplib.SMTP("127.0.0.1", base + 25, timeout=20) as mail, contextlib.suppress(smtplib.SMTPException):
        mail.login("nobody", "no-key")  # the mailroom asks the database only when somebody comes
    with _superuser(var) as superuser:
        deadline = time.monotonic() + 30
        while True:
            rows = superuser.execute(
                "SELECT DISTINCT application_name, usename FROM pg_stat_activity WHERE application_name LIKE 'vigil-%'"
            ).fetchall()
            found = {name: role for name, role in rows if name in PROCESSES}
            if set(found) >= set(PROCESSES) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
    assert found == PROCESSES


def test_no_role_can_read_what_is_not_its_own(installation):
    var, _, _ = installation
    with _superuser(var) as superuser:
        privileges = superuser.execute(
            """SELECT r.rolname, c.relname FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE r.rolname IN ('vigil_public', 'vigil_wire', 'vigil_crawl', 'vigil_index')
            AND n.nspname = 'public' AND c.relkind = 'r'
            AND (c.relname LIKE 'intake\\_report%' OR c.relname LIKE 'casework\\_%' OR c.relname LIKE 'accounts\\_person%'
                 OR c.relname LIKE 'referral\\_%' OR c.relname LIKE 'procrastinate\\_%')
            AND has_table_privilege(r.oid, c.oid, 'SELECT')"""
        ).fetchall()
    assert privileges == []


def test_an_installation_without_a_named_operator_does_not_open_its_form(installation):
    _, base, _ = installation
    for language in ("en", "fr"):
        page = _get(base, 0, "report", f"/{language}/")
        assert page.status_code == 200 and "911" in page.text
        assert "signaler/danger" not in page.text and "report/danger" not in page.text
    assert _get(base, 0, "report", "/en/report/danger").status_code != 200


def test_the_demonstrations_door_does_not_exist(installation):
    _, base, _ = installation
    assert _get(base, 1, "console", "/demo/sign-in/x").status_code in {302, 404}
    assert b"demonstration" not in _get(base, 1, "console", "/demo/sign-in/x").content.lower()


def test_an_origin_answers_to_its_own_name_only(installation):
    _, base, _ = installation
    for offset in range(3):
        assert _get(base, offset, "elsewhere").status_code == 400


def test_a_killed_process_and_a_killed_database_come_back(installation):
    var, base, _ = installation
    pids = dict(line.split() for line in _pid_file(var).read_text().splitlines())
    postmaster = int((var / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.killpg(int(pids["web-public"]), 9)
    os.kill(postmaster, 9)
    deadline = time.monotonic() + 60
    while not (_answers(base) and _get(base, 1, "console", "/sign-in/").status_code == 200):
        assert time.monotonic() < deadline, "it did not come back"
        time.sleep(0.3)


def test_ctrl_c_ends_all_of_it(installation):
    var, _, process = installation
    pids = [int(line.split()[1]) for line in _pid_file(var).read_text().splitlines()]
    process.send_signal(2)
    process.wait(timeout=40)
    time.sleep(0.5)
    assert [pid for pid in pids if _is_alive(pid)] == []
    assert not (var / "postgres" / "data" / "postmaster.pid").exists()


def _pid_file(var):
    import hashlib
    from pathlib import Path

    return Path(f"/tmp/vigil-{os.geteuid()}-{hashlib.sha256(str(var).encode()).hexdigest()[:12]}") / "up.pids"


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
