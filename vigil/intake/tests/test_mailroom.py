"""The partners' mailbox over real SMTP: who may send, what is taken, what is answered, and that nothing is taken too early."""

import smtplib
from email import policy
from email.message import EmailMessage

import pytest
from django.db import connections

from vigil.accounts import services as accounts
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.core.hotline import hotline
from vigil.core.postgres import connect
from vigil.intake import answering, mailroom
from vigil.intake.models import Delivery, Report, ReportLink
from vigil_demo.mail import MailServer, free_port

MACHINE = process_actor("command-line")
HOST = "https://pictures.example"


@pytest.fixture
def partner(transactional_db):
    partner_id = accounts.add_organisation(
        actor=MACHINE, code="maple", name_en="Maple", name_fr="Érable", kind="helpline", email="answers@maple.example",
        language="both", at=clock.now(),
    )  # fmt: skip
    made = accounts.create_api_key(
        actor=MACHINE,
        holder_kind="organisation",
        holder_id=partner_id,
        name="mail",
        scopes=["report.write"],
        at=clock.now(),
    )
    return type("Partner", (), {"id": partner_id, "key": made.key, "key_id": made.id})


@pytest.fixture
def mailbox(partner, monkeypatch):
    """A running mailbox whose every thread works as the wire door's role."""
    real = mailroom._fresh

    def as_wire(function, *arguments):
        def run(*inner):
            from django.db import connection

            with connection.cursor() as cursor:
                cursor.execute("SET ROLE vigil_wire")
            return function(*inner)

        return real(run, *arguments)

    monkeypatch.setattr(mailroom, "_fresh", as_wire)
    server = mailroom.controller(host="127.0.0.1", port=free_port(), tls=None)
    server.start()
    yield server
    server.stop()
    server.handler._threads.submit(connections.close_all).result()
    server.handler._threads.shutdown()


def a_mail(text, **headers):
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "anybody@maple.example"
    message["To"] = f"reports@{hotline().operator.domain}"
    message["Subject"] = "Reports"
    for name, value in {"Message_ID": "<1@maple.example>", **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def send(mailbox, message, *, name="maple", key=None, to=None):
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=20) as client:
        client.ehlo("maple.example")
        if key:
            client.login(name, key)
        client.mail("anybody@maple.example")
        code, words = client.rcpt(to or f"reports@{hotline().operator.domain}")
        if code >= 400:
            return code, words.decode()
        code, words = client.data(bytes(message))
        return code, words.decode()


def test_each_line_is_a_report_with_its_source(mailbox, partner):
    code, words = send(mailbox, a_mail(f"{HOST}/a ; threat\nnot a line\n{HOST}/b"), key=partner.key)
    assert (code, words) == (250, "2.0.0 Taken: 2. Not taken: 1. Attachments not opened: 0.")
    assert {(report.source, report.partner_id) for report in Report.objects.all()} == {("mailbox", partner.id)}


def test_a_mail_in_words_is_one_report(mailbox, partner):
    code, _ = send(mailbox, a_mail(f"Hello, please look at {HOST}/a\nand at {HOST}/b. Thank you."), key=partner.key)
    assert (code, Report.objects.count(), ReportLink.objects.count()) == (250, 1, 2)
    assert Report.objects.get().narrative is not None


def test_the_same_mail_again_makes_nothing_and_is_taken(mailbox, partner):
    for _ in range(2):
        assert send(mailbox, a_mail(f"{HOST}/a"), key=partner.key)[0] == 250
    assert (Report.objects.count(), Delivery.objects.count()) == (1, 1)


def test_without_a_key_nothing_is_taken(mailbox, partner):
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(mailbox, a_mail(f"{HOST}/a"), key="vgl_00000000_wrong")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        send(mailbox, a_mail(f"{HOST}/a"), name="somebody-else", key=partner.key)
    assert send(mailbox, a_mail(f"{HOST}/a"))[0] == 530
    assert Report.objects.count() == 0


def test_a_key_that_ends_during_a_conversation_takes_nothing_more(mailbox, partner):
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=20) as client:
        client.login("maple", partner.key)
        accounts.end_api_key(actor=MACHINE, key_id=partner.key_id, at=clock.now())
        client.mail("a@maple.example")
        client.rcpt(f"reports@{hotline().operator.domain}")
        code, _ = client.data(bytes(a_mail(f"{HOST}/a")))
    assert (code, Report.objects.count()) == (535, 0)


def test_nothing_is_passed_on(mailbox, partner):
    assert send(mailbox, a_mail("x"), key=partner.key, to="somebody@else.example")[0] == 550


