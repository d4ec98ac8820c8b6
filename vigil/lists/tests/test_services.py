import threading

import pytest
from django.db import Error as DatabaseError
from django.db import connection, connections, transaction
from hypothesis import given
from hypothesis import strategies as st

from vigil.core import clock
from vigil.core.errors import NotPermitted
from vigil.lists import policies, selectors, services
from vigil.lists.errors import (
    AlreadyAnEntry,
    AlreadyLooked,
    EntryNotOpen,
    EntryNotPublished,
    LookExpired,
    NotIndependent,
    NotLooked,
)
from vigil.lists.tests.factories import candidate, looked

ASSESSOR, ANALYST = {"assessor"}, {"intake_analyst"}


@pytest.fixture
def people(make_person):
    return (
        make_person(roles=ANALYST),
        make_person(roles=ASSESSOR),
        make_person(roles=ASSESSOR),
        make_person(roles=ASSESSOR),
    )


@pytest.fixture
def proposed(people, role):
    analyst, *assessors = people
    with role("vigil_console", analyst):
        entry = services.propose_entry(actor=analyst, candidate=candidate(), classification="baseline", at=clock.now())
    return entry, analyst, assessors


def _assess(role, actor, entry, verdict="illegal"):
    with role("vigil_console", actor):
        looked(actor, entry.id)
        return services.decide_assessment(actor=actor, entry_id=entry.id, verdict=verdict, at=clock.now())


def test_two_people_who_looked_publish_an_entry_in_the_feed(proposed, role):
    entry, _, (first, second, _) = proposed
    assert _assess(role, first, entry).state == "proposed"
    assert _assess(role, second, entry).state == "published"
    with role("vigil_crawl"):
        (change,) = selectors.feed_since(0)
    assert (change.version, change.change, change.entry_id) == (1, "publish", entry.id)


def test_nobody_decides_without_having_looked(proposed, role):
    entry, _, (first, *_) = proposed
    with role("vigil_console", first), pytest.raises(NotLooked):
        services.decide_assessment(actor=first, entry_id=entry.id, verdict="illegal", at=clock.now())


def test_the_preview_reaches_each_assessor_once(proposed, role):
    entry, _, (first, *_) = proposed
    with role("vigil_console", first):
        ticket = looked(first, entry.id)
        with pytest.raises(AlreadyLooked):
            services.start_look(actor=first, entry_id=entry.id, at=clock.now())
        with pytest.raises(AlreadyLooked):
            services.mark_look_delivered(actor=first, look_id=ticket.id, at=clock.now())


def test_a_look_ticket_expires(proposed, role, owner):
    entry, _, (first, *_) = proposed
    with role("vigil_console", first):
        ticket = services.start_look(actor=first, entry_id=entry.id, at=clock.now())
    with owner():
        clock.advance(301)
    with role("vigil_console", first), pytest.raises(LookExpired):
        services.mark_look_delivered(actor=first, look_id=ticket.id, at=clock.now())


def test_the_same_assessor_does_not_count_twice(proposed, role):
    entry, _, (first, *_) = proposed
    _assess(role, first, entry)
    with role("vigil_console", first), pytest.raises(NotIndependent):
        services.decide_assessment(actor=first, entry_id=entry.id, verdict="illegal", at=clock.now())


def test_a_second_account_of_the_same_human_does_not_count(proposed, role, make_person):
    from vigil.accounts.selectors import person

    entry, _, (first, *_) = proposed
    other_account = make_person(roles=ASSESSOR, identity_id=person(first.id).identity_id)
    _assess(role, first, entry)
    with role("vigil_console", other_account), pytest.raises(NotIndependent):
        services.start_look(actor=other_account, entry_id=entry.id, at=clock.now())


def test_the_proposer_does_not_assess_even_as_an_assessor(role, make_person):
    both = make_person(roles=ANALYST | ASSESSOR)
    with role("vigil_console", both):
        entry = services.propose_entry(actor=both, candidate=candidate(), classification="baseline", at=clock.now())
        with pytest.raises(NotIndependent):
            services.start_look(actor=both, entry_id=entry.id, at=clock.now())
        assert selectors.entries_to_assess(both) == []


