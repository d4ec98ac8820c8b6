"""Look-ups through the role of each door, against a slow and obvious reference."""

import secrets
import threading

import numpy as np
import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.core import clock
from vigil.core.ids import new_id
from vigil.lists import services as lists
from vigil.lists.selectors import FeedChange, FeedTip
from vigil.lists.tests.factories import candidate
from vigil.matching import services
from vigil.matching.cli import REBUILD_AFTER_CHANGES, Builder, run_index
from vigil.matching.errors import BadHash, ListUnreadable
from vigil.matching.index import Answer, _Published, current_name
from vigil.matching.index import snapshot as snapshots


@pytest.fixture
def build(role):
    def build():
        with role("vigil_index"):
            return services.build_snapshot()

    return build


def flip(pdq, count, seed=5):
    """The hash with so many bits changed."""
    value = int.from_bytes(pdq, "big")
    for bit in np.random.default_rng(seed).choice(256, count, replace=False):
        value ^= 1 << int(bit)
    return value.to_bytes(32, "big")


def distance(one, other):
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


# ---- what is found -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("door", ["vigil_crawl", "vigil_wire", "vigil_index", "vigil_worker"])
@pytest.mark.parametrize("has_snapshot", [True, False])
def test_exact_and_near_are_found_and_32_bits_are_not(publish, role, build, has_snapshot, door):
    pdq, sha256, md5 = secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(16)
    entry = publish(pdq=pdq, sha256=sha256, md5=md5)
    if has_snapshot:
        assert build() == 1
    with role(door):
        exact = services.lookup(pdqs=[pdq], sha256=sha256, md5=md5)
        by_md5 = services.lookup(md5=md5, pdqs=[pdq])
        near = services.lookup(pdqs=[flip(pdq, 90), flip(pdq, 31)], sha256=None)
        far = services.lookup(pdqs=[flip(pdq, 32)], sha256=bytes(32), md5=bytes(16))
    assert [(hit.entry_id, hit.match, hit.distance) for hit in exact.hits] == [(entry.id, "exact", 0)]
    assert [(hit.entry_id, hit.match) for hit in by_md5.hits] == [(entry.id, "md5")]
    assert [(hit.match, hit.distance, hit.orientation) for hit in near.hits] == [("near", 31, 1)]
    assert far == Answer(1, ())


def test_the_console_looks_up_under_its_own_role(publish, role, make_person):
    entry = publish()
    with role("vigil_console", make_person()):
        assert services.lookup(sha256=bytes(entry.sha256)).hits[0].entry_id == entry.id


@pytest.mark.parametrize("has_snapshot", [True, False])
def test_a_withdrawn_entry_is_out_of_the_very_next_answer(publish, role, build, has_snapshot):
    entry = publish()
    asked = {"pdqs": [bytes(entry.pdq)], "sha256": bytes(entry.sha256), "md5": bytes(entry.md5)}
    if has_snapshot:
        build()
    with role("vigil_crawl"):
        assert services.lookup(**asked).hits
    publish.withdraw(entry)
    with role("vigil_crawl"):
        assert services.lookup(**asked) == Answer(2, ())
    build()
    with role("vigil_wire"):
        assert services.lookup(**asked) == Answer(2, ())


def test_what_is_only_proposed_is_not_found(make_person, role):
    analyst, hashes = make_person(roles={"intake_analyst"}), candidate()
    with role("vigil_console", analyst):
        lists.propose_entry(actor=analyst, candidate=hashes, classification="baseline", at=clock.now())
    with role("vigil_crawl"):
        assert services.lookup(pdqs=[hashes.pdq], sha256=hashes.sha256) == Answer(0, ())


@pytest.mark.parametrize("asked", [{"pdqs": [bytes(31)]}, {"sha256": bytes(16)}, {"md5": bytes(32)}, {"pdqs": [b""]}])
def test_a_hash_of_another_length_is_refused(db, asked):
    with pytest.raises(BadHash):
        services.lookup(**asked)


