"""The place is looked at just before each mail; the mail is real; what fails is visible, tried again and never lost."""

from __future__ import annotations

import socket
import threading
import time
from datetime import timedelta

import pytest
import xarf
from django.db import IntegrityError, transaction

from vigil.core import clock
from vigil.core.ids import format_number
from vigil.core.models import Event
from vigil.removal import mailer, selectors, services
from vigil.removal.models import AnswerToken, Notice, NoticeAttempt
from vigil.removal.wire.notice_mail import parsed_notice
from vigil_demo.provider import read_notice


def test_a_place_found_up_is_mailed_and_the_mail_says_what_the_notice_says(due, drive, mail_server, audit_rows):
    notice = drive.look(due, "up")

    (mail,) = mail_server.mails_to("abuse@hosting.example")
    read = parsed_notice(mail.raw)
    assert xarf.parse(read["xarf"]).errors == []
    assert read["xarf"]["url"].startswith("http://pictures-") and read["xarf"]["url"].endswith(".example/picture.png")
    assert read["xarf"]["source_identifier"] == "198.51.100.7"
    assert read["xarf"]["url"] not in read["text"] and "hxxp://pictures-" in read["text"]
    assert format_number(notice.number) in read["subject"]
    assert read["date"] == drive.now.replace(microsecond=0)
    assert (notice.state, notice.mails_sent, notice.sent_at) == ("sent", 1, drive.now)
    assert notice.next_mail_at == drive.now + timedelta(hours=24)
    assert [row["action"] for row in audit_rows(notice.id)][-2:] == ["notice.send", "notice.check"]
    assert Event.objects.filter(kind="removal.notice_sent", subject_id=notice.id).count() == 1
    (attempt,) = NoticeAttempt.objects.all()
    assert (attempt.outcome, attempt.message_id) == ("sent", mail.message_id)


def test_nothing_is_mailed_before_the_place_was_looked_at(due, drive, mail_server):
    drive.tick(due)
    assert mail_server.mails == []


def test_a_look_that_could_not_tell_sends_nothing_is_visible_and_is_repeated(due, drive, mail_server):
    notice = drive.look(due, "unknown")

    assert mail_server.mails == []
    assert (notice.state, notice.place_state, notice.last_failure) == ("due", "unknown", "check.unknown")
    assert drive.tick(notice) is None, "not again at once"
    drive.later(hours=1)
    assert drive.look(notice, "up").state == "sent"


def test_a_stale_look_does_not_count_as_just_before_sending(due, drive, mail_server):
    check = drive.tick(due)
    from vigil.removal.tests.factories import finish_check

    finish_check(drive.owner, check, "up", drive.now)
    drive.later(minutes=11)
    with drive.role("vigil_worker"):
        services.take_check(check_id=check, at=drive.now)

    assert mail_server.mails == []
    assert drive.look(due, "up").state == "sent"
    assert len(mail_server.mails) == 1


def test_a_mail_server_that_is_down_is_visible_and_tried_again_until_it_is_up(
    due, drive, mail_server, role, make_person
):
    officer = make_person(roles={"removal_officer"})
    mail_server.stop()
    waits = []
    for n in range(1, 4):
        notice = drive.look(due, "up")
        assert (notice.state, notice.failures, notice.last_failure) == ("due", n, "smtp.unreachable")
        waits.append(notice.next_mail_at - drive.now)
        assert drive.tick(notice) is None
        drive.now = notice.next_mail_at
    assert waits[0] < waits[1] < waits[2]
    with role("vigil_console", officer):
        assert [one.id for one in selectors.notices_that_need_a_person(officer)] == [due.id]
    assert AnswerToken.objects.count() == 0

    mail_server.start()
    notice = drive.look(due, "up")

    assert (notice.state, notice.failures, notice.last_failure) == ("sent", 0, "")
    assert [one.outcome for one in notice.attempts.order_by("at")] == ["failed", "failed", "failed", "sent"]
    assert len({one.message_id for one in notice.attempts.all()}) == 1
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [("451 4.3.0 Later", "smtp.deferred"), ("554 5.7.1 No", "smtp.refused")],
)
def test_what_the_mail_server_said_stands_on_the_notice(due, drive, mail_server, reply, code):
    mail_server.refuse_next(reply)
    notice = drive.look(due, "up")
    assert (notice.state, notice.last_failure) == ("due", code)


def test_a_key_process_that_is_away_delays_the_mail(due, drive, mail_server, settings, tmp_path):
    socket = settings.KEYD_SOCKET
    settings.KEYD_SOCKET = tmp_path / "nobody.sock"
    notice = drive.look(due, "up")
    assert (notice.state, notice.last_failure) == ("due", "keyd.unavailable")
    settings.KEYD_SOCKET = socket
    drive.now = notice.next_mail_at
    assert drive.look(notice, "up").state == "sent"