def test_attachments_are_not_opened_and_the_lines_are_taken(mailbox, partner):
    message = a_mail(f"{HOST}/a")
    message.add_attachment(b"\xff\xd8\xff canary", maintype="image", subtype="jpeg", filename="a.jpg")
    code, words = send(mailbox, message, key=partner.key)
    assert code == 250 and "Attachments not opened: 1." in words
    assert Delivery.objects.get().attachments == 1


def test_a_mail_of_attachments_alone_is_refused_with_an_explanation(mailbox, partner):
    message = a_mail("")
    message.add_attachment(b"\xff\xd8\xff canary", maintype="image", subtype="jpeg", filename="a.jpg")
    code, words = send(mailbox, message, key=partner.key)
    assert code == 554 and "write links as text" in words and "pieces jointes" in words
    assert Delivery.objects.count() == 0


def test_a_mail_that_is_too_big_is_refused(mailbox, partner):
    code, _ = send(mailbox, a_mail("x" * 100 + "\n" + ("y" * 70 + "\n") * 90_000), key=partner.key)
    assert (code, Report.objects.count()) == (552, 0)


def test_while_the_database_is_away_the_sender_keeps_the_mail(mailbox, partner, monkeypatch):
    """The key was right, then the database went: temporary error, nothing lost; afterwards the same mail is taken once."""
    from django.db import OperationalError

    real = mailroom.handing_in.hand_in

    def away(*_arguments, **_named):
        raise OperationalError("the database does not answer")

    monkeypatch.setattr(mailroom.handing_in, "hand_in", away)
    assert send(mailbox, a_mail(f"{HOST}/a"), key=partner.key)[0] == 451
    monkeypatch.setattr(mailroom.handing_in, "hand_in", real)
    assert send(mailbox, a_mail(f"{HOST}/a"), key=partner.key)[0] == 250
    assert Report.objects.count() == 1


def test_a_mail_is_in_the_database_when_it_is_said_to_be_taken(mailbox, partner):
    send(mailbox, a_mail(f"{HOST}/a"), key=partner.key)
    with connect(database=connections["default"].settings_dict["NAME"]) as other:
        assert other.execute("SELECT count(*) FROM intake_report").fetchone() == (1,)


@pytest.fixture
def answers(settings):
    with MailServer() as server:
        settings.SMTP_HOST, settings.SMTP_PORT = "127.0.0.1", server.port
        yield server


def test_the_answer_names_each_line_and_repeats_nothing(mailbox, partner, answers, role):
    text = f"{HOST}/a ; threat ; canary note\ncanary line\n{HOST}/a"
    send(mailbox, a_mail(text, Subject2="canary"), key=partner.key)
    with role("vigil_worker"):
        assert answering.answer_next(at=clock.now())
        assert not answering.answer_next(at=clock.now())
    (mail,) = answers.wait_for(1)
    assert mail.recipients == ("answers@maple.example",) and mail.sender in {"", "<>", None}
    message = mail.message
    body = message.get_content()
    assert message["In-Reply-To"] == "<1@maple.example>" and message["Auto-Submitted"] == "auto-replied"
    assert "Line 1: taken, number" in body and "Ligne 1" in body
    assert "Line 2: not taken." in body and "same place as line 1" in body
    assert "canary" not in bytes(mail.raw).decode() and "pictures.example" not in body


def test_what_a_program_wrote_is_taken_and_never_answered(mailbox, partner, answers, role):
    assert send(mailbox, a_mail(f"{HOST}/a", Auto_Submitted="auto-replied"), key=partner.key)[0] == 250
    with role("vigil_worker"):
        assert not answering.answer_next(at=clock.now())


def test_a_mail_server_that_is_away_delays_the_answer(mailbox, partner, settings, role):
    settings.SMTP_HOST, settings.SMTP_PORT = "127.0.0.1", free_port()
    send(mailbox, a_mail(f"{HOST}/a"), key=partner.key)
    now = clock.now()
    with role("vigil_worker"):
        assert answering.answer_next(at=now)
    row = Delivery.objects.get()
    assert row.answered_at is None and row.answer_due_at > now and row.answer_attempts == 1


def test_a_message_id_from_outside_injects_no_header(mailbox, partner, answers, role):
    raw = bytes(a_mail(f"{HOST}/a")).replace(b"<1@maple.example>", b"<1@maple.example>\r\n Bcc: x@y.example")
    send(mailbox, raw, key=partner.key)
    with role("vigil_worker"):
        answering.answer_next(at=clock.now())
    (mail,) = answers.wait_for(1)
    assert mail.message["Bcc"] is None and mail.recipients == ("answers@maple.example",)
