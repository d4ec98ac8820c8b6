"""The link in a notice: opening it changes nothing, it answers once, and it shows one notice to whoever holds it."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from vigil.core import clock, keyd
from vigil.core.ids import format_number
from vigil.core.models import Event
from vigil.removal import services
from vigil.removal.errors import AnswerInvalid, AnswerLinkUnusable
from vigil.removal.models import Answer, AnswerToken, Notice
from vigil.removal.services import AnswerForm
from vigil_demo.provider import read_notice

TABLES = ("removal_notice", "removal_answertoken", "removal_answer", "removal_noticecheck", "core_event", "core_number")


class Browser(Client):
    """A provider's browser at the partner origin: no account; each request begins without any link shown."""

    def __init__(self, **kwargs):
        super().__init__(headers={"host": django_settings.HOST_OF_ORIGIN["partner"]}, **kwargs)

    def request(self, **request):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('vigil.answer', '', true)")
        return super().request(**request)


@pytest.fixture(autouse=True)
def partner_map(settings):
    settings.ROOT_URLCONF = "vigil.removal.tests.urls_partner"


@pytest.fixture
def token(sent, mail_server):
    return read_notice(mail_server.mails[0]).link.rpartition("/")[2]


@pytest.fixture
def visit(role):
    """`visit("get", "/en/answer/...")` as the partner process."""
    client = Browser()

    def ask(method, path, data=None, **kwargs):
        with role("vigil_partner"):
            return getattr(client, method)(path, data, **kwargs)

    return ask


def contents():
    """Every row of the tables that an answer could touch."""
    rows = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")
            rows[table] = cursor.fetchone()
    return rows


def test_the_links_in_the_mail_are_the_pages_addresses(sent, mail_server, token):
    mail = mail_server.mails[0]
    origin = f"http://partner.localhost:{django_settings.PORT_OF_ORIGIN['partner']}"
    assert read_notice(mail).link == f"{origin}/en/answer/{token}"
    assert read_notice(mail, "fr").link == f"{origin}/fr/reponse/{token}"


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("path", ["/en/answer/{}", "/fr/reponse/{}", "/answer/{}"])
def test_a_scanner_that_opens_the_link_changes_nothing_and_learns_the_number_only(sent, token, visit, method, path):
    before = contents()

    for _ in range(3):
        answer = visit(method, path.format(token), follow=True)

    assert answer.status_code == 200
    assert contents() == before
    page = answer.content.decode()
    assert "pictures-" not in page and "hxxp" not in page
    if method == "get":
        assert format_number(sent.number) in page


def test_confirming_shows_the_place_taken_apart_and_is_in_the_audit_log(sent, token, visit, audit_rows):
    page = visit("post", f"/en/answer/{token}", {"step": "confirm"})

    text = page.content.decode()
    assert page.status_code == 200
    assert "hxxp[:]//pictures-" in text and 'href="http://pictures' not in text
    assert 'name="kind"' in text and text.count('type="radio"') == 7
    assert [row["action"] for row in audit_rows(sent.id)][-1] == "notice.answer_view"
    assert audit_rows(sent.place_id)[-1]["data"]["purpose"] == "removal.answer"
    assert not Answer.objects.exists()


def test_an_answer_is_kept_once_and_used_up_the_link(sent, token, visit, drive):
    visit("post", f"/en/answer/{token}", {"step": "confirm"})
    done = visit(
        "post", f"/en/answer/{token}", {"step": "answer", "kind": "removed", "kept_evidence": "yes"}, follow=True
    )
    assert done.status_code == 200 and done.redirect_chain == [("/en/answered/", 303)]
    before = contents()

    again = [
        visit("get", f"/en/answer/{token}"),
        visit("post", f"/en/answer/{token}", {"step": "confirm"}),
        visit("post", f"/en/answer/{token}", {"step": "answer", "kind": "disagree", "words": "x"}),
    ]

    assert [page.status_code for page in again] == [404, 404, 404]
    assert all("This link cannot be used" in page.content.decode() for page in again)
    assert contents() == before
    (kept,) = Answer.objects.all()
    assert (kept.kind, kept.kept_evidence, kept.notice_id) == ("removed", "yes", sent.id)
    assert Event.objects.filter(kind="removal.answered", subject_id=sent.id).count() == 1
    notice = drive.answered(sent)
    assert (notice.state, notice.next_check_at, notice.next_mail_at) == ("answered", drive.now, None)


