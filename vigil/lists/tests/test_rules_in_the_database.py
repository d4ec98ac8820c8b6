"""The rules of publication hold against whoever writes SQL as the console does, past every service."""

import secrets

import pytest
from django.db import Error as DatabaseError
from django.db import connection, transaction

from vigil.accounts.selectors import person
from vigil.core import clock
from vigil.core.ids import new_id
from vigil.lists import selectors, services
from vigil.lists.models import Entry
from vigil.lists.tests.factories import candidate, looked


@pytest.fixture
def people(make_person):
    return make_person(roles={"intake_analyst"}), [make_person(roles={"assessor"}) for _ in range(3)]


@pytest.fixture
def entry(people, role):
    analyst, _ = people
    with role("vigil_console", analyst):
        return services.propose_entry(actor=analyst, candidate=candidate(), classification="baseline", at=clock.now())


@pytest.fixture
def sql(role):
    """Run statements as the console, in the name of somebody; deferred rules are checked at the end, as at commit."""

    def run(actor, *statements):
        with role("vigil_console", actor), transaction.atomic(), connection.cursor() as cursor:
            for statement, values in statements:
                cursor.execute(statement, values)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS entry_change_is_in_feed, counter_is_feed DEFERRED")

    return run


def _state(entry):
    return Entry.objects.values_list("state", flat=True).get(id=entry.id)


def _assess(role, actor, entry, verdict="illegal"):
    with role("vigil_console", actor):
        looked(actor, entry.id)
        services.decide_assessment(actor=actor, entry_id=entry.id, verdict=verdict, at=clock.now())


def _look_row(actor, entry, *, is_delivered):
    now = clock.now()
    look_id = new_id()
    statement = (
        "INSERT INTO lists_look (id, entry_id, assessor_id, started_at, delivered_at) VALUES (%s, %s, %s, %s, %s)"
    )
    return look_id, (statement, [look_id, entry.id, actor.id, now, now if is_delivered else None])


def _assessment_row(actor, entry, look_id, *, identity_id=None, verdict="illegal"):
    return (
        "INSERT INTO lists_assessment (id, entry_id, assessor_id, identity_id, look_id, verdict, decided_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, now())",
        [new_id(), entry.id, actor.id, identity_id or person(actor.id).identity_id, look_id, verdict],
    )


PUBLISH = "UPDATE lists_entry SET state = 'published' WHERE id = %s"


def test_what_the_services_write_passes_at_commit(people, entry, role, sql):
    _, (first, second, _) = people
    _assess(role, first, entry)
    _assess(role, second, entry)
    sql(second)
    with role("vigil_console", first):
        services.withdraw_entry(actor=first, entry_id=entry.id, reason="mistake", at=clock.now())
    sql(first)
    assert _state(entry) == "withdrawn"


def test_an_entry_is_not_born_published(people, sql):
    analyst, _ = people
    columns = (
        "id, number, state, sha256, md5, pdq, pdq_quality, classification, candidate_id, place_id, incident_id, sensitivity,"
        " proposed_by_id, proposed_at, withdrawn_reason"
    )
    values = [
        new_id(), secrets.token_hex(5).upper(), "published", bytes(32), bytes(16), bytes(32), 100, "baseline", new_id(), new_id(),
        new_id(), 1, analyst.id, clock.now(), "",
    ]  # fmt: skip
    statement = f"INSERT INTO lists_entry ({columns}) VALUES ({', '.join(['%s'] * len(values))})"
    with pytest.raises(DatabaseError, match="begins as proposed"):
        sql(analyst, (statement, values))


@pytest.mark.parametrize("illegal_verdicts", [0, 1])
def test_fewer_than_two_verdicts_do_not_publish(people, entry, role, sql, illegal_verdicts):
    _, assessors = people
    for assessor in assessors[:illegal_verdicts]:
        _assess(role, assessor, entry)
    with pytest.raises(DatabaseError, match="two assessors who looked"):
        sql(assessors[2], (PUBLISH, [entry.id]))


def test_two_forged_verdicts_do_not_publish(people, entry, role, sql):
    _, (first, second, _) = people
    _assess(role, first, entry)
    look_id, look = _look_row(second, entry, is_delivered=True)
    with pytest.raises(DatabaseError, match="row-level security"):
        sql(first, look, _assessment_row(second, entry, look_id), (PUBLISH, [entry.id]))
    assert _state(entry) == "proposed"


def test_a_verdict_without_a_delivered_look_is_refused(people, entry, sql):
    _, (first, *_) = people
    look_id, look = _look_row(first, entry, is_delivered=False)
    with pytest.raises(DatabaseError, match="without having looked"):
        sql(first, look, _assessment_row(first, entry, look_id))


def test_a_verdict_on_somebody_elses_look_is_refused(people, entry, role, sql):
    _, (first, second, _) = people
    with role("vigil_console", first):
        ticket = looked(first, entry.id)
    with pytest.raises(DatabaseError, match="without having looked"):
        sql(second, _assessment_row(second, entry, ticket.id))


def test_the_proposer_does_not_assess_in_sql_either(entry, people, sql):
    analyst, _ = people
    look_id, look = _look_row(analyst, entry, is_delivered=True)
    with pytest.raises(DatabaseError, match="proposer does not assess"):
        sql(analyst, look, _assessment_row(analyst, entry, look_id))


def test_a_made_up_identity_is_refused(people, entry, sql):
    _, (first, *_) = people
    look_id, look = _look_row(first, entry, is_delivered=True)
    with pytest.raises(DatabaseError, match="human being behind the account"):
        sql(first, look, _assessment_row(first, entry, look_id, identity_id=new_id()))