HASHES = st.binary(min_size=32, max_size=32)
STEPS = st.lists(st.tuples(HASHES, st.integers(0, 5)), min_size=1, max_size=24, unique_by=lambda step: step[0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, flips=st.integers(0, 60), split=st.integers(0, 24), seed=st.integers(0, 99))
def test_a_look_up_finds_exactly_what_a_full_scan_finds(steps, flips, split, seed, monkeypatch, tmp_path):
    """A made-up feed of publications and withdrawals, part of it in a snapshot and the rest since."""
    feed, published = [], {}
    for pdq, act in steps:
        entry_id, sha256 = new_id(), secrets.token_bytes(32)
        feed.append(FeedChange(len(feed) + 1, entry_id, "publish", None, sha256, sha256[:16], pdq, "baseline"))
        published[entry_id] = feed[-1]
        if act == 0:
            gone = published.pop(sorted(published)[seed % len(published)])
            feed.append(FeedChange(len(feed) + 1, gone.entry_id, "withdraw", None, gone.sha256, gone.md5, gone.pdq, ""))
    split = min(split, len(feed))
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "_root", lambda: tmp_path / f"index-{new_id()}")
        root = snapshots._root()
        patch.setattr(snapshots, "_root", lambda: root)
        patch.setattr(snapshots.lists, "feed_since", lambda version, limit: feed[version:split][:limit])
        snapshots.build_snapshot()
        snapshot = snapshots.open_snapshot(snapshots.current_name())
    view = _Published(snapshot.tip, snapshot).advanced(feed[split:])
    query = flip(steps[0][0], flips, seed)
    expected = {
        (one.entry_id, distance(one.pdq, query)) for one in published.values() if distance(one.pdq, query) <= 31
    }
    assert {(hit.entry_id, hit.distance) for hit in view.search([query], None, None)} == expected
    for one in feed:
        found = [hit.entry_id for hit in view.search([], one.sha256, None)]
        assert found == [hit.entry_id for hit in view.search([], None, one.md5)]
        assert found == ([one.entry_id] if one.entry_id in published else [])