def test_used_expired_unknown_and_malformed_links_get_the_same_page(sent, token, visit, role, owner):
    visit("post", f"/en/answer/{token}", {"step": "confirm"})
    visit("post", f"/en/answer/{token}", {"step": "answer", "kind": "removed"})
    used = visit("get", f"/en/answer/{token}")
    with owner():
        AnswerToken.objects.update(used_at=None, expires_at=clock.now() - timedelta(seconds=1))
    expired = visit("get", f"/en/answer/{token}")
    unknown = visit("get", f"/en/answer/{secrets.token_urlsafe(16)}")
    odd = visit("get", "/en/answer/%00'--")
    pages = [page.content.replace(token.encode(), b"") for page in (used, expired, unknown, odd)]
    bodies = {b"".join(line for line in page.splitlines() if b"csrf" not in line and b"/answer/" not in line
                       and b"/reponse/" not in line) for page in pages}  # fmt: skip
    assert len(bodies) == 1
    assert {page.status_code for page in (used, expired, unknown, odd)} == {404}


def test_an_answer_without_the_confirming_step_is_refused(sent, token, role):
    with role("vigil_partner"), pytest.raises(AnswerInvalid):
        services.answer(token=token, form=AnswerForm("removed"), at=clock.now())
    assert not Answer.objects.exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Choose what you did."),
        ({"kind": "other"}, "Choose what you did."),
        ({"kind": "disagree", "words": "  "}, "Write a few words"),
        ({"kind": "removed", "words": "x" * 2001}, "Shorten your text"),
        ({"kind": "removed", "kept_evidence": "maybe"}, "Choose yes or no"),
    ],
)
def test_a_wrong_answer_keeps_what_was_typed_and_says_what_is_wrong(sent, token, visit, data, sentence):
    visit("post", f"/en/answer/{token}", {"step": "confirm"})

    page = visit("post", f"/en/answer/{token}", {"step": "answer", "kept_evidence": "no", **data})

    text = page.content.decode()
    assert page.status_code == 400
    assert text.count(sentence) >= 2, "in the summary and beside the field"
    assert "error-summary" in text
    if "kept_evidence" not in data:
        assert 'value="no" id="id_kept_evidence_1" checked' in text or "checked" in text
    assert not Answer.objects.exists()
    assert AnswerToken.objects.get().used_at is None


def test_switching_the_language_keeps_what_was_typed(sent, token, visit):
    visit("post", f"/en/answer/{token}", {"step": "confirm"})
    page = visit(
        "post",
        f"/en/answer/{token}",
        {"action": "language", "language": "fr", "kind": "need_more", "words": "kept words"},
    )
    text = page.content.decode()
    assert "Qu’avez-vous fait" in text and "kept words" in text
    assert f'action="/fr/reponse/{token}"' in text


@pytest.mark.parametrize(
    ("kind", "state"),
    [("removed", "answered"), ("already_gone", "answered"), ("need_more", "answered"), ("not_ours", "disputed"),
     ("disagree", "disputed")],
)  # fmt: skip
def test_each_answer_has_its_outcome_and_no_reminder_goes_out_meanwhile(sent, token, role, drive, kind, state):
    with role("vigil_partner"):
        services.confirm_answerer(token=token, at=drive.now)
        services.answer(token=token, form=AnswerForm(kind, words="A few words."), at=drive.later(seconds=1))

    notice = drive.answered(sent)

    assert (notice.state, notice.last_answer, notice.next_mail_at) == (state, kind, None)
    drive.later(days=2)
    check = drive.tick(notice)
    assert check is not None, "the place is looked at all the same"
    notice = drive.finish(notice, check, "up")
    claims = kind in {"removed", "already_gone"}
    assert notice.mails_sent == (2 if claims else 1), "a claim that is not true does not stop reminders; a dispute does"


def answer_removed(role, token, drive):
    with role("vigil_partner"):
        services.confirm_answerer(token=token, at=drive.now)
        services.answer(token=token, form=AnswerForm("removed"), at=drive.later(seconds=1))


def test_removed_is_a_claim_and_still_takes_two_visits(sent, token, role, drive):
    answer_removed(role, token, drive)
    notice = drive.look(drive.answered(sent), "down")
    assert notice.state == "answered"
    drive.now = notice.next_check_at
    assert drive.look(notice, "down").state == "removed"


