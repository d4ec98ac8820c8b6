"""An index of its own for each test, and entries published by people."""

import pytest

from vigil.core import clock
from vigil.lists import services as lists
from vigil.lists.tests.factories import candidate, looked
from vigil.matching import services
from vigil.matching.index import PublishedIndex


@pytest.fixture(autouse=True)
def own_index(settings, tmp_path, monkeypatch):
    settings.INDEX_DIR = tmp_path / "index"
    monkeypatch.setattr(services, "_index", PublishedIndex())


@pytest.fixture
def publish(make_person, role):
    analyst, first, second = (make_person(roles={name}) for name in ("intake_analyst", "assessor", "assessor"))

    def publish(**hashes):
        with role("vigil_console", analyst):
            entry = lists.propose_entry(
                actor=analyst, candidate=candidate(**hashes), classification="baseline", at=clock.now()
            )
        for assessor in (first, second):
            with role("vigil_console", assessor):
                looked(assessor, entry.id)
                lists.decide_assessment(actor=assessor, entry_id=entry.id, verdict="illegal", at=clock.now())
        return entry

    def withdraw(entry):
        with role("vigil_console", second):
            lists.withdraw_entry(actor=second, entry_id=entry.id, reason="mistake", at=clock.now())

    publish.withdraw = withdraw
    return publish
