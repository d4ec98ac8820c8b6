"""The staff pages: the board names no host, a notice's page shows its place taken apart, and clearance holds twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from vigil.accounts.errors import ActionNotPermitted
from vigil.core import clock
from vigil.core.ids import format_number
from vigil.removal import selectors, services
from vigil.removal.errors import NoticeClosed, NoticeNotFound
from vigil.removal.models import Notice
from vigil.removal.services import AnswerForm
from vigil.removal.words import BOARD_WORDS
from vigil_demo.provider import read_notice

OFFICER, ANALYST = {"removal_officer"}, {"intake_analyst"}


@pytest.fixture(autouse=True)
def console_map(settings):
    settings.ROOT_URLCONF = "vigil.removal.tests.urls_console"


@pytest.fixture
def visit(role, monkeypatch):
    """`visit(person, "get", "/board")` as the console process, signed in."""

    def ask(person, method, path, data=None, language="en", **kwargs):
        from django.http import HttpRequest

        from vigil.accounts import services as accounts_services
        from vigil.accounts.models import Person
        from vigil.accounts.sessions import SessionStore

        with role("vigil_console", person):
            request = HttpRequest()
            request.session = SessionStore()
            accounts_services.begin_session(request, Person.objects.get(id=person.id))
            request.session.save()
            client = Client(headers={"host": django_settings.HOST_OF_ORIGIN["console"]})
            client.cookies[django_settings.SESSION_COOKIE_NAME] = request.session.session_key
            client.cookies["__Host-l"] = language
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('vigil.actor', '', true)")
            return getattr(client, method)(path, data, **kwargs)

    return ask


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Removals", "Up", "Example Hosting")), ("fr", ("Retraits", "En ligne", "Example Hosting"))],
)
def test_the_board_has_a_row_for_each_notice_in_words_and_no_host(
    sent, visit, make_person, language, words, audit_rows
):
    officer = make_person(roles=OFFICER)

    page = visit(officer, "get", "/board", language=language)

    text = page.content.decode()
    assert page.status_code == 200 and f'lang="{language}"' in text
    assert all(word in text for word in (*words, format_number(sent.number)))
    assert "pictures-" not in text and "198.51.100" not in text
    assert [row["action"] for row in audit_rows(officer.id)][-1] == "board.view"


def test_the_board_says_unknown_when_the_last_look_could_not_tell(sent, drive, visit, make_person):
    drive.now = sent.next_check_at
    drive.look(sent, "unknown")
    text = visit(make_person(roles=OFFICER), "get", "/board?state=unknown").content.decode()
    assert format_number(sent.number) in text and "It may still be online" in text
    assert "badge--unknown" in text


def test_an_empty_board_and_an_empty_filter_say_so(visit, make_person, sent):
    officer = make_person(roles=OFFICER)
    assert "No notice is in this state." in visit(officer, "get", "/board?state=removed").content.decode()
    assert "Nothing is waiting for a person." in visit(officer, "get", "/notices").content.decode()


def test_a_notices_page_shows_the_place_taken_apart_and_records_both_views(sent, visit, make_person, audit_rows):
    officer = make_person(roles=OFFICER)

    text = visit(officer, "get", f"/notices/{sent.number}").content.decode()

    assert "hxxp[:]//pictures-" in text
    assert 'href="http://pictures' not in text and "http://pictures" not in text
    assert "<title>Notice" in text and "pictures" not in text.partition("</title>")[0]
    assert audit_rows(sent.id)[-1]["action"] == "notice.view"
    assert audit_rows(sent.place_id)[-1]["data"] == {
        "process": "console", "purpose": "removal.view", "ticket": str(sent.id),
    }  # fmt: skip


def test_without_the_key_process_the_page_says_that_the_address_cannot_be_opened(
    sent, visit, make_person, settings, tmp_path
):
    settings.KEYD_SOCKET = tmp_path / "nobody.sock"
    page = visit(make_person(roles=OFFICER), "get", f"/notices/{sent.number}")
    assert page.status_code == 200
    assert "The address cannot be opened now" in page.content.decode()


@pytest.fixture
def protected(drive, entry, keyd_server, rdap_server, mail_server):
    notice = drive.look_up(drive.open(drive.sighting(entry, sensitivity=2)))
    return drive.look(notice, "up")


def test_a_notice_above_clearance_is_nowhere(protected, sent, visit, make_person, role):
    low, high = make_person(roles=OFFICER, clearance=1), make_person(roles=OFFICER, clearance=2)

    for path in ("/board", "/notices"):
        assert format_number(protected.number) not in visit(low, "get", path).content.decode()
    assert visit(low, "get", f"/notices/{protected.number}").status_code == 404
    for action in ("again", "continue", "address"):
        answer = visit(
            low, "post", f"/notices/{protected.number}/{action}", {"name": "X", "abuse_email": "a@b.example"}
        )
        assert answer.status_code == 404
    assert format_number(protected.number) in visit(high, "get", "/board").content.decode()
    with role("vigil_console", low):
        # Row policies alone, without asking for permission in code:
        assert [row.id for row in Notice.objects.all()] == [sent.id]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM removal_noticeattempt WHERE notice_id = %s", [protected.id])
            assert cursor.fetchone() == (0,)
        with pytest.raises(NoticeNotFound):
            selectors.notice_page(low, protected.id)


@pytest.mark.parametrize(
    ("roles", "board", "notice", "again"),
    [
        (OFFICER, 200, 200, 303),
        (ANALYST, 200, 200, 403),
        ({"auditor"}, 200, 200, 403),
        ({"police_liaison"}, 200, 403, 403),
        ({"assessor"}, 403, 403, 403),
        ({"administrator"}, 403, 403, 403),
    ],
)
def test_who_may_see_and_do_what(sent, visit, make_person, roles, board, notice, again):
    person = make_person(roles=roles, clearance=3)
    assert visit(person, "get", "/board").status_code == board
    assert visit(person, "get", f"/notices/{sent.number}").status_code == notice
    assert visit(person, "post", f"/notices/{sent.number}/again").status_code == again


@pytest.mark.parametrize("action", ["again", "continue", "address"])
def test_a_get_never_acts(sent, visit, make_person, action):
    assert visit(make_person(roles=OFFICER), "get", f"/notices/{sent.number}/{action}").status_code == 405


def test_a_wrong_mailbox_keeps_what_was_typed_and_says_what_is_wrong(
    drive, entry, keyd_server, rdap_server, visit, make_person
):
    rdap_server.registry.networks.clear()
    notice = drive.look_up(drive.open(drive.sighting(entry)))
    officer = make_person(roles=OFFICER)

    page = visit(
        officer, "post", f"/notices/{notice.number}/address", {"name": "Silent Networks", "abuse_email": "abuse"}
    )

    text = page.content.decode()
    assert page.status_code == 400 and text.count("Enter one mail address") == 2
    assert 'value="Silent Networks"' in text and 'href="#id_abuse_email"' in text
    good = {"name": "Silent Networks", "abuse_email": "abuse@silent.example"}
    done = visit(officer, "post", f"/notices/{notice.number}/address", good, follow=True)
    assert "The mailbox is kept." in done.content.decode()


def test_trying_again_makes_things_due_but_never_mails_twice_before_the_reminder(
    sent, drive, mail_server, role, make_person
):
    officer = make_person(roles=OFFICER)
    drive.later(minutes=5)
    with role("vigil_console", officer):
        services.try_again_now(actor=officer, notice_id=sent.id, at=drive.now)
    drive.look(sent, "up")
    assert len(mail_server.mails) == 1


def test_trying_again_after_a_failed_mail_mails_at_once(due, drive, mail_server, role, make_person):
    officer = make_person(roles=OFFICER)
    mail_server.refuse_next()
    drive.look(due, "up")
    drive.later(seconds=5)
    with role("vigil_console", officer):
        services.try_again_now(actor=officer, notice_id=due.id, at=drive.now)
    assert drive.look(due, "up").state == "sent"


def test_a_dispute_waits_until_a_person_goes_on(sent, drive, mail_server, role, make_person, visit):
    officer = make_person(roles=OFFICER)
    token = read_notice(mail_server.mails[0]).link.rpartition("/")[2]
    with role("vigil_partner"):
        services.confirm_answerer(token=token, at=drive.now)
        services.answer(token=token, form=AnswerForm("not_ours", words="Another company."), at=drive.now)
    notice = drive.answered(sent)
    with role("vigil_console", officer):
        assert [one.id for one in selectors.notices_that_need_a_person(officer)] == [notice.id]

    assert visit(officer, "post", f"/notices/{notice.number}/continue").status_code == 303

    drive.now = clock.now()  # the page goes by the clock itself
    drive.look(notice, "up")
    assert len(mail_server.mails) == 2


def test_a_closed_notice_takes_no_orders(sent, drive, role, make_person):
    officer = make_person(roles=OFFICER)
    for _ in range(2):
        drive.now = drive.read(sent).next_check_at
        drive.look(sent, "down")
    for command in (services.try_again_now, services.continue_reminders):
        with role("vigil_console", officer), pytest.raises(NoticeClosed):
            command(actor=officer, notice_id=sent.id, at=drive.now)


def test_figures_may_count_but_read_no_address_and_no_mailbox(sent, drive, role):
    for _ in range(2):
        drive.now = drive.read(sent).next_check_at
        drive.look(sent, "down")
    since, until = sent.opened_at - timedelta(days=1), drive.now + timedelta(days=1)
    with role("vigil_stats"):
        assert selectors.counts_between(since, until) == {
            "notices_opened": 1, "notices_sent": 1, "mails_sent": 1, "answers": 0, "removals": 1,
        }  # fmt: skip
        ((whole, first),) = selectors.removal_seconds_between(since, until)
        assert whole >= first > 0
        for column, table in (
            ("place_sealed", "removal_notice"),
            ("abuse_email", "removal_provider"),
            ("words", "removal_answer"),
        ):
            from django.db import ProgrammingError, transaction

            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(f"SELECT {column} FROM {table}")


def test_the_board_without_its_action_is_refused(role, make_person):
    person = make_person(roles={"assessor"}, clearance=3)
    with role("vigil_console", person), pytest.raises(ActionNotPermitted):
        selectors.board(person)


def test_the_board_shows_open_notices_first_in_pages_and_each_under_one_word(
    drive, entry, keyd_server, rdap_server, mail_server, role, make_person, monkeypatch
):
    monkeypatch.setattr(selectors, "BOARD_ROWS", 2)
    officer = make_person(roles=OFFICER)
    notices = []
    for _ in range(5):
        notices.append(drive.look_up(drive.open(drive.sighting(entry))))
        drive.later(minutes=1)
    for notice in notices[:2]:  # the oldest two are closed
        drive.look(notice, "down")
    drive.look(notices[2], "unknown")
    drive.look(notices[3], "up")
    drive.later(days=1)
    for notice in notices[:2]:
        drive.look(notice, "down")

    with role("vigil_console", officer):
        pages = [selectors.board(officer, page=n) for n in (1, 2, 3)]
        words = {word: [row.id for row in selectors.board(officer, word=word).rows] for word in BOARD_WORDS}
        (provider,) = selectors.board_providers(officer)

    assert [row.id for page in pages[:2] for row in page.rows][:3] == [notice.id for notice in notices[2:]]
    assert {row.id for row in (*pages[1].rows[1:], *pages[2].rows)} == {notice.id for notice in notices[:2]}
    assert [page.has_more for page in pages] == [True, True, False]
    assert words["unknown"] == [notices[2].id] and words["gone"] and set(words["gone"]) == {n.id for n in notices[:2]}
    assert set(words["up"]) == {notices[3].id, notices[4].id}
    assert words["down"] == words["removed"] == words["reappeared"] == words["stopped"] == []
    assert (provider.open, provider.unknown, provider.removed) == (3, 1, 0)