# ---- unreadable is never "no match" --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("file", ["pdq.ring", "entries.npy", "sha256.npy", "md5.npy", "manifest.json"])
@pytest.mark.parametrize("how", ["changed", "cut", "gone"])
def test_a_damaged_snapshot_means_unreadable_until_it_is_built_anew(publish, role, build, settings, file, how):
    entry = publish()
    build()
    path = settings.INDEX_DIR / current_name() / file
    data = bytearray(path.read_bytes())
    if how == "gone":
        path.unlink()
    else:
        data[len(data) // 2] ^= 0xFF
        path.write_bytes(data if how == "changed" else data[: len(data) // 2])
    with role("vigil_crawl"), pytest.raises(ListUnreadable):
        services.lookup(pdqs=[bytes(entry.pdq)])
    with role("vigil_index"):
        assert Builder().look(0.0) == 1
    with role("vigil_crawl"):
        assert services.lookup(pdqs=[bytes(entry.pdq)]).hits


@pytest.mark.parametrize("pointer", ["", "../elsewhere", "not-a-version"])
def test_a_damaged_pointer_means_unreadable_until_it_is_built_anew(publish, role, build, settings, pointer):
    entry = publish()
    build()
    (settings.INDEX_DIR / "current").write_text(pointer)
    with role("vigil_crawl"), pytest.raises(ListUnreadable):
        services.lookup(sha256=bytes(entry.sha256))
    with role("vigil_index"):
        assert Builder().look(0.0) == 1
    with role("vigil_crawl"):
        assert services.lookup(sha256=bytes(entry.sha256)).hits


@pytest.mark.parametrize("door", ["vigil_public", "vigil_partner", "vigil_keyd"])
def test_a_role_that_may_not_read_the_feed_gets_unreadable(role, door):
    with role(door), pytest.raises(ListUnreadable):
        services.lookup(pdqs=[bytes(32)])


class _TurnedBack(Exception):
    pass


@pytest.mark.parametrize("missing", [1, 2])
def test_a_feed_with_a_row_missing_is_unreadable(publish, role, owner, missing):
    entries = [publish(), publish()]
    with pytest.raises(_TurnedBack), transaction.atomic():
        with owner(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM lists_feedrow WHERE version = %s", [missing])
        with role("vigil_crawl"), pytest.raises(ListUnreadable):
            services.lookup(sha256=bytes(entries[2 - missing].sha256))
        raise _TurnedBack
    with role("vigil_crawl"):
        assert services.lookup(sha256=bytes(entries[2 - missing].sha256)).hits


# ---- one history -----------------------------------------------------------------------------------------------------------------
def test_what_was_rolled_back_is_not_in_the_next_answer(publish, role):
    kept = publish()
    with pytest.raises(_TurnedBack), transaction.atomic():
        lost = publish()
        with role("vigil_crawl"):
            assert services.lookup(sha256=bytes(lost.sha256)).feed_version == 2
        raise _TurnedBack
    with role("vigil_crawl"):
        assert services.lookup(sha256=bytes(lost.sha256)) == Answer(1, ())
        assert services.lookup(sha256=bytes(kept.sha256)).hits


@pytest.mark.parametrize("later", [0, 1, 3])
def test_a_snapshot_and_a_memory_of_another_history_are_dropped(publish, role, build, later):
    """As after a backup was restored: the same versions, other entries."""
    with pytest.raises(_TurnedBack), transaction.atomic():
        lost = [publish(), publish()]
        build()
        with role("vigil_crawl"):
            assert services.lookup(sha256=bytes(lost[0].sha256)).hits
        raise _TurnedBack
    found = [publish() for _ in range(2 + later)]
    with role("vigil_crawl"):
        assert services.lookup(sha256=bytes(lost[0].sha256)) == Answer(2 + later, ())
        assert all(services.lookup(pdqs=[bytes(entry.pdq)]).hits for entry in found)
    with role("vigil_index"):
        assert Builder().look(0.0) == 2 + later


# ---- snapshots -------------------------------------------------------------------------------------------------------------------
def test_a_new_snapshot_is_taken_and_the_one_before_is_kept(publish, role, build, settings):
    names = []
    for _ in range(4):
        entry = publish()
        build()
        names.append(current_name())
        with role("vigil_crawl"):
            assert services.lookup(sha256=bytes(entry.sha256)).hits
        assert services._index._published.snapshot.name == names[-1]
        assert not services._index._published.added
    folders = sorted(path.name for path in settings.INDEX_DIR.iterdir() if path.is_dir())
    assert folders == sorted(names[2:])


def test_a_build_that_was_cut_off_leaves_the_old_snapshot_in_use(publish, role, build, settings, monkeypatch):
    entry = publish()
    build()
    before = current_name()
    publish()
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "_swap", lambda root, name: (_ for _ in ()).throw(_TurnedBack()))
        with pytest.raises(_TurnedBack):
            build()
    (settings.INDEX_DIR / ".7-dead.part").mkdir()
    assert current_name() == before
    with role("vigil_crawl"):
        assert services.lookup(sha256=bytes(entry.sha256)).feed_version == 2
    build()
    assert current_name() != before and not (settings.INDEX_DIR / ".7-dead.part").exists()


def test_the_hashes_on_the_disk_are_not_for_everybody(publish, build, settings):
    publish()
    build()
    assert settings.INDEX_DIR.stat().st_mode & 0o007 == 0


def test_an_empty_list_has_a_snapshot_too(role, build):
    assert build() == 0
    with role("vigil_crawl"):
        assert services.lookup(pdqs=[bytes(32)], sha256=bytes(32), md5=bytes(16)) == Answer(0, ())


def test_the_builder_builds_at_first_after_many_changes_and_after_a_while(publish, role, monkeypatch):
    builder = Builder()
    with role("vigil_index"):
        assert builder.look(0.0) == 0
        assert builder.look(2.0) is None
    publish()
    with role("vigil_index"):
        assert builder.look(4.0) is None
        assert builder.look(900.0) == 1
        assert builder.look(5000.0) is None
        monkeypatch.setattr("vigil.lists.selectors.feed_version", lambda: 1 + REBUILD_AFTER_CHANGES)
        assert builder.look(5002.0) == 1


def test_the_process_goes_on_when_the_folder_cannot_be_used_for_a_while(publish, role, settings, monkeypatch):
    publish()
    stop, looks = threading.Event(), []
    settings.INDEX_DIR.write_text("in the way")

    def wait(_seconds):
        looks.append(settings.INDEX_DIR.is_dir())
        if len(looks) == 1:
            settings.INDEX_DIR.unlink()
        else:
            stop.set()

    monkeypatch.setattr(stop, "wait", wait)
    monkeypatch.setattr("vigil.matching.cli.close_old_connections", lambda: None)  # the test's own connection
    with role("vigil_index"):
        run_index(stop)
    assert looks == [False, True] and current_name().startswith("1-")


def test_threads_that_look_up_while_others_publish_and_withdraw_see_one_history(transactional_db, publish):
    """Whatever the moment: an answer of version n holds exactly what was published at version n."""
    pdq = secrets.token_bytes(32)
    answers, stop, failures = [], threading.Event(), []

    def look():
        try:
            while not stop.is_set():
                answers.append(services.lookup(pdqs=[pdq]))
        except Exception as exc:
            failures.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    standing, at_version = [], {0: frozenset()}
    for count in range(6):
        standing.append(publish(pdq=flip(pdq, 10, seed=count)))
        at_version[len(at_version)] = frozenset(entry.id for entry in standing)
        if count == 2:
            services.build_snapshot()
        if count % 2:
            publish.withdraw(standing.pop(0))
            at_version[len(at_version)] = frozenset(entry.id for entry in standing)
    stop.set()
    for thread in threads:
        thread.join(timeout=30)
    answers.append(services.lookup(pdqs=[pdq]))
    assert not failures
    for answer in answers:
        assert {hit.entry_id for hit in answer.hits} == at_version[answer.feed_version]
    assert answers[-1].feed_version == max(at_version)


def test_the_tip_says_which_history_it_is():
    entry_id = new_id()
    assert (
        FeedTip(1, entry_id, "publish") != FeedTip(1, new_id(), "publish") and FeedTip(0, None, "") == _Published().tip
    )
