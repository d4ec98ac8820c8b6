"""What is half filled in: one encrypted row that only the holder of the cookie can name or read, gone after two hours.

Every call runs in the caller's transaction and tells the database which one row it may touch (row policy `help_draft_own`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from vigil.core.crypto import Undecryptable, decrypt, derive, encrypt
from vigil.core.receipts import Receipt, receipt_of, token_hash
from vigil.imagehelp.models import HelpDraft

LIFE = timedelta(hours=2)
#: The pages that take an answer, in order; then comes the page that sends.
STEPS = ("who", "files", "where")
NEEDED = ("who", "files")


@dataclass
class HelpDraftBody:
    """What a person has answered so far: codes, fingerprints as text, links as text."""

    token: bytes
    who: str = ""
    age: str = ""
    fingerprints: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    handles: list[str] = field(default_factory=list)
    threat: str = ""
    done: list[str] = field(default_factory=list)
    sent: int | None = None  # the attempt that got its number

    @property
    def young(self) -> bool:
        """Whether the pages speak to a person under 18."""
        return self.who == "me" and self.age == "under_18"

    @property
    def next_step(self) -> str:
        """The first page that still needs an answer, or the check page."""
        return next((step for step in STEPS if step not in self.done), "check")

    @property
    def receipt(self) -> Receipt:
        """Number and code that this becomes, or has become."""
        return help_receipt(self.token, self.sent or 0)

    def did(self, step: str) -> None:
        """Note that a page was answered."""
        if step not in self.done:
            self.done.append(step)


def help_receipt(token: bytes, attempt: int = 0) -> Receipt:
    """Number and code of a token."""
    return receipt_of(token, purpose="vigil image help", attempt=attempt)


def load(token: bytes, *, at: datetime, lock: bool = False) -> HelpDraftBody | None:
    """The draft of a token, or None when there is none (any more)."""
    digest = _name_row(token)
    rows = HelpDraft.objects.filter(token_hash=digest, expires_at__gt=at)
    row = (rows.select_for_update() if lock else rows).first()
    if row is None:
        return None
    try:
        body = json.loads(decrypt(_key(token), bytes(row.body), context=f"help-draft:{digest}"))
    except Undecryptable:
        return None
    return HelpDraftBody(token=token, **body)


def save(draft: HelpDraftBody, *, at: datetime) -> None:
    """Write the draft; its two hours start again."""
    digest = _name_row(draft.token)
    body = {name: value for name, value in vars(draft).items() if name != "token"}
    blob = encrypt(_key(draft.token), json.dumps(body).encode(), context=f"help-draft:{digest}")
    HelpDraft.objects.bulk_create(
        [HelpDraft(token_hash=digest, body=blob, expires_at=at + LIFE)],
        update_conflicts=True,
        unique_fields=["token_hash"],
        update_fields=["body", "expires_at"],
    )


def discard(token: bytes) -> None:
    """Delete the draft now."""
    HelpDraft.objects.filter(token_hash=_name_row(token)).delete()


def _key(token: bytes) -> bytes:
    return derive(token, purpose="vigil image help draft 1")


def _name_row(token: bytes) -> str:
    digest = token_hash(derive(token, purpose="vigil image help row 1"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('vigil.draft', %s, true)", [digest])
    return digest
