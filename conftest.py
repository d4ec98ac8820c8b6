"""Fixtures of every room: a real PostgreSQL, the role of a door, a real key process."""

from __future__ import annotations

import os

os.environ["VIGIL_PROCESS"] = "test"
os.environ["DJANGO_SETTINGS_MODULE"] = "vigil.settings"

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.pq import TransactionStatus

import ringmatch  # noqa: F401 - first of all: pytest would make an empty package of the folder of that name
from vigil import settings as vigil_settings
from vigil.core import postgres

postgres.ensure()
importlib.reload(vigil_settings)  # the first start makes the secrets that the settings read

import django

# Here and not in the configuration file: pytest-django would read the settings before the server has made its passwords.
django.setup()

from vigil.core.actors import Actor


def _set_local(name: str, value: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


@contextmanager
def as_role(role_name: str, actor: Actor | None = None) -> Iterator[None]:
    """Run what follows as a door's database role, and as an actor where the door has one."""
    from django.conf import settings
    from django.db import connection, transaction

    process_before = settings.PROCESS
    with transaction.atomic():
        settings.PROCESS = role_name.removeprefix("vigil_") if role_name != "vigil_owner" else process_before
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {role_name}")
        if actor is not None:
            _set_local("vigil.actor", str(actor.id))
        try:
            yield
        finally:
            settings.PROCESS = process_before
            if connection.connection.info.transaction_status == TransactionStatus.INERROR:
                # Rolling back to before SET LOCAL ROLE also restores the role.
                transaction.set_rollback(True)
            elif not connection.needs_rollback:
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL ROLE vigil_owner")
                _set_local("vigil.actor", "")


@pytest.fixture(autouse=True)
def a_process_of_its_own(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """Each test starts as the process `test`, and only who asks for the key process has one."""
    settings.PROCESS = "test"
    if "keyd_server" not in request.fixturenames:
        settings.KEYD_SOCKET = tmp_path / "no-key-process.sock"


@pytest.fixture(autouse=True)
def rows_that_migrations_made(request: pytest.FixtureRequest) -> None:
    """A test with real transactions empties all tables when it ends: put the single rows back that migrations inserted."""
    if not {"db", "transactional_db"} & set(request.fixturenames):
        return
    request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO core_clock (id, offset_seconds) VALUES (true, 0) ON CONFLICT DO NOTHING")
        cursor.execute("INSERT INTO lists_feedcounter (id, version) VALUES (true, 0) ON CONFLICT DO NOTHING")


@pytest.fixture
def role(db: None) -> Callable[..., AbstractContextManager[None]]:
    """`with role("vigil_console", actor=analyst): ...`"""
    return as_role


@pytest.fixture
def owner(db: None) -> Callable[[], AbstractContextManager[None]]:
    """`with owner(): ...` arranges rows as the tables' owner."""
    return lambda: as_role("vigil_owner")


@pytest.fixture
def audit_rows(db: None) -> Callable[..., list[dict[str, Any]]]:
    """`audit_rows(subject_id)`: the audit log's events about one subject, oldest first, as the auditor reads them."""

    def read(subject_id: UUID) -> list[dict[str, Any]]:
        from django.db import connection

        with as_role("vigil_auditor"), connection.cursor() as cursor:
            cursor.execute("SELECT body FROM audit.event WHERE subject = %s ORDER BY recorded_at, n", [subject_id])
            return [json.loads(body) for (body,) in cursor.fetchall()]

    return read


@pytest.fixture
def make_person(db: None) -> Callable[..., Actor]:
    """Make a member of staff and return the actor: `make_person(roles={"assessor"}, clearance=2)`."""
    from vigil.accounts import factories

    return factories.make_person


@pytest.fixture(scope="session")
def keyd_server(django_db_setup: None) -> Iterator[None]:
    """A real key process on the test database. It sees committed rows only: tests of opening use `transactional_db`."""
    from vigil.core import keyd

    database = vigil_settings.DATABASES["default"]["TEST"]["NAME"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vigil.cli", "keyd"], env={**os.environ, "VIGIL_KEYD_DATABASE": database}
    )
    deadline = time.monotonic() + 30
    while not keyd.is_answering():
        assert process.poll() is None and time.monotonic() < deadline, "the key process did not start"
        time.sleep(0.05)
    yield
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(scope="session", autouse=True)
def sealing_key() -> None:
    """Whoever writes needs the public sealing key: publish it once, without a key process."""
    from vigil.core.keyd_store import KeyStore, root_key_from

    store = KeyStore(vigil_settings.KEYD_DIR, root_key_from(vigil_settings.secret("keyd-root-key")))
    store.publish_sealing_key(vigil_settings.SEALING_KEY_FILE)
