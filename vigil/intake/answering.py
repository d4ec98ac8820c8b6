"""The mail that answers a partner's mail: one answer a line. It names lines, numbers and reasons, and repeats nothing of theirs."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vigil.accounts.selectors import organisation
from vigil.core.hotline import hotline
from vigil.core.ids import format_number
from vigil.intake.models import Delivery
from vigil.intake.words import reason_of_line

LANGUAGES = {"en": ("en",), "fr": ("fr",), "both": ("en", "fr")}
LONGEST_WAIT = timedelta(hours=6)
MOST_ATTEMPTS = 30
ANSWER_SECONDS = 8.0


def answer_of(delivery: Delivery, *, to: str, language: str, at: datetime) -> EmailMessage:
    """The answer to one mail, in the partner's language or in both."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = hotline().operator.email
    message["To"] = to
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<delivery.{delivery.id}@{hotline().operator.domain}>"
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    if delivery.message_id:
        message["In-Reply-To"] = delivery.message_id
        message["References"] = delivery.message_id
    texts, subjects = [], []
    for code in LANGUAGES[language]:
        with translation.override(code):
            subjects.append(_("Your reports were taken"))
            texts.append("\n".join(_words(delivery)))
    message["Subject"] = " / ".join(subjects)
    message.set_content(("\n\n" + "- " * 20 + "\n\n").join(texts) + "\n")
    return message


def _words(delivery: Delivery) -> Iterable[str]:
    taken = [each for each in delivery.results if each.get("number")]
    refused = [each for each in delivery.results if not each.get("number")]
    yield ngettext("%(n)s report was taken.", "%(n)s reports were taken.", len(taken)) % {"n": len(taken)}
    if refused:
        yield ngettext("%(n)s line was not taken.", "%(n)s lines were not taken.", len(refused)) % {"n": len(refused)}
    yield ""
    for each in delivery.results:
        if each.get("number"):
            line = _("Line %(line)s: taken, number %(number)s") % {
                "line": each["line"],
                "number": format_number(each["number"]),
            }
            if each.get("same_as"):
                line += " " + _("(same place as line %(line)s; both are kept and linked)") % {"line": each["same_as"]}
            yield line
        else:
            yield _("Line %(line)s: not taken. %(reason)s") % {
                "line": each["line"],
                "reason": reason_of_line(each["code"]),
            }
    if delivery.attachments:
        yield ""
        yield ngettext(
            "%(n)s attachment was not opened and not kept. Never send pictures or files: write the link.",
            "%(n)s attachments were not opened and not kept. Never send pictures or files: write the links.",
            delivery.attachments,
        ) % {"n": delivery.attachments}
    yield ""
    yield _("This mail was written by a program. An answer to it is not read.")


def send(message: EmailMessage) -> None:
    """Give an answer to the mail server, with no sender to bounce to (RFC 3834). Raises OSError or smtplib.SMTPException."""
    with smtplib.SMTP(local_hostname=hotline().operator.domain, timeout=ANSWER_SECONDS) as client:
        client.connect(settings.SMTP_HOST, settings.SMTP_PORT)
        client.ehlo_or_helo_if_needed()
        if client.has_extn("starttls"):
            client.starttls(context=ssl.create_default_context())
        client.sendmail("", [str(message["To"])], bytes(message))


def wait_after(attempts: int) -> timedelta:
    """The wait after so many tries that failed."""
    return min(timedelta(minutes=2 ** min(attempts, 10)), LONGEST_WAIT)


@transaction.atomic
def answer_next(*, at: datetime) -> bool:
    """Send the answer that has waited longest. False when none is due.

    A partner without an address, or that has ended, is not answered. An answer may come twice after a crash, with one
    Message-ID.
    """
    due = Delivery.objects.select_for_update(skip_locked=True).filter(answer_due_at__lte=at).order_by("answer_due_at")
    delivery = due.first()
    if delivery is None:
        return False
    partner = organisation(delivery.partner_id) if delivery.partner_id else None
    if partner is None or not partner.email or not partner.is_active:
        delivery.answer_due_at = None
    else:
        delivery.answer_attempts += 1
        try:
            send(answer_of(delivery, to=partner.email, language=partner.language, at=at))
            delivery.answered_at, delivery.answer_due_at = at, None
        except (OSError, smtplib.SMTPException):
            gives_up = delivery.answer_attempts >= MOST_ATTEMPTS
            delivery.answer_due_at = None if gives_up else at + wait_after(delivery.answer_attempts)
    delivery.save(update_fields=["answer_due_at", "answer_attempts", "answered_at"])
    return True
