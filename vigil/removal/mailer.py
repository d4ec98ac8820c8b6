"""Handing a mail to the mail server, and what it said."""

from __future__ import annotations

import smtplib
import ssl
import time
from email.message import EmailMessage

from django.conf import settings

from vigil.core.hotline import hotline
from vigil.removal.errors import MailUnavailable

ANSWER_SECONDS = 8.0  # for one answer of the server
WHOLE_SECONDS = 20.0  # for the whole conversation: a job's transaction waits for it, and is ended by the database at 30


class _InTime(smtplib.SMTP):
    """A conversation that ends: each answer is waited for as long as the whole still has time."""

    ends_at = float("inf")

    def getreply(self) -> tuple[int, bytes]:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the mail server takes too long")
        if self.sock is not None:
            self.sock.settimeout(min(left, ANSWER_SECONDS))
        return super().getreply()


def send(message: EmailMessage) -> None:
    """Give one mail to the mail server. Returns when the server has taken it.

    Raises MailUnavailable with a code: `smtp.unreachable` (down, no answer), `smtp.deferred` (4xx), `smtp.refused` (5xx).
    The server may have taken the mail although its last answer was lost: then it comes a second time, with the same
    Message-ID.
    """
    recipient = str(message["To"])
    try:
        with _InTime(local_hostname=hotline().operator.domain, timeout=ANSWER_SECONDS) as client:
            client.ends_at = time.monotonic() + WHOLE_SECONDS
            client.connect(settings.SMTP_HOST, settings.SMTP_PORT)
            client.ehlo_or_helo_if_needed()
            if client.has_extn("starttls"):
                client.starttls(context=ssl.create_default_context())
            client.sendmail(str(message["From"]), [recipient], bytes(message))
    except smtplib.SMTPRecipientsRefused as exc:
        raise MailUnavailable(code=_code_of(exc.recipients.get(recipient, (0, b""))[0])) from exc
    except smtplib.SMTPResponseException as exc:
        raise MailUnavailable(code=_code_of(exc.smtp_code)) from exc
    except (smtplib.SMTPException, ssl.SSLError, OSError) as exc:
        raise MailUnavailable(code="smtp.unreachable") from exc


def _code_of(reply: int) -> str:
    return "smtp.refused" if 500 <= reply < 600 else "smtp.deferred"
