"""Who to write to: looked up for each notice, retried while nobody answers, handed to a person when nobody is named."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.core import keyd
from vigil.core.actors import Actor
from vigil.core.errors import Unavailable
from vigil.core.events import emit
from vigil.removal.errors import AddressInvalid, NoticeClosed
from vigil.removal.models import Notice, NoticeState, Provider
from vigil.removal.rdap import AbuseContact, abuse_contact
from vigil.removal.services.rows import WORKER, lock_notice
from vigil.removal.services.timing import backoff
from vigil.removal.wire.notice_mail import is_mailable
from vigil.removal.wire.places import target_of

LOOKUP_AGAIN_IF_LOST = timedelta(minutes=5)


@transaction.atomic
def ask_due_lookups(*, at: datetime, limit: int = 20) -> int:
    """Ask for the lookups that are due; each runs as a job of its own. The number asked for."""
    due = Notice.objects.select_for_update(skip_locked=True).filter(next_lookup_at__lte=at).order_by("next_lookup_at")
    notices = list(due[:limit])
    for notice in notices:
        notice.next_lookup_at = at + LOOKUP_AGAIN_IF_LOST
        notice.save(update_fields=["next_lookup_at"])
        emit("removal.lookup_due", notice.id, actor=WORKER, at=at)
    return len(notices)


@transaction.atomic
def look_up_provider(*, notice_id: UUID, at: datetime) -> Notice:
    """Find the provider of one notice and make its first mail due.

    When the registration data name nobody the notice waits as "no_address" for a person. When they do not answer, or the
    key process does not, the failure stands on the notice and it is tried again later.
    """
    notice = lock_notice(notice_id)
    if notice.is_closed or notice.provider_id is not None:
        Notice.objects.filter(id=notice.id).update(next_lookup_at=None)
        return notice
    try:
        contact = _contact_of(notice)
    except Unavailable as exc:
        notice.failures += 1
        notice.last_failure = exc.code
        notice.next_lookup_at = at + backoff(notice.failures)
        notice.save(update_fields=["failures", "last_failure", "next_lookup_at"])
        audit.record(
            actor=WORKER,
            action="notice.provider_failed",
            subject_kind="notice",
            subject_id=notice.id,
            at=at,
            data={"code": exc.code, "failures": notice.failures},
        )
        return notice
    notice.next_lookup_at = None
    notice.failures, notice.last_failure = 0, ""
    if contact is None:
        notice.state, notice.last_failure = NoticeState.NO_ADDRESS, "rdap.no_address"
    else:
        notice.provider = _provider_for(contact, at)
        notice.next_mail_at = at
    notice.save()
    audit.record(
        actor=WORKER,
        action="notice.provider",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"provider": str(notice.provider_id or ""), "source": contact.source if contact else "none"},
    )
    return notice


@transaction.atomic
def set_address(*, actor: Actor, notice_id: UUID, name: str, abuse_email: str, at: datetime) -> Notice:
    """A person names the mailbox for a notice that has none; its mail becomes due.

    Raises NoticeNotFound, NotPermitted, NoticeClosed, AddressInvalid (with fields).
    """
    notice = lock_notice(notice_id)
    require(actor, "notice.send", notice)
    if notice.is_closed:
        raise NoticeClosed(notice_id)
    email, name = abuse_email.strip().lower(), " ".join(name.split())
    wrong = {} if is_mailable(email) else {"abuse_email": "provider.address_invalid"}
    if not 1 <= len(name) <= 200:
        wrong["name"] = "provider.name_missing"
    if wrong:
        raise AddressInvalid(fields=wrong)
    provider = Provider.objects.filter(abuse_email=email).first()
    if provider is None:
        provider = Provider.objects.create(name=name, abuse_email=email, source="staff", found_at=at, added_by=actor.id)
    notice.provider, notice.next_lookup_at, notice.next_mail_at = provider, None, at
    notice.failures, notice.last_failure = 0, ""
    if notice.state in {NoticeState.NO_ADDRESS, NoticeState.DISPUTED}:
        notice.state = NoticeState.SENT if notice.sent_at else NoticeState.DUE
    notice.save(update_fields=["provider", "state", "next_lookup_at", "next_mail_at", "failures", "last_failure"])
    audit.record(
        actor=actor,
        action="notice.set_address",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"provider": str(provider.id)},
    )
    return notice


def _contact_of(notice: Notice) -> AbuseContact | None:
    url = keyd.open_place(
        place_id=notice.place_id,
        url_sealed=bytes(notice.place_sealed),
        purpose="removal.provider",
        actor=WORKER,
        ticket=str(notice.id),
    )
    target = target_of(url)
    return abuse_contact(target.host, notice.server_address, base_url=settings.RDAP_BASE_URL)


def _provider_for(contact: AbuseContact, at: datetime) -> Provider:
    provider, _ = Provider.objects.get_or_create(
        abuse_email=contact.email,
        defaults={
            "name": contact.name,
            "source": contact.source,
            "handle": contact.handle,
            "country": contact.country,
            "found_at": at,
        },
    )
    return provider
