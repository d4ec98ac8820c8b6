"""Handing a mail to the mail server, and what it said."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

from django.conf import settings

from vigil.removal.errors import MailUnavailable

TIMEOUT_SECONDS = 10.0


def send(message: EmailMessage) -> None:
    """Give one mail to the mail server. Returns when the server has taken it.

    Raises MailUnavailable with a code: `smtp.unreachable` (down, no answer), `smtp.deferred` (4xx), `smtp.refused` (5xx).
    The server may have taken the mail although its last answer was lost: then it comes a second time, with the same
    Message-ID.
    """
    recipient = str(message["To"])
    try:
        with smtplib.SMTP(
            settings.SMTP_HOST, settings.SMTP_PORT, local_hostname=settings.OPERATOR["domain"], timeout=TIMEOUT_SECONDS
        ) as client:
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
