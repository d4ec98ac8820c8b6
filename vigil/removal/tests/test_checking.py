"""Removed means: after our mail, two visits far enough apart found it gone. Unknown never counts; a place can come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.core.ids import new_id, random_number, resolve_number
from vigil.core.models import Event
from vigil.removal import selectors, services
from vigil.removal.models import NoticeCheck, Removal


@pytest.fixture(autouse=True)
def six_hours(request):
    request.getfixturevalue("settings").REMOVAL_VISITS_APART_SECONDS = 6 * 3600


def gone_once(drive, notice):
    drive.now = max(drive.now, notice.next_check_at)
    return drive.look(notice, "down")


def test_two_visits_far_enough_apart_confirm_a_removal_with_its_times(sent, drive, audit_rows):
    first = gone_once(drive, sent)
    assert (first.state, first.place_state, first.first_down_at) == ("sent", "down", drive.now)
    first_down = drive.now

    second = gone_once(drive, first)

    removal = Removal.objects.get()
    assert drive.now - first_down >= timedelta(hours=6)
    assert (second.state, second.closed_at) == ("removed", drive.now)
    assert (removal.first_seen_at, removal.notice_sent_at) == (sent.first_seen_at, sent.sent_at)
    assert (removal.first_down_at, removal.confirmed_at) == (first_down, drive.now)
    assert resolve_number(removal.number) == ("removal", removal.id)
    assert Event.objects.filter(kind="removal.confirmed", subject_id=removal.id).count() == 1
    assert [row["action"] for row in audit_rows(removal.id)] == ["removal.confirm"]


def test_a_second_visit_too_soon_confirms_nothing(sent, drive, role):
    notice = gone_once(drive, sent)
    drive.later(hours=5, minutes=59)
    assert drive.tick(notice) is None
    with role("vigil_worker"):
        check = services.ask_check(notice_id=notice.id, at=drive.now)  # asked for all the same

    notice = drive.finish(notice, check, "down")

    assert notice.state == "sent" and not Removal.objects.exists()
    assert gone_once(drive, notice).state == "removed"


def test_no_number_of_looks_that_could_not_tell_is_a_removal(sent, drive):
    notice = sent
    for _ in range(12):
        drive.now = max(drive.now + timedelta(hours=7), notice.next_check_at)
        notice = drive.look(notice, "unknown")
        assert (notice.state, notice.place_state) == ("sent", "unknown")
    assert not Removal.objects.exists()


def test_unknown_between_two_visits_neither_counts_nor_undoes(sent, drive):
    notice = gone_once(drive, sent)
    drive.now = notice.next_check_at
    notice = drive.look(notice, "unknown")
    assert notice.state == "sent" and notice.first_down_at is not None
    drive.now = notice.next_check_at
    assert drive.look(notice, "down").state == "removed"


def test_found_up_again_the_count_of_visits_begins_anew(sent, drive):
    notice = gone_once(drive, sent)
    drive.now = notice.next_check_at
    notice = drive.look(notice, "up")
    assert (notice.first_down_at, notice.state) == (None, "sent")
    assert gone_once(drive, notice).state == "sent"
    assert not Removal.objects.exists()


def test_no_mail_goes_out_about_a_place_that_is_gone_and_reminders_go_on_when_it_is_back(sent, drive, mail_server):
    sent_at = drive.now
    notice = gone_once(drive, sent)
    drive.now = notice.next_check_at
    notice = drive.look(notice, "unknown")
    drive.now = sent_at + timedelta(hours=25)
    check = drive.tick(notice)
    notice = drive.finish(notice, check, "unknown")
    assert len(mail_server.mails) == 1
    drive.now = notice.next_check_at
    notice = drive.look(notice, "up")
    assert notice.mails_sent == 2 and len(mail_server.mails) == 2


def test_gone_before_any_mail_takes_two_visits_too_and_is_no_removal_of_ours(due, drive, mail_server):
    notice = drive.look(due, "down")
    assert (notice.state, notice.next_mail_at) == ("due", None)
    drive.later(hours=1)
    assert drive.tick(notice) is None

    notice = gone_once(drive, notice)

    assert (notice.state, notice.sent_at) == ("gone", None)
    assert not Removal.objects.exists() and mail_server.mails == []


def test_gone_once_and_back_before_any_mail_is_mailed(due, drive, mail_server):
    notice = drive.look(due, "down")
    drive.now = notice.next_check_at
    assert drive.look(notice, "up").state == "sent"
    assert len(mail_server.mails) == 1


@pytest.fixture
def removed(sent, drive):
    notice = gone_once(drive, gone_once(drive, sent))
    assert notice.state == "removed"
    return notice


def test_a_removed_place_that_is_back_opens_the_thread_again_and_can_be_removed_again(
    removed, drive, mail_server, role, make_person
):
    officer = make_person(roles={"removal_officer"})
    drive.now = removed.next_check_at

    notice = drive.look(removed, "up")

    assert (notice.state, notice.mails_sent, len(mail_server.mails)) == ("sent", 2, 2)
    assert notice.reappeared_at == drive.now and notice.closed_at is None
    assert Event.objects.filter(kind="removal.reappeared", subject_id=notice.id).count() == 1
    with role("vigil_console", officer):
        assert selectors.board(officer, word="reappeared").rows[0].place_word == "reappeared"
    again_sent_at = drive.now
    notice = gone_once(drive, gone_once(drive, notice))
    assert notice.state == "removed"
    first, second = Removal.objects.order_by("confirmed_at")
    assert first.notice_sent_at < second.notice_sent_at == again_sent_at


def test_a_later_sighting_of_a_removed_place_opens_the_thread_again(removed, drive, owner):
    from vigil.crawl.models import Sighting

    with owner():
        Sighting.objects.filter(id=removed.sighting_id).update(seen_at=drive.later(days=3))

    notice = drive.open(removed.sighting_id)

    assert notice is not None and notice.id == removed.id
    assert (notice.state, notice.next_mail_at) == ("reappeared", drive.now)


def test_an_older_sighting_told_late_does_not_open_it_again(removed, drive):
    notice = drive.open(removed.sighting_id)
    assert notice is not None and notice.state == "removed"


def test_a_removed_place_is_watched_for_ninety_days(removed, drive):
    notice, looks = removed, 0
    while notice.next_check_at is not None:
        drive.now = notice.next_check_at
        notice = drive.look(notice, "down")
        looks += 1
    assert notice.state == "removed" and 10 <= looks <= 13
    assert Removal.objects.count() == 1


def test_a_late_answer_of_the_crawl_does_not_overrule_a_newer_one(sent, drive, role):
    drive.now = sent.next_check_at
    old = drive.tick(sent)
    drive.later(minutes=31)
    new = drive.tick(sent)
    from vigil.removal.tests.factories import finish_check

    finish_check(drive.owner, old, "down", drive.now)
    drive.later(minutes=1)
    drive.finish(sent, new, "up")
    with role("vigil_worker"):
        notice = services.take_check(check_id=old, at=drive.now)
    assert (notice.place_state, notice.first_down_at) == ("up", None)


def test_a_look_of_another_room_is_not_ours(sent, role, drive):
    with role("vigil_worker"):
        assert services.take_check(check_id=new_id(), at=drive.now) is None


@pytest.mark.parametrize("verdicts", [("down", "unknown"), ("unknown", "down"), ("up", "down"), ("down", "")])
@pytest.mark.parametrize("door", ["vigil_worker", "vigil_owner"])
def test_the_database_refuses_a_removal_without_two_visits_that_found_it_gone(sent, drive, role, owner, verdicts, door):
    checks = []
    with owner():
        for n, verdict in enumerate(verdicts):
            at = drive.now + timedelta(hours=7 * n)
            done = {"verdict": verdict, "done_at": at} if verdict else {}
            checks.append(NoticeCheck.objects.create(id=new_id(), notice=sent, asked_at=at, **done))
    row = {
        "number": random_number(), "notice": sent, "provider_id": sent.provider_id, "first_seen_at": sent.first_seen_at,
        "notice_sent_at": sent.sent_at, "first_down_at": drive.now, "confirmed_at": drive.now + timedelta(hours=7),
        "first_down_check": checks[0], "confirming_check": checks[1],
    }  # fmt: skip
    with role(door), pytest.raises(IntegrityError, match="two visits"), transaction.atomic():
        Removal.objects.create(**row)
    with role(door), pytest.raises(IntegrityError, match="two visits"), transaction.atomic():
        Removal.objects.create(**row | {"confirming_check": checks[0]})


def test_a_notice_cannot_be_removed_without_a_mail(due, role):
    with (
        role("vigil_worker"),
        pytest.raises(IntegrityError, match="notice_removed_only_after_a_mail"),
        transaction.atomic(),
    ):
        due.state, due.closed_at = "removed", due.opened_at
        due.save()


def removals_by_hand(looks, apart):
    """The rule, slowly: (first found gone, confirmed) of the first removal in a row of (hours, verdict), or None."""
    first_gone = None
    for hours, verdict in looks:
        if verdict == "up":
            first_gone = None
        if verdict == "down":
            if first_gone is None:
                first_gone = hours
            elif hours - first_gone >= apart:
                return first_gone, hours
    return None


class Undone(Exception):
    """Ends an example without a trace."""


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from(["up", "down", "down", "unknown"])), min_size=1, max_size=9)
)
def test_any_row_of_looks_ends_as_the_rule_says(sent, drive, role, steps):
    begun, hours, looks = drive.now, 0, []
    for wait, verdict in steps:
        hours += wait
        looks.append((hours, verdict))
    expected = removals_by_hand(looks, 6)
    try:
        with transaction.atomic():
            for at_hours, verdict in looks:
                drive.now = begun + timedelta(hours=at_hours)
                with role("vigil_worker"):
                    check = services.ask_check(notice_id=sent.id, at=drive.now)
                notice = drive.finish(sent, check, verdict)
                assert notice.place_state == verdict
                if notice.state == "removed":
                    break
            rows = [
                ((row.first_down_at - begun) / timedelta(hours=1), (row.confirmed_at - begun) / timedelta(hours=1))
                for row in Removal.objects.all()
            ]
            assert rows == ([expected] if expected else [])
            raise Undone
    except Undone:
        pass
    finally:
        drive.now = begun
