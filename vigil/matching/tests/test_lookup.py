import secrets

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.core import clock
from vigil.lists import services as lists
from vigil.lists.models import FeedCounter
from vigil.lists.tests.factories import candidate, looked
from vigil.matching import index, services
from vigil.matching.errors import ListUnreadable
from vigil.matching.index import Answer, PublishedIndex


@pytest.fixture(autouse=True)
def own_index(db, settings, tmp_path, monkeypatch):
    settings.INDEX_DIR = tmp_path / "index"
    FeedCounter.objects.get_or_create(id=True)
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

    publish.withdraw = lambda entry: _withdraw(role, second, entry)
    return publish


def _withdraw(role, actor, entry):
    with role("vigil_console", actor):
        lists.withdraw_entry(actor=actor, entry_id=entry.id, reason="mistake", at=clock.now())


def _flip(pdq, count):
    value = int.from_bytes(pdq, "big")
    for bit in np.random.default_rng(5).choice(256, count, replace=False):
        value ^= 1 << int(bit)
    return value.to_bytes(32, "big")


@pytest.mark.parametrize("has_snapshot", [True, False])
def test_exact_and_near_are_found_and_32_bits_are_not(publish, role, has_snapshot):
    pdq, sha256 = secrets.token_bytes(32), secrets.token_bytes(32)
    entry = publish(pdq=pdq, sha256=sha256)
    if has_snapshot:
        with role("vigil_index"):
            assert services.build_snapshot() == 1
    with role("vigil_crawl"):
        exact = services.lookup(pdqs=[pdq], sha256=sha256)
        near = services.lookup(pdqs=[_flip(pdq, 90), _flip(pdq, 31)], sha256=None)
        far = services.lookup(pdqs=[_flip(pdq, 32)], sha256=None)
    assert [(hit.entry_id, hit.match, hit.distance) for hit in exact.hits] == [(entry.id, "exact", 0)]
    assert [(hit.match, hit.distance, hit.orientation) for hit in near.hits] == [("near", 31, 1)]
    assert far == Answer(1, ())


@pytest.mark.parametrize("has_snapshot", [True, False])
def test_a_withdrawn_entry_is_out_of_the_very_next_answer(publish, role, has_snapshot):
    entry = publish(pdq=secrets.token_bytes(32))
    if has_snapshot:
        with role("vigil_index"):
            services.build_snapshot()
    with role("vigil_crawl"):
        assert services.lookup(pdqs=[bytes(entry.pdq)]).hits
    publish.withdraw(entry)
    with role("vigil_crawl"):
        assert services.lookup(pdqs=[bytes(entry.pdq)], sha256=bytes(entry.sha256)) == Answer(2, ())
    with role("vigil_index"):
        services.build_snapshot()
    with role("vigil_wire"):
        assert services.lookup(pdqs=[bytes(entry.pdq)], sha256=bytes(entry.sha256)) == Answer(2, ())


def test_what_is_only_proposed_is_not_found(make_person, role):
    analyst, hashes = make_person(roles={"intake_analyst"}), candidate()
    with role("vigil_console", analyst):
        lists.propose_entry(actor=analyst, candidate=hashes, classification="baseline", at=clock.now())
    with role("vigil_crawl"):
        assert services.lookup(pdqs=[hashes.pdq], sha256=hashes.sha256) == Answer(0, ())


def test_a_damaged_snapshot_means_unreadable_and_never_no_match(publish, role, settings):
    entry = publish()
    with role("vigil_index"):
        services.build_snapshot()
    ring = settings.INDEX_DIR / "1" / "pdq.ring"
    data = bytearray(ring.read_bytes())
    data[len(data) // 2] ^= 0xFF
    ring.write_bytes(data)
    with role("vigil_crawl"), pytest.raises(ListUnreadable):
        services.lookup(pdqs=[bytes(entry.pdq)])


def test_a_role_that_may_not_read_the_feed_gets_unreadable(role):
    with role("vigil_public"), pytest.raises(ListUnreadable):
        services.lookup(pdqs=[bytes(32)])


hashes = st.binary(min_size=32, max_size=32)


@given(st.lists(hashes, min_size=1, max_size=20, unique=True), st.integers(0, 60), st.booleans())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_look_up_finds_exactly_what_a_full_scan_finds(tmp_path_factory, stored, flips, is_snapshot):
    from vigil.core.ids import new_id

    published = {new_id(): (secrets.token_bytes(32), pdq) for pdq in stored}
    query = _flip(stored[0], flips)
    expected = {
        entry_id
        for entry_id, (_, pdq) in published.items()
        if (int.from_bytes(pdq, "big") ^ int.from_bytes(query, "big")).bit_count() <= 31
    }
    found = {}
    if is_snapshot:
        rows = np.zeros(len(published), dtype=index._ROW)
        for row, (entry_id, (sha256, pdq)) in enumerate(published.items()):
            rows[row] = (np.void(entry_id.bytes), np.void(sha256), np.frombuffer(pdq, np.uint8))
        ring = index.ringmatch.Index.build(np.ascontiguousarray(rows["pdq"]), np.arange(len(rows), dtype=np.uint64))
        index._search_snapshot(index._Snapshot(1, ring, rows, {}), [query], None, set(), found)
    else:
        index._search_added(published, [query], None, found)
    assert set(found) == expected
