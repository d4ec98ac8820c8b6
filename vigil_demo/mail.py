"""A real SMTP server on loopback that plays the mailboxes of the demo's providers.

It keeps what it receives in memory and, when given a folder, as one file a mail, so that another process can read them.
It can be stopped and started again on the same port (a mail server that is down), or told to refuse.
"""

from __future__ import annotations

import argparse
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One mail as the server took it."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    received_at: datetime

    @property
    def message(self) -> EmailMessage:
        """The parsed message."""
        return cast(EmailMessage, message_from_bytes(self.raw, policy=SMTP_POLICY))

    @property
    def message_id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])


class MailServer:
    """`with MailServer(port=8165) as server: ... server.wait_for(1)`."""

    def __init__(self, *, port: int = 0, folder: Path | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        self._mails: list[ReceivedMail] = []
        self._arrived = threading.Condition()
        self._refusals: list[str] = []
        self._controller: Controller | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> MailServer:
        """Listen. Safe to call when already listening."""
        if self._controller is None:
            self._controller = Controller(self, hostname=LOOPBACK, port=self.port, ready_timeout=10)
            self._controller.start()
        return self

    def stop(self) -> None:
        """Stop listening: connections are refused until `start`. What was received stays."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> MailServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def refuse_next(self, reply: str = "451 4.3.0 Try again later", *, times: int = 1) -> None:
        """Answer the next mails with this reply instead of taking them."""
        self._refusals += [reply] * times

    @property
    def mails(self) -> list[ReceivedMail]:
        """Everything received so far, oldest first."""
        with self._arrived:
            return list(self._mails)

    def mails_to(self, recipient: str) -> list[ReceivedMail]:
        """What one mailbox received."""
        return [mail for mail in self.mails if recipient in mail.recipients]

    def wait_for(
        self, count: int, *, seconds: float = 10.0, where: Callable[[ReceivedMail], bool] = lambda mail: True
    ) -> list[ReceivedMail]:
        """Wait until so many mails (of those that fit) are here. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while len(found := [mail for mail in self._mails if where(mail)]) < count:
                if not self._arrived.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise TimeoutError(f"{len(found)} of {count} mails arrived")
            return found

    # The name is aiosmtpd's: it calls this with a whole mail.
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take one mail, or refuse it when told to."""
        if self._refusals:
            return self._refusals.pop(0)
        content: Any = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        mail = ReceivedMail(
            str(envelope.mail_from), tuple(str(one) for one in envelope.rcpt_tos), raw, datetime.now(UTC)
        )
        with self._arrived:
            self._mails.append(mail)
            if self._folder is not None:
                _write(self._folder / f"{len(list(self._folder.glob('*.eml'))):06d}.eml", mail)
            self._arrived.notify_all()
        return "250 2.0.0 Taken"


def read_folder(folder: Path) -> list[ReceivedMail]:
    """The mails that a server in another process wrote, oldest first."""
    mails = []
    for path in sorted(folder.glob("*.eml")):
        envelope, _, raw = path.read_bytes().partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in envelope.decode().split("\r\n"))
        at = datetime.fromisoformat(lines["Received-At"])
        mails.append(ReceivedMail(lines["Envelope-From"], tuple(lines["Envelope-To"].split(",")), raw, at))
    return mails


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _write(path: Path, mail: ReceivedMail) -> None:
    envelope = (
        f"Envelope-From: {mail.sender}\r\nEnvelope-To: {','.join(mail.recipients)}\r\n"
        f"Received-At: {mail.received_at.isoformat()}\r\n\r\n"
    )
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(envelope.encode() + mail.raw)
    unfinished.replace(path)


def main() -> None:
    """Run until a signal: `python -m vigil_demo.mail --port 8165 --folder var/demo/mail`."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--folder", type=Path, required=True)
    given = options.parse_args()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with MailServer(port=given.port, folder=given.folder):
        stop.wait()


if __name__ == "__main__":
    main()
