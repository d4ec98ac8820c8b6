import threading

import pytest
from django.db import Error as DatabaseError
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.accounts.selectors import person
from vigil.core import clock
from vigil.core.errors import NotFound, NotPermitted, VigilError
from vigil.core.ids import new_id
from vigil.lists import policies, selectors, services
from vigil.lists.errors import (
    AlreadyAnEntry,
    AlreadyLooked,
    EntryNotFound,
    EntryNotOpen,
    EntryNotPublished,
    ListedOutOfSight,
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


def test_of_two_who_propose_the_same_file_at_once_one_is_told_the_number(transactional_db, make_person, role):
    analysts, facts = [make_person(roles=ANALYST) for _ in range(2)], candidate()
    told, start = [], threading.Barrier(2)

    def propose(analyst):
        try:
            with role("vigil_console", analyst):
                start.wait(timeout=10)
                entry = services.propose_entry(
                    actor=analyst, candidate=facts, classification="baseline", at=clock.now()
                )
            told.append(("proposed", entry.number))
        except AlreadyAnEntry as refusal:
            told.append(("listed", refusal.args[0]))
        finally:
            connections.close_all()

    _in_threads(propose, analysts)
    assert sorted(kind for kind, _ in told) == ["listed", "proposed"] and len({number for _, number in told}) == 1


def test_a_file_listed_above_clearance_is_refused_without_its_number(role, make_person):
    high, low = make_person(roles=ANALYST, clearance=3), make_person(roles=ANALYST, clearance=1)
    facts = candidate(sensitivity=3)
    with role("vigil_console", high):
        services.propose_entry(actor=high, candidate=facts, classification="baseline", at=clock.now())
    again = candidate(sha256=facts.sha256)
    with role("vigil_console", low):
        with pytest.raises(ListedOutOfSight) as told:
            services.propose_entry(actor=low, candidate=again, classification="baseline", at=clock.now())
        assert told.value.args == ()
        assert services.propose_entry(actor=low, candidate=candidate(), classification="baseline", at=clock.now())


def test_nobody_proposes_above_their_clearance(role, make_person):
    low = make_person(roles=ANALYST, clearance=1)
    with role("vigil_console", low), pytest.raises(VigilError) as told:
        services.propose_entry(actor=low, candidate=candidate(sensitivity=2), classification="baseline", at=clock.now())
    assert isinstance(told.value, (NotFound, NotPermitted))


def test_the_desk_shows_what_this_human_being_may_still_assess(proposed, role, make_person):
    entry, analyst, (first, second, _) = proposed
    accounts = [make_person(roles=ASSESSOR, identity_id=person(one.id).identity_id) for one in (analyst, first)]
    _assess(role, first, entry, "unsure")

    def desk(actor):
        with role("vigil_console", actor):
            return [item.id for item in selectors.entries_to_assess(actor)]

    assert desk(second) == [entry.id]
    assert desk(first) == desk(accounts[0]) == desk(accounts[1]) == []


def test_an_entry_above_clearance_is_not_there(role, make_person):
    analyst, other = make_person(roles=ANALYST, clearance=3), make_person(roles=ANALYST, clearance=1)
    with role("vigil_console", analyst):
        entry = services.propose_entry(
            actor=analyst, candidate=candidate(sensitivity=3), classification="baseline", at=clock.now()
        )
    with role("vigil_console", other), pytest.raises(EntryNotFound):
        selectors.entry(entry.id)


def test_feed_versions_have_no_gaps_under_concurrent_publishers(transactional_db, make_person, role):
    analyst, first, second = make_person(roles=ANALYST), make_person(roles=ASSESSOR), make_person(roles=ASSESSOR)
    entries = []
    for _ in range(12):
        with role("vigil_console", analyst):
            entries.append(
                services.propose_entry(actor=analyst, candidate=candidate(), classification="baseline", at=clock.now())
            )
        _assess(role, first, entries[-1])

    def publish(place):
        entry = entries[place]
        try:
            with role("vigil_console", second):
                looked(second, entry.id)
                services.decide_assessment(actor=second, entry_id=entry.id, verdict="illegal", at=clock.now())
                if place % 3 == 0:
                    services.withdraw_entry(actor=second, entry_id=entry.id, reason="mistake", at=clock.now())
                if place % 4 == 1:
                    raise _PowerCut  # the number was taken, and is free again
        except _PowerCut:
            pass
        finally:
            connections.close_all()

    _in_threads(publish, range(12))
    changes = selectors.feed_since(0)
    cut = {entries[place].id for place in range(12) if place % 4 == 1}
    assert [change.version for change in changes] == list(range(1, len(changes) + 1))
    assert {change.entry_id for change in changes} == {entry.id for entry in entries} - cut
    assert selectors.feed_version() == len(changes)
    gone = {change.entry_id for change in changes if change.change == "withdraw"}
    assert gone == {entries[place].id for place in range(0, 12, 3)} - cut


class _PowerCut(Exception):
    pass


def _in_threads(work, places):
    threads = [threading.Thread(target=work, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)


# Seven accounts of five human beings: 0 and 1 are the proposer, 2 and 3 one assessor, 4, 5 and 6 three others.
HUMANS = (0, 0, 1, 1, 2, 3, 4)
STEPS = st.tuples(
    st.integers(0, 6), st.sampled_from(["look", "illegal", "illegal", "not_illegal", "unsure", "withdraw"])
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_no_sequence_of_commands_publishes_without_two_human_beings(steps, role, make_person):
    identities = [new_id() for _ in range(5)]
    accounts = [make_person(roles=ANALYST | ASSESSOR, identity_id=identities[human]) for human in HUMANS]
    with role("vigil_console", accounts[0]):
        facts = candidate()
        entry = services.propose_entry(actor=accounts[0], candidate=facts, classification="baseline", at=clock.now())
    state, verdicts, looks = "proposed", {}, set()
    for account, act in steps:
        human, actor = HUMANS[account], accounts[account]
        is_open = state == "proposed" and human != 0 and human not in verdicts
        if act == "look":
            is_allowed = is_open and account not in looks
        else:
            is_allowed = state == "published" if act == "withdraw" else is_open and account in looks
        assert _try(role, actor, entry, act) == is_allowed
        if is_allowed and act == "look":
            looks.add(account)
        elif is_allowed and act == "withdraw":
            state = "withdrawn"
        elif is_allowed:
            verdicts[human] = act
            state = policies.state_after(verdicts.values())
        assert selectors.published_state(entry.id) == state
        if state in {"published", "withdrawn"}:
            assert len({human for human, verdict in verdicts.items() if verdict == "illegal" and human != 0}) >= 2
        told = [change.change for change in selectors.feed_since(0) if change.entry_id == entry.id]
        assert told == {"published": ["publish"], "withdrawn": ["publish", "withdraw"]}.get(state, [])


def _try(role, actor, entry, act):
    try:
        with role("vigil_console", actor):
            if act == "look":
                looked(actor, entry.id)
            elif act == "withdraw":
                services.withdraw_entry(actor=actor, entry_id=entry.id, reason="mistake", at=clock.now())
            else:
                services.decide_assessment(actor=actor, entry_id=entry.id, verdict=act, at=clock.now())
    except VigilError:
        return False
    return True


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