def test_two_accounts_of_one_human_being_give_one_verdict(people, entry, role, sql, make_person):
    _, (first, *_) = people
    other = make_person(roles={"assessor"}, identity_id=person(first.id).identity_id)
    _assess(role, first, entry)
    look_id, look = _look_row(other, entry, is_delivered=True)
    with pytest.raises(DatabaseError, match="assessment_one_per_human"):
        sql(other, look, _assessment_row(other, entry, look_id))


def test_an_objection_stands_in_the_way_of_publication(people, entry, role, sql):
    _, (first, second, third) = people
    _assess(role, first, entry)
    look_id, look = _look_row(third, entry, is_delivered=True)
    sql(third, look, _assessment_row(third, entry, look_id, verdict="not_illegal"))  # and the state was not settled
    look_id, look = _look_row(second, entry, is_delivered=True)
    with pytest.raises(DatabaseError, match="not illegal is not published"):
        sql(second, look, _assessment_row(second, entry, look_id), (PUBLISH, [entry.id]))


def test_a_published_entry_without_its_feed_row_is_not_committed(people, entry, role, sql):
    _, (first, second, _) = people
    _assess(role, first, entry)
    look_id, look = _look_row(second, entry, is_delivered=True)
    with pytest.raises(DatabaseError, match="is in the feed"):
        sql(second, look, _assessment_row(second, entry, look_id), (PUBLISH, [entry.id]))


@pytest.mark.parametrize("state", ["published", "proposed", "refused"])
def test_a_withdrawn_entry_stays_withdrawn(people, entry, role, sql, state):
    _, (first, second, _) = people
    _assess(role, first, entry)
    _assess(role, second, entry)
    with role("vigil_console", first):
        services.withdraw_entry(actor=first, entry_id=entry.id, reason="mistake", at=clock.now())
    with pytest.raises(DatabaseError, match="does not go from withdrawn"):
        sql(first, ("UPDATE lists_entry SET state = %s, withdrawn_at = NULL WHERE id = %s", [state, entry.id]))


def _feed_row(entry, version, change, **forged):
    values = {
        "sha256": entry.sha256,
        "md5": entry.md5,
        "pdq": entry.pdq,
        "classification": entry.classification,
    } | forged
    return (
        "INSERT INTO lists_feedrow (version, entry_id, change, at, sha256, md5, pdq, classification)"
        " VALUES (%s, %s, %s, now(), %s, %s, %s, %s)",
        [version, entry.id, change, *values.values()],
    )


COUNT_UP = ("UPDATE lists_feedcounter SET version = version + 1", [])


def test_the_feed_says_nothing_about_an_entry_that_is_only_proposed(people, entry, sql):
    analyst, _ = people
    with pytest.raises(DatabaseError, match="what happened to the entry"):
        sql(analyst, COUNT_UP, _feed_row(entry, 1, "publish"))


def test_the_feed_carries_no_other_hashes_than_the_entry(people, entry, role, sql):
    _, (first, second, _) = people
    _assess(role, first, entry)
    look_id, look = _look_row(second, entry, is_delivered=True)
    steps = [look, _assessment_row(second, entry, look_id), (PUBLISH, [entry.id]), COUNT_UP]
    with pytest.raises(DatabaseError, match="hashes of the entry"):
        sql(second, *steps, _feed_row(entry, 1, "publish", sha256=bytes(32)))
    sql(second, *steps, _feed_row(entry, 1, "publish"))
    assert [change.version for change in selectors.feed_since(0)] == [1]


@pytest.mark.parametrize("version", [1, 3])
def test_the_feed_takes_no_version_but_the_next(people, entry, role, sql, version):
    _, (first, second, _) = people
    _assess(role, first, entry)
    _assess(role, second, entry)
    withdraw = ("UPDATE lists_entry SET state = 'withdrawn', withdrawn_at = now() WHERE id = %s", [entry.id])
    with pytest.raises(DatabaseError, match=r"no gaps|feedrow_pkey"):
        sql(first, withdraw, COUNT_UP, _feed_row(entry, version, "withdraw"))


def test_the_counter_does_not_run_ahead_of_the_feed(people, sql):
    analyst, _ = people
    with pytest.raises(DatabaseError, match="counter is the version"):
        sql(analyst, COUNT_UP)


def test_looks_and_verdicts_on_an_entry_above_clearance_are_not_there(role, make_person):
    analyst, first = make_person(roles={"intake_analyst"}, clearance=3), make_person(roles={"assessor"}, clearance=3)
    low = make_person(roles={"assessor"}, clearance=1)
    with role("vigil_console", analyst):
        entry = services.propose_entry(
            actor=analyst, candidate=candidate(sensitivity=3), classification="baseline", at=clock.now()
        )
    _assess(role, first, entry)
    with role("vigil_console", low), connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM lists_look), (SELECT count(*) FROM lists_assessment)")
        assert cursor.fetchone() == (0, 0)


@pytest.mark.parametrize("name", ["vigil_public", "vigil_partner", "vigil_wire", "vigil_index", "vigil_keyd"])
def test_these_doors_cannot_read_entries(role, name):
    with role(name), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        list(Entry.objects.all())


@pytest.mark.parametrize(
    "name", ["vigil_console", "vigil_worker", "vigil_crawl", "vigil_index", "vigil_wire", "vigil_stats"]
)
def test_these_doors_read_the_feed_and_only_the_console_writes_it(role, make_person, name):
    with role(name, make_person()):
        assert (selectors.feed_version(), selectors.feed_since(0)) == (0, [])
        if name != "vigil_console":
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                services._append_to_feed(Entry(), "publish", clock.now())
