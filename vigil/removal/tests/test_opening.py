"""A notice opens for a published entry and a confirmed sighting, once, and for nothing else, whoever writes the row."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from vigil.core import events
from vigil.core.ids import new_id, random_number, resolve_number
from vigil.core.models import Event
from vigil.lists import services as lists
from vigil.removal import services
from vigil.removal.models import Notice


def withdraw(make_person, role, entry, at):
    assessor = make_person(roles={"assessor"}, clearance=3)
    with role("vigil_console", assessor):
        lists.withdraw_entry(actor=assessor, entry_id=entry, reason="mistake", at=at)


def test_a_confirmed_sighting_opens_one_notice_with_a_number(drive, entry, audit_rows):
    sighting = drive.sighting(entry)

    notice = drive.open(sighting)
    again = drive.open(sighting)

    assert notice is not None and again is not None and notice.id == again.id
    assert (notice.state, notice.entry_id, notice.sighting_id) == ("due", entry, sighting)
    assert resolve_number(notice.number) == ("notice", notice.id)
    assert [row["action"] for row in audit_rows(notice.id)] == ["notice.open"]
    assert Event.objects.filter(kind="removal.notice_opened", subject_id=notice.id).count() == 1


def test_the_address_stands_nowhere_in_the_row_in_clear(drive, entry):
    notice = drive.open(drive.sighting(entry, url="http://pictures.example/canary-7a6f.png"))

    assert "canary" not in repr([bytes(v) if isinstance(v, memoryview) else v for v in vars(notice).values()])


@pytest.mark.parametrize("state", ["proposed", "rejected"])
def test_a_sighting_that_nobody_confirmed_opens_nothing(drive, entry, state):
    assert drive.open(drive.sighting(entry, state=state)) is None
    assert not Notice.objects.exists()


def test_an_entry_withdrawn_before_the_job_ran_opens_nothing(drive, entry, make_person, role):
    sighting = drive.sighting(entry)
    withdraw(make_person, role, entry, drive.now)

    assert drive.open(sighting) is None


def raw_notice(entry, sighting, place, at):
    return Notice(
        number=random_number(), entry_id=entry, sighting_id=sighting, last_sighting_id=sighting, place_id=place,
        place_sealed=b"x", exact=True, classification="baseline", first_seen_at=at, round_seen_at=at, opened_at=at,
    )  # fmt: skip


@pytest.mark.parametrize("door", ["vigil_worker", "vigil_owner"])
@pytest.mark.parametrize("wrong", ["proposed", "rejected", "other entry", "other place", "withdrawn"])
def test_the_database_refuses_a_notice_that_is_not_called_for(drive, entry, make_person, role, door, wrong):
    from vigil.removal.tests.factories import make_published_entry

    sighting = drive.sighting(entry, state=wrong if wrong in {"proposed", "rejected"} else "confirmed")
    row = raw_notice(entry, sighting, place_of(sighting), drive.now)
    if wrong == "other entry":
        row.entry_id = make_published_entry(make_person, role)
    if wrong == "other place":
        row.place_id = new_id()
    if wrong == "withdrawn":
        withdraw(make_person, role, entry, drive.now)

    with role(door), pytest.raises(IntegrityError, match="a notice needs"), transaction.atomic():
        row.save(force_insert=True)
    assert not Notice.objects.filter(id=row.id).exists()


def place_of(sighting):
    from vigil.crawl.models import Sighting

    return Sighting.objects.get(id=sighting).place_id


def test_a_notice_cannot_be_turned_to_another_place(drive, entry, role):
    notice = drive.open(drive.sighting(entry))
    for door in ("vigil_worker", "vigil_owner"):
        with role(door), pytest.raises(IntegrityError, match="a notice needs"), transaction.atomic():
            Notice.objects.filter(id=notice.id).update(place_id=new_id())


def test_a_called_for_notice_is_accepted_by_the_same_rule(drive, entry, role):
    sighting = drive.sighting(entry)
    with role("vigil_worker"):
        raw_notice(entry, sighting, place_of(sighting), drive.now).save(force_insert=True)
    assert Notice.objects.filter(sighting_id=sighting).count() == 1


@pytest.mark.parametrize("door", ["vigil_public", "vigil_console", "vigil_partner", "vigil_wire", "vigil_crawl"])
def test_no_other_door_may_insert_a_notice(drive, entry, role, make_person, door):
    sighting = drive.sighting(entry)
    person = make_person(roles={"removal_officer"}, clearance=3)
    row = raw_notice(entry, sighting, place_of(sighting), drive.now)
    with role(door, person), pytest.raises(Exception, match="permission denied"), transaction.atomic():
        row.save(force_insert=True)


def test_a_withdrawn_entry_stops_its_notices_and_nothing_is_due_any_more(due, drive, make_person, role, entry):
    check = drive.tick(due)
    withdraw(make_person, role, entry, drive.now)
    with role("vigil_worker"):
        assert services.stop_notices_for_entry(entry_id=entry, at=drive.now) == 1
        assert services.stop_notices_for_entry(entry_id=entry, at=drive.now) == 0

    notice = drive.finish(due, check, "up")

    assert (notice.state, notice.stop_reason) == ("stopped", "entry.withdrawn")
    assert notice.attempts.count() == 0
    drive.later(days=30)
    assert drive.tick(due) is None


def test_a_mail_is_not_sent_for_an_entry_withdrawn_a_moment_ago(due, drive, make_person, role, entry, mail_server):
    check = drive.tick(due)
    withdraw(make_person, role, entry, drive.now)  # the job that stops the notice has not run yet

    drive.finish(due, check, "up")

    assert mail_server.mails == []


def test_the_handlers_are_registered():
    from vigil.removal import jobs

    kinds = {kind for kind, handlers in events.handlers.items() for one in handlers if one.__module__ == jobs.__name__}
    assert kinds == {
        "crawl.sighting_confirmed", "lists.entry_withdrawn", "removal.lookup_due", "removal.check_due", "crawl.check_done",
        "removal.answered", "casework.places_known",
    }  # fmt: skip
    assert jobs.ask_for_what_is_due in events.ticks