def test_not_illegal_refuses_and_unsure_asks_another(proposed, role):
    entry, _, (first, second, third) = proposed
    _assess(role, first, entry, "unsure")
    _assess(role, second, entry, "illegal")
    assert _assess(role, third, entry, "not_illegal").state == "refused"
    with role("vigil_crawl"):
        assert selectors.feed_since(0) == []


def test_the_same_file_is_proposed_once_and_the_number_is_told(proposed, role):
    entry, analyst, _ = proposed
    again = candidate(sha256=bytes(entry.sha256))
    with role("vigil_console", analyst), pytest.raises(AlreadyAnEntry) as told:
        services.propose_entry(actor=analyst, candidate=again, classification="baseline", at=clock.now())
    assert told.value.args == (entry.number,)


def test_withdrawal_is_a_tombstone_in_the_same_feed(proposed, role):
    entry, _, (first, second, _) = proposed
    with role("vigil_console", first), pytest.raises(EntryNotPublished):
        services.withdraw_entry(actor=first, entry_id=entry.id, reason="mistake", at=clock.now())
    _assess(role, first, entry)
    _assess(role, second, entry)
    with role("vigil_console", second):
        services.withdraw_entry(actor=second, entry_id=entry.id, reason="mistake", at=clock.now())
    with role("vigil_wire"):
        assert [(change.version, change.change) for change in selectors.feed_since(0)] == [
            (1, "publish"),
            (2, "withdraw"),
        ]


def test_a_published_entry_takes_no_more_verdicts(proposed, role):
    entry, _, (first, second, third) = proposed
    _assess(role, first, entry)
    _assess(role, second, entry)
    with role("vigil_console", third), pytest.raises(EntryNotOpen):
        services.start_look(actor=third, entry_id=entry.id, at=clock.now())


def test_an_analyst_does_not_assess(proposed, role):
    entry, analyst, _ = proposed
    with role("vigil_console", analyst), pytest.raises(NotPermitted):
        services.start_look(actor=analyst, entry_id=entry.id, at=clock.now())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lists_entry SET state = 'published'",
        "DELETE FROM lists_entry",
        "UPDATE lists_assessment SET verdict = 'illegal'",
        "DELETE FROM lists_feedrow",
        "UPDATE lists_entry SET sha256 = sha256",
    ],
)
def test_the_database_refuses_the_console_to_go_around(proposed, role, statement):
    _, analyst, _ = proposed
    with (
        role("vigil_console", analyst),
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_an_entry_above_clearance_is_not_there(role, make_person):
    analyst, other = make_person(roles=ANALYST, clearance=3), make_person(roles=ANALYST, clearance=1)
    with role("vigil_console", analyst):
        entry = services.propose_entry(
            actor=analyst, candidate=candidate(sensitivity=3), classification="baseline", at=clock.now()
        )
    from vigil.lists.errors import EntryNotFound

    with role("vigil_console", other), pytest.raises(EntryNotFound):
        selectors.entry(entry.id)


def test_feed_versions_have_no_gaps_under_concurrent_publishers(transactional_db, make_person, role):
    analyst, first, second = make_person(roles=ANALYST), make_person(roles=ASSESSOR), make_person(roles=ASSESSOR)
    from vigil.lists.models import FeedCounter

    FeedCounter.objects.get_or_create(id=True)
    entries = []
    for _ in range(8):
        with role("vigil_console", analyst):
            entries.append(
                services.propose_entry(actor=analyst, candidate=candidate(), classification="baseline", at=clock.now())
            )
        _assess(role, first, entries[-1])

    def publish(entry):
        try:
            _assess(role, second, entry)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=publish, args=(entry,)) for entry in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [change.version for change in selectors.feed_since(0)] == list(range(1, 9))


@given(st.lists(st.sampled_from(["illegal", "not_illegal", "unsure"]), max_size=8))
def test_published_means_two_illegal_and_no_not_illegal(verdicts):
    state = policies.state_after(verdicts)
    assert (state == "published") == (verdicts.count("illegal") >= 2 and "not_illegal" not in verdicts)
    assert (state == "refused") == ("not_illegal" in verdicts)


def test_every_command_leaves_one_audit_row(proposed, role, audit_rows):
    entry, _, (first, second, _) = proposed
    _assess(role, first, entry)
    _assess(role, second, entry)
    actions = [row["action"] for row in audit_rows(entry.id)]
    assert actions == ["entry.propose", *["entry.look", "entry.look_delivered", "entry.assess"] * 2]