def test_a_look_asked_for_before_the_answer_does_not_prove_the_provider_wrong(sent, token, role, drive):
    drive.now = sent.next_check_at
    check = drive.tick(sent)
    answer_removed(role, token, drive)
    drive.answered(sent)

    notice = drive.finish(sent, check, "up")

    assert (notice.state, notice.next_check_at) == ("answered", drive.now)
    assert drive.look(notice, "down").state == "answered"


def test_an_answer_after_the_removal_is_kept_and_changes_nothing(sent, token, role, drive):
    for _ in range(2):
        drive.now = drive.read(sent).next_check_at
        drive.look(sent, "down")
    answer_removed(role, token, drive)
    notice = drive.answered(sent)
    assert (notice.state, notice.last_answer) == ("removed", "removed")


def test_the_partner_process_sees_nothing_until_it_names_a_link_and_then_only_its_notice(
    sent, token, role, drive, entry, mail_server
):
    other = drive.look(drive.look_up(drive.open(drive.sighting(entry))), "up")
    with role("vigil_partner"), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('vigil.answer', '', true)")
        cursor.execute("SELECT count(*) FROM removal_answertoken")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(id) FROM removal_notice")
        assert cursor.fetchone() == (0,)
        services.peek_answer_link(token=token, at=drive.now)
        cursor.execute("SELECT id FROM removal_notice")
        assert cursor.fetchall() == [(sent.id,)]
        assert other.id != sent.id
        for column in ("server_address", "entry_id", "last_failure"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(f"SELECT {column} FROM removal_notice")
        for table in (
            "removal_provider",
            "removal_noticeattempt",
            "removal_answer",
            "removal_removal",
            "removal_noticecheck",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(f"SELECT 1 FROM {table}")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            cursor.execute("UPDATE removal_notice SET state = 'removed'")


def test_an_answer_cannot_be_written_for_another_notice(sent, token, role, drive, entry):
    other = drive.look(drive.look_up(drive.open(drive.sighting(entry))), "up")
    with role("vigil_partner"), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        services.peek_answer_link(token=token, at=drive.now)
        row = AnswerToken.objects.get()
        Answer.objects.bulk_create([Answer(notice_id=other.id, token=row, kind="removed", at=drive.now)])


@pytest.mark.parametrize("door", ["vigil_public", "vigil_wire", "vigil_crawl", "vigil_console", "vigil_stats"])
def test_no_other_process_reads_links(sent, role, make_person, door):
    person = make_person(roles={"administrator"}, clearance=3)
    with role(door, person), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        AnswerToken.objects.exists()


def test_what_the_provider_wrote_is_encrypted_and_opens_for_staff_only(
    transactional_db, sent, token, role, make_person, drive
):
    from vigil.removal import selectors

    officer = make_person(roles={"removal_officer"})
    with role("vigil_partner"):
        services.confirm_answerer(token=token, at=drive.now)
        services.answer(token=token, form=AnswerForm("disagree", words="planted 5f1c words"), at=drive.now)
    row = Answer.objects.get()
    assert b"5f1c" not in bytes(row.words)
    with role("vigil_console", officer):
        assert selectors.opened_words(officer, sent.id) == {row.id: "planted 5f1c words"}
    with role("vigil_worker", officer), pytest.raises(keyd.KeydRefused):
        keyd.open_key(record_id=row.id, klass="note", purpose="removal.view", actor=officer, ticket="T")


def test_two_answers_at_once_count_once(sent, token, role, drive):
    with role("vigil_partner"):
        services.confirm_answerer(token=token, at=drive.now)
        services.answer(token=token, form=AnswerForm("removed"), at=drive.now)
        with pytest.raises(AnswerLinkUnusable):
            services.answer(token=token, form=AnswerForm("removed"), at=drive.now)
    assert Answer.objects.count() == 1


def test_an_answer_to_a_key_process_that_is_away_is_a_calm_503_and_the_link_stays(
    sent, token, visit, settings, tmp_path
):
    settings.KEYD_SOCKET = tmp_path / "nobody.sock"
    assert visit("post", f"/en/answer/{token}", {"step": "confirm"}).status_code == 503
    row = AnswerToken.objects.get()
    assert row.confirmed_at is None and row.used_at is None
    assert Notice.objects.get(id=sent.id).state == "sent"
