"""The demo's mail server is a real one: it takes mail over SMTP, can be down, and keeps what it took."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from vigil_demo.mail import MailServer, read_folder

MAIL = b"Subject: A page\r\nMessage-ID: <1@hotline.example>\r\n\r\nA page with pictures was reported.\r\n"


def send(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.sendmail("notices@hotline.example", ["abuse@provider.example"], MAIL)


def test_mail_is_kept_in_memory_and_in_the_folder(tmp_path: Path) -> None:
    with MailServer(folder=tmp_path) as server:
        send(server.port)
        (mail,) = server.wait_for(1)

    assert mail.recipients == ("abuse@provider.example",)
    assert mail.message_id == "<1@hotline.example>"
    assert [kept.raw for kept in read_folder(tmp_path)] == [mail.raw]


def test_a_stopped_server_refuses_connections_until_it_starts_again() -> None:
    with MailServer() as server:
        server.stop()
        with pytest.raises(OSError, match="refused"):
            send(server.port)
        server.start()
        send(server.port)
        assert len(server.mails_to("abuse@provider.example")) == 1


def test_it_refuses_when_told_to() -> None:
    with MailServer() as server:
        server.refuse_next("451 4.3.0 Later")
        with pytest.raises(smtplib.SMTPDataError):
            send(server.port)
        assert server.mails == []


def test_waiting_for_mail_that_does_not_come_ends() -> None:
    with MailServer() as server, pytest.raises(TimeoutError):
        server.wait_for(1, seconds=0.1)
