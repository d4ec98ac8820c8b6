"""Sending one mail of one notice: open the place, write the mail, hand it over, record the attempt."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils.crypto import salted_hmac

from vigil.audit import services as audit
from vigil.core import keyd
from vigil.core.errors import Unavailable
from vigil.core.events import emit
from vigil.core.hotline import hotline
from vigil.core.ids import format_number
from vigil.lists import selectors as lists
from vigil.removal import mailer
from vigil.removal.errors import MailUnavailable
from vigil.removal.models import AnswerToken, Notice, NoticeAttempt, NoticeState
from vigil.removal.services.rows import WORKER
from vigil.removal.services.timing import ANSWER_LINK_DAYS, backoff, reminder_every
from vigil.removal.wire.notice import Fingerprints, NoticeText, Sender, message_id
from vigil.removal.wire.notice_mail import notice_mail
from vigil.settings import origin_url, secret

MAILABLE_STATES = (NoticeState.DUE, NoticeState.SENT, NoticeState.REAPPEARED)


def is_mail_due(notice: Notice, at: datetime) -> bool:
    """Whether the next mail of this notice (the first one or a reminder) should go out now, if the place is up."""
    return (
        notice.state in MAILABLE_STATES
        and notice.provider_id is not None
        and notice.next_mail_at is not None
        and notice.next_mail_at <= at
    )


def send_mail(notice: Notice, *, verified_at: datetime, at: datetime) -> bool:
    """Send the next mail of a locked notice whose place was just found up. The caller saves the row.

    A mail server or key process that is down leaves the notice due, with the failed attempt recorded. Everything a mail
    says follows from the notice and the mail's kind: when a crash loses the record after the server took the mail, the
    next try sends the same mail with the same Message-ID and the same link, and it is recorded once.
    """
    kind = notice.attempt_kind
    try:
        text = _text_of(notice, kind, verified_at)
        mailer.send(notice_mail(text))
    except Unavailable as exc:
        _record_failure(notice, kind, exc.code, at)
        return False
    _record_sent(notice, kind, at)
    return True


def answer_token(notice: Notice, kind: str) -> str:
    """The 128-bit secret of one mail's answer link. Derived, so that a repeated mail carries the same link.

    From the worker's own secret, which no web process has: whoever takes one of those cannot make links.
    """
    own = secret("keyd-worker.token")
    if not own:
        raise MailUnavailable(code="removal.no_secret")
    digest = salted_hmac("vigil.removal.answer", f"{notice.id}:{kind}", secret=own, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def token_digest(token: str) -> bytes:
    """What stands in the table for a link's secret: 128 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def _text_of(notice: Notice, kind: str, verified_at: datetime) -> NoticeText:
    entry = lists.entry(notice.entry_id)
    token = answer_token(notice, kind)
    origin, operator = origin_url("partner"), hotline().operator
    assert notice.provider is not None
    return NoticeText(
        notice_id=notice.id,
        attempt_kind=kind,
        number=format_number(notice.number),
        sender=Sender(
            name_en=operator.name("en"),
            name_fr=operator.name("fr"),
            email=operator.email,
            domain=operator.domain,
            phone=operator.phone,
        ),
        recipient=notice.provider.abuse_email,
        url=_opened(notice, notice.place_id, notice.place_sealed),
        page_url=_opened(notice, notice.page_place_id, notice.page_sealed) if notice.page_place_id else "",
        server_address=notice.server_address,
        first_seen_at=notice.round_seen_at,
        verified_at=verified_at,
        written_at=verified_at,
        classification=entry.classification,
        exact=notice.exact,
        fingerprints=Fingerprints(*(_hex(value) for value in (entry.sha256, entry.md5, entry.pdq))),
        answer_url_en=f"{origin}/en/answer/{token}",
        answer_url_fr=f"{origin}/fr/reponse/{token}",
        answer_days=ANSWER_LINK_DAYS,
        reminder_hours=max(1, round(reminder_every() / timedelta(hours=1))),
        is_demonstration=settings.VIGIL_DEMO,
    )


def _opened(notice: Notice, place_id: UUID, sealed: object) -> str:
    return keyd.open_place(
        place_id=place_id,
        url_sealed=bytes(sealed),  # type: ignore[call-overload]
        purpose="removal.notice",
        actor=WORKER,
        ticket=str(notice.id),
    )


def _hex(value: object) -> str:
    return bytes(value).hex() if value else ""  # type: ignore[call-overload]


def _record_failure(notice: Notice, kind: str, code: str, at: datetime) -> None:
    notice.failures += 1
    notice.last_failure = code
    notice.next_mail_at = at + backoff(notice.failures)
    _record_attempt(notice, kind, at, outcome="failed", code=code)
    audit.record(
        actor=WORKER,
        action="notice.send_failed",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"kind": kind, "code": code, "failures": notice.failures},
    )


def _record_sent(notice: Notice, kind: str, at: datetime) -> None:
    _record_attempt(notice, kind, at, outcome="sent", code="")
    AnswerToken.objects.create(
        notice=notice,
        token_hash=token_digest(answer_token(notice, kind)),
        made_at=at,
        expires_at=at + timedelta(days=ANSWER_LINK_DAYS),
    )
    notice.state = NoticeState.SENT
    notice.sent_at = notice.sent_at or at
    notice.round_sent_at = notice.round_sent_at or at
    notice.last_sent_at = at
    notice.mails_sent += 1
    notice.next_mail_at = at + reminder_every()
    notice.failures, notice.last_failure = 0, ""
    emit("removal.notice_sent", notice.id, actor=WORKER, at=at)
    audit.record(
        actor=WORKER,
        action="notice.send",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"kind": kind, "provider": str(notice.provider_id)},
    )


def _record_attempt(notice: Notice, kind: str, at: datetime, *, outcome: str, code: str) -> None:
    assert notice.provider_id is not None
    NoticeAttempt.objects.create(
        notice=notice,
        provider_id=notice.provider_id,
        kind=kind,
        message_id=message_id(notice.id, kind, hotline().operator.domain),
        at=at,
        outcome=outcome,
        code=code,
    )
