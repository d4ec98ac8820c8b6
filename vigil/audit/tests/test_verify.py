"""Each way to tamper is tried on a real chain by a superuser, and the first bad row must be named."""

import json

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from vigil.audit import services as audit
from vigil.audit.verify import verify
from vigil.core import clock, postgres
from vigil.core.actors import SYSTEM
from vigil.core.ids import new_id
from vigil.core.keyd_server import Keyd
from vigil.core.keyd_store import KeyStore, root_key_from

ROWS = 40


@pytest.fixture
def superuser(transactional_db):
    database = django_settings.DATABASES["default"]["NAME"]
    with postgres.connect("postgres", database) as superuser:
        superuser.execute("TRUNCATE audit.event, audit.chain")
        yield superuser
        superuser.execute("TRUNCATE audit.event, audit.chain")


@pytest.fixture
def chain(superuser, tmp_path, settings, monkeypatch):
    """A chain `console` of 40 rows, with signed heads at 20 and 40."""
    settings.PROCESS = "console"
    monkeypatch.setenv("VIGIL_KEYD_DATABASE", django_settings.DATABASES["default"]["NAME"])
    monkeypatch.setattr("vigil.core.keyd_server.settings.AUDIT_HEADS_DIR", tmp_path)
    keyd = Keyd(KeyStore(tmp_path / "store", root_key_from("c2VlZC1mb3ItYS10ZXN0LW9ubHktMzItYnl0ZXMtIQ")))
    for count in range(1, ROWS + 1):
        audit.record(
            actor=SYSTEM,
            action="test.done",
            subject_kind="test",
            subject_id=new_id(),
            at=clock.now(),
            data={"count": count},
        )
        if count % 20 == 0:
            keyd.sign_heads()
    keyd._drop_connection()
    return tmp_path


def _bad(superuser, heads_dir):
    return [(bad.chain, bad.n, bad.problem) for bad in verify(superuser, heads_dir).bad]


def test_an_untouched_chain_is_whole(superuser, chain):
    verdict = verify(superuser, chain)
    assert verdict.is_whole and verdict.rows == ROWS and verdict.heads_checked == 2


@pytest.mark.parametrize(
    ("tampering", "expected"),
    [
        ("UPDATE audit.event SET body = replace(body, '\"count\":7', '\"count\":8') WHERE n = 7", (7, "changed")),
        ("UPDATE audit.event SET recorded_at = '2020-01-01T00:00:00.000000Z' WHERE n = 9", (9, "changed")),
        ("UPDATE audit.event SET db_role = 'somebody' WHERE n = 11", (11, "changed")),
        ("DELETE FROM audit.event WHERE n = 13", (13, "missing")),
        ("UPDATE audit.event SET n = CASE n WHEN 5 THEN -6 ELSE -5 END WHERE n IN (5, 6);"
         "UPDATE audit.event SET n = -n WHERE n < 0", (5, "previous_differs")),
        ("INSERT INTO audit.event (chain, n, body, recorded_at, db_role, previous, hash)"
         " SELECT chain, 0, body, recorded_at, db_role, previous, hash FROM audit.event WHERE n = 1", (1, "inserted")),
        ("INSERT INTO audit.event (chain, n, body, recorded_at, db_role, previous, hash)"
         " SELECT chain, 41, body, recorded_at, db_role, hash, hash FROM audit.event WHERE n = 40", (41, "changed")),
        ("DELETE FROM audit.event WHERE n > 35", (36, "cut_off")),
        ("DELETE FROM audit.event", (1, "cut_off")),
        ("UPDATE audit.chain SET n = 50", (41, "cut_off")),
    ],
)  # fmt: skip
def test_tampering_by_a_superuser_is_found_and_the_first_bad_row_named(superuser, chain, tampering, expected):
    superuser.execute(tampering)
    assert _bad(superuser, chain) == [("console", *expected)]


def test_a_cut_off_end_is_found_even_when_the_counter_is_turned_back_too(superuser, chain):
    superuser.execute("DELETE FROM audit.event WHERE n > 30")
    superuser.execute("UPDATE audit.chain SET n = 30, hash = (SELECT hash FROM audit.event WHERE n = 30)")
    assert _bad(superuser, chain) == [("console", 31, "cut_off")]


def test_a_chain_rewritten_from_the_middle_with_correct_hashes_contradicts_the_signed_head(superuser, chain):
    rows = superuser.execute("SELECT body FROM audit.event WHERE n > 10 ORDER BY n").fetchall()
    superuser.execute("DELETE FROM audit.event WHERE n > 10")
    superuser.execute("UPDATE audit.chain SET n = 10, hash = (SELECT hash FROM audit.event WHERE n = 10)")
    for (body,) in rows:
        superuser.execute("SELECT audit.append('console', %s)", [body.replace("test.done", "test.lied")])
    # The database role is part of the hash: the forger's own name is in every row, and the head at 20 differs.
    assert _bad(superuser, chain) == [("console", 20, "rewritten")]


def test_a_forged_head_is_found(superuser, chain):
    lines = (chain / "heads.jsonl").read_text().splitlines()
    forged = json.loads(lines[1])
    forged["body"] = forged["body"].replace('"console",40', '"console",30')
    (chain / "heads.jsonl").write_text(lines[0] + "\n" + json.dumps(forged) + "\n")
    assert ("heads", 2, "signature_bad") in _bad(superuser, chain)


@pytest.mark.parametrize(
    "door",
    ["vigil_public", "vigil_console", "vigil_partner", "vigil_wire", "vigil_worker", "vigil_crawl", "vigil_keyd"],
)
@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM audit.event", "UPDATE audit.event SET body = ''", "DELETE FROM audit.event",
     "INSERT INTO audit.chain VALUES ('x', 1, '')", "TRUNCATE audit.event"],
)  # fmt: skip
def test_no_door_can_read_or_change_the_log(role, door, statement):
    with (
        role(door),
        pytest.raises(Exception, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_an_event_is_rolled_back_with_the_change_that_it_describes(db, role, settings):
    with pytest.raises(RuntimeError), role("vigil_console"):
        audit.record(actor=SYSTEM, action="test.done", subject_kind="test", subject_id=new_id(), at=clock.now())
        raise RuntimeError
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', 'vigil_audit', true)")
        cursor.execute("SELECT count(*) FROM audit.event WHERE chain = 'console' AND action = 'test.done'")
        assert cursor.fetchone() == (0,)
