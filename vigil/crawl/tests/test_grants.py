"""What each door's database role may do with the crawl's tables, asked of the database itself."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from vigil.core.actors import SYSTEM

TABLES = ["host", "place", "shown", "seed", "visit", "reading", "candidate", "sighting", "check"]

REFUSED = [
    ("vigil_crawl", "UPDATE crawl_sighting SET state = 'confirmed'"),
    ("vigil_crawl", "UPDATE crawl_visit SET outcome = 'ok'"),
    ("vigil_crawl", "INSERT INTO crawl_check SELECT * FROM crawl_check"),
    ("vigil_crawl", "UPDATE crawl_check SET due_at = now()"),
    ("vigil_crawl", "SELECT 1 FROM intake_report"),
    ("vigil_crawl", "SELECT 1 FROM accounts_person"),
    ("vigil_crawl", "SELECT 1 FROM casework_incident"),
    ("vigil_console", "INSERT INTO crawl_sighting SELECT * FROM crawl_sighting"),
    ("vigil_console", "UPDATE crawl_sighting SET match = 'exact'"),
    ("vigil_console", "UPDATE crawl_host SET fence = 0"),
    ("vigil_console", "UPDATE crawl_place SET url_sealed = ''"),
    ("vigil_console", "UPDATE crawl_check SET verdict = 'down'"),
    ("vigil_console", "INSERT INTO crawl_candidate SELECT * FROM crawl_candidate"),
    ("vigil_console", "SELECT 1 FROM crawl_reading"),
    ("vigil_worker", "UPDATE crawl_check SET verdict = 'down'"),
    ("vigil_stats", "SELECT 1 FROM crawl_place"),
]


def _refuses(role, door, statement):
    # An actor nobody knows: row policies ask for one, but the grant is what is asked about here.
    refused = pytest.raises(ProgrammingError, match="permission denied")
    with refused, transaction.atomic(), role(door, actor=SYSTEM), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "door", ["vigil_public", "vigil_wire", "vigil_partner", "vigil_index", "vigil_keyd", "vigil_auditor"]
)
def test_other_doors_see_nothing_of_the_crawl(door, role):
    for table in TABLES:
        _refuses(role, door, f"SELECT 1 FROM crawl_{table}")


@pytest.mark.parametrize(("door", "statement"), REFUSED)
def test_a_door_may_not_do_what_is_not_its_work(door, statement, role):
    _refuses(role, door, statement)


@pytest.mark.parametrize("door", ["vigil_crawl", "vigil_console", "vigil_worker", "vigil_stats"])
def test_nobody_deletes(door, role):
    for table in TABLES:
        _refuses(role, door, f"DELETE FROM crawl_{table}")