@pytest.fixture
def tarpit(settings):
    """A mail server that answers every command, slowly."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.SMTP_PORT = listener.getsockname()[1]

        def serve():
            connection, _ = listener.accept()
            with connection:
                while not stop.wait(0.3):
                    try:
                        connection.sendall(b"250 Go on\r\n")
                    except OSError:
                        return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        stop.set()


def test_a_mail_server_that_takes_for_ever_is_left_in_time(due, drive, tarpit, monkeypatch):
    monkeypatch.setattr(mailer, "WHOLE_SECONDS", 1.0)
    monkeypatch.setattr(mailer, "ANSWER_SECONDS", 0.8)
    begun = time.monotonic()
    notice = drive.look(due, "up")
    assert (notice.state, notice.last_failure) in {("due", "smtp.unreachable"), ("due", "smtp.deferred")}
    assert time.monotonic() - begun < 4


class Crash(Exception):
    """The machine goes away."""


def test_a_crash_between_sending_and_recording_repeats_the_same_mail_and_records_it_once(due, drive, mail_server, role):
    from vigil.removal.tests.factories import finish_check

    check = drive.tick(due)
    finish_check(drive.owner, check, "up", drive.now)
    with role("vigil_worker"), pytest.raises(Crash), transaction.atomic():
        services.take_check(check_id=check, at=drive.now)
        raise Crash  # the server has the mail, our transaction is lost
    assert Notice.objects.get(id=due.id).mails_sent == 0 and len(mail_server.mails) == 1

    with role("vigil_worker"):
        services.take_check(check_id=check, at=drive.later(seconds=20))
        services.take_check(check_id=check, at=drive.later(seconds=20))

    first, second = mail_server.mails
    assert first.raw == second.raw and first.message_id == second.message_id
    assert read_notice(first).link == read_notice(second).link
    assert NoticeAttempt.objects.filter(outcome="sent").count() == 1
    assert AnswerToken.objects.count() == 1
    assert Notice.objects.get(id=due.id).mails_sent == 1


def test_one_mail_is_recorded_as_sent_once_by_the_database(sent, role):
    attempt = NoticeAttempt.objects.get(notice=sent)
    for changes in ({"kind": attempt.kind}, {"kind": "other", "message_id": attempt.message_id}):
        with role("vigil_worker"), pytest.raises(IntegrityError), transaction.atomic():
            NoticeAttempt.objects.create(
                **{"notice": sent, "provider_id": sent.provider_id, "kind": "notice", "message_id": "<x@y>",
                   "at": clock.now(), "outcome": "sent"} | changes
            )  # fmt: skip


def test_a_reminder_goes_out_every_24_hours_while_the_place_is_up_and_not_before(sent, drive, mail_server):
    sent_at = drive.now
    drive.now = sent_at + timedelta(hours=23, minutes=59)
    check = drive.tick(sent)  # a visit may be due; no mail is
    if check is not None:
        drive.finish(sent, check, "up")
    assert len(mail_server.mails) == 1

    for n in (1, 2):
        drive.now = sent_at + timedelta(hours=24 * n, minutes=2 * n)
        notice = drive.look(sent, "up")
        assert notice.mails_sent == 1 + n

    first, *reminders = mail_server.mails
    assert [str(mail.message["In-Reply-To"]) for mail in reminders] == [first.message_id] * 2
    assert len({mail.message_id for mail in mail_server.mails}) == 3
    assert len({read_notice(mail).link for mail in mail_server.mails}) == 3
    assert all("Reminder" in str(mail.message["Subject"]) for mail in reminders)


def test_the_first_mail_waits_for_core_clock_in_the_tick(due, drive, role):
    """The tick itself reads the due times: with `core.clock` before them nothing is asked for."""
    with role("vigil_worker"):
        assert services.ask_due_checks(at=drive.now - timedelta(seconds=1)) == 0
        assert services.ask_due_checks(at=drive.now) == 1


def test_a_look_that_never_came_back_is_asked_for_again(due, drive):
    assert drive.tick(due) is not None
    drive.later(minutes=29)
    assert drive.tick(due) is None
    drive.later(minutes=2)
    assert drive.tick(due) is not None


def test_only_the_digest_of_a_link_is_kept(sent, mail_server):
    token = read_notice(mail_server.mails[0]).link.rpartition("/")[2]
    row = AnswerToken.objects.get()
    assert len(token) == 22 and token.encode() not in bytes(row.token_hash)
    assert len(bytes(row.token_hash)) == 32
    assert row.expires_at - row.made_at == timedelta(days=14)


def test_a_near_match_names_no_exact_hash(drive, entry, keyd_server, rdap_server, mail_server, make_person):
    person = make_person(roles={"assessor"})
    notice = drive.look_up(drive.open(drive.sighting(entry, match="near", decided_by=person.id)))
    drive.look(notice, "up")
    read = parsed_notice(mail_server.mails[0].raw)
    assert "hash_values" not in read["xarf"] and "changed copy" in read["text"]
