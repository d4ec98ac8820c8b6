"""The worker's door: mails that tell people about changes of their sign-in, and what is swept away."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.headerregistry import Address

from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from vigil.accounts.models import SecurityNotice, Session
from vigil.core.events import every_tick

_BATCH = 20
_LONGEST_WAIT = timedelta(hours=6)
AXES_KEPT = timedelta(days=30)
_last_sweep: list[datetime] = []


def words_of(kind: str) -> tuple[str, str]:
    """Subject and text of a notice in the active language: what changed, never a detail of it."""
    sentence = {
        "passkey_added": _("A passkey was added to your account."),
        "passkey_removed": _("A passkey was removed from your account."),
        "app_added": _("An authenticator app was added to your account."),
        "app_removed": _("The authenticator app was removed from your account."),
        "codes_made": _("New recovery codes were made for your account."),
        "password_changed": _("The password of your account was changed."),
    }[kind]
    return _("Your sign-in was changed"), f"{sentence}\n\n" + _(
        "If this was not you, tell an administrator now, by telephone or in person."
    )


@every_tick
def send_security_notices(now: datetime) -> None:
    """Send what is due. A mail may repeat after a crash; a mail server that is away delays it, never loses it."""
    with transaction.atomic():
        due = list(
            SecurityNotice.objects.select_related("person")
            .select_for_update(skip_locked=True, of=("self",))
            .filter(sent_at__isnull=True, due_at__lte=now)
            .order_by("due_at")[:_BATCH]
        )
        for notice in due:
            _send(notice, now)


def _send(notice: SecurityNotice, now: datetime) -> None:
    notice.attempts += 1
    with translation.override(notice.person.language):
        subject, text = words_of(notice.kind)
    try:
        to = Address(addr_spec=notice.person.email).addr_spec
        EmailMessage(subject, text, to=[to], connection=get_connection()).send()
        notice.sent_at = now
    except (OSError, ValueError):
        notice.due_at = now + min(timedelta(minutes=2**notice.attempts), _LONGEST_WAIT)
    notice.save(update_fields=["attempts", "sent_at", "due_at"])


@every_tick
def sweep_sign_in(now: datetime) -> None:
    """Once an hour: sessions that are over, and attempts older than 30 days (they hold addresses of staff)."""
    from axes.models import AccessAttempt

    if _last_sweep and now - _last_sweep[-1] < timedelta(hours=1):
        return
    _last_sweep[:] = [now]
    with transaction.atomic():
        wall = timezone.now()
        Session.objects.filter(expire_date__lt=wall).delete()
        AccessAttempt.objects.filter(attempt_time__lt=wall - AXES_KEPT).delete()
