"""What a provider says through the link in its mail: no account, one question, one use.

The partner process sees nothing of this room until it shows the digest of a link's secret to the database; then it sees
that link and its notice alone (row policies in the migrations).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from vigil.audit import services as audit
from vigil.core import keyd
from vigil.core.actors import PROVIDER, Actor
from vigil.core.crypto import new_data_key
from vigil.core.events import emit
from vigil.core.ids import new_id
from vigil.removal.errors import AnswerInvalid, AnswerLinkUnusable
from vigil.removal.models import Answer, AnswerKind, AnswerToken, Notice
from vigil.removal.services.mailing import token_digest

MAX_WORDS = 2000
# The columns that the partner process may read (migration 0002); Django asks for all others only when they are touched.
SHOWN_TO_PROVIDERS = (
    "number",
    "provider_id",
    "place_id",
    "place_sealed",
    "page_place_id",
    "page_sealed",
    "round_seen_at",
    "sent_at",
    "classification",
)
_TOKEN = re.compile(r"^[A-Za-z0-9_-]{22}$")


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What the provider filled in."""

    kind: str
    kept_evidence: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class NoticeForProvider:
    """What the answer page shows once somebody has confirmed to answer for the provider."""

    number: str
    url: str
    page_url: str
    first_seen_at: datetime
    sent_at: datetime | None
    classification: str


@transaction.atomic
def peek_answer_link(*, token: str, at: datetime) -> str:
    """The number of the notice a usable link belongs to; nothing else, and nothing changes. Raises AnswerLinkUnusable."""
    return _usable(token, at).notice.number


@transaction.atomic
def confirm_answerer(*, token: str, at: datetime) -> NoticeForProvider:
    """Show the notice to somebody who confirmed to answer for the provider. The opening is in the audit log.

    The link stays usable: the answer itself uses it up. Raises AnswerLinkUnusable, keyd's errors.
    """
    row = _usable(token, at)
    notice = row.notice
    actor = _actor_of(notice)
    shown = NoticeForProvider(
        number=notice.number,
        url=_opened(notice, actor, notice.place_id, notice.place_sealed),
        page_url=_opened(notice, actor, notice.page_place_id, notice.page_sealed),
        first_seen_at=notice.round_seen_at,
        sent_at=notice.sent_at,
        classification=notice.classification,
    )
    AnswerToken.objects.filter(id=row.id, confirmed_at=None).update(confirmed_at=at)
    audit.record(actor=actor, action="notice.answer_view", subject_kind="notice", subject_id=notice.id, at=at)
    return shown


@transaction.atomic
def answer(*, token: str, form: AnswerForm, at: datetime) -> str:
    """Keep a provider's answer and use its link up; the notice's number. The worker acts on it.

    Raises AnswerLinkUnusable (used, expired, unknown: the same), AnswerInvalid with fields.
    """
    row = _usable(token, at, lock=True)
    if row.confirmed_at is None:
        raise AnswerInvalid(fields={"confirm": "answer.not_confirmed"})
    _check(form)
    notice, actor, answer_id = row.notice, _actor_of(row.notice), new_id()
    AnswerToken.objects.filter(id=row.id).update(used_at=at)
    sealed = None
    if words := form.words.strip():
        key = new_data_key(record_id=answer_id, klass="note")
        sealed = key.encrypt(words, table="removal_answer", column="words", row_id=answer_id)
    made = Answer(
        id=answer_id, notice=notice, token=row, kind=form.kind, kept_evidence=form.kept_evidence, words=sealed, at=at
    )
    Answer.objects.bulk_create([made])
    emit("removal.answered", notice.id, actor=actor, at=at)
    audit.record(
        actor=actor,
        action="notice.answer",
        subject_kind="notice",
        subject_id=notice.id,
        at=at,
        data={"kind": form.kind},
    )
    return notice.number


def _check(form: AnswerForm) -> None:
    wrong = {}
    if form.kind not in AnswerKind.values:
        wrong["kind"] = "answer.kind_missing"
    if form.kept_evidence not in {"", "yes", "no"}:
        wrong["kept_evidence"] = "answer.kept_evidence_odd"
    if len(form.words) > MAX_WORDS:
        wrong["words"] = "answer.words_too_long"
    if form.kind in {AnswerKind.NOT_OURS, AnswerKind.NEED_MORE, AnswerKind.DISAGREE} and not form.words.strip():
        wrong["words"] = "answer.words_missing"
    if wrong:
        raise AnswerInvalid(fields=wrong)


def _usable(token: str, at: datetime, *, lock: bool = False) -> AnswerToken:
    """The row of a link that may still answer. One error for all others: what was used looks like what never was."""
    if not _TOKEN.fullmatch(token):
        raise AnswerLinkUnusable()
    digest = token_digest(token)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('vigil.answer', %s, true)", [digest.hex()])
    rows = AnswerToken.objects.filter(token_hash=digest)
    row = (rows.select_for_update() if lock else rows).first()
    if row is None or row.used_at is not None or row.expires_at <= at:
        raise AnswerLinkUnusable()
    row.notice = Notice.objects.only(*SHOWN_TO_PROVIDERS).get(id=row.notice_id)
    return row


def _opened(notice: Notice, actor: Actor, place_id: UUID | None, sealed: object) -> str:
    if place_id is None:
        return ""
    return keyd.open_place(
        place_id=place_id,
        url_sealed=bytes(sealed),  # type: ignore[call-overload]
        purpose="removal.answer",
        actor=actor,
        ticket=str(notice.id),
    )


def _actor_of(notice: Notice) -> Actor:
    provider_id = notice.provider_id
    return Actor(id=provider_id or PROVIDER.id, kind="provider", name="provider", provider_id=provider_id)
