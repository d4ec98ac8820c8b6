"""The half-filled report: one encrypted row that only the holder of the cookie can name or read, gone after two hours.

Every call runs in the caller's transaction and tells the database which one row it may touch (row policy `draft_own`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from vigil.core.crypto import Undecryptable, decrypt, encrypt
from vigil.intake import questions as q
from vigil.intake.models import Draft
from vigil.intake.receipts import Receipt, draft_key, receipt_of, token_hash

LIFE = timedelta(hours=2)


@dataclass
class DraftBody:
    """What a person has answered so far.

    `typed` holds a page's raw text that did not pass (or was not checked) yet, so that nothing is lost on the way.
    `rows`: how many rows for links and handles the details page shows. `sent`: what the receipt page needs, nothing else.
    """

    token: bytes
    answers: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    sent: dict[str, Any] | None = None
    restarted: bool = False  # the two hours had passed, and the page sent afterwards began this draft anew

    @property
    def young(self) -> bool:
        """Whether the pages speak to a person under 18."""
        if self.sent:
            return bool(self.sent.get("young"))
        return q.is_under_18(self.answers)

    @property
    def follow_ups(self) -> list[str]:
        """The follow-up questions that belong to the answers so far."""
        return q.follow_ups_for(self.answers.get("situations", []), self.answers.get("who", ""))

    @property
    def next_step(self) -> str:
        """The first page that has not been answered, or the check page."""
        return next((step for step in q.QUESTION_STEPS if step not in self.done), "check")

    @property
    def receipt(self) -> Receipt:
        """Number and secret that this draft becomes, or has become."""
        return receipt_of(self.token, int((self.sent or {}).get("attempt", 0)))

    def answer(self, step: str, values: dict[str, Any]) -> None:
        """Keep one page's checked answers. Changed situations ask for the details again when they bring new questions."""
        before = set(self.follow_ups)
        self.answers.update(values)
        self.typed.pop(step, None)
        if step not in self.done:
            self.done.append(step)
        if step in {"about", "who"} and set(self.follow_ups) - before and "details" in self.done:
            self.done.remove("details")

    def keep_typed(self, step: str, data: dict[str, list[str]]) -> None:
        """Keep a page as it was typed, unchecked."""
        self.typed[step] = data


def load(token: bytes, *, at: datetime, lock: bool = False) -> DraftBody | None:
    """The draft of a token, or None when there is none (any more)."""
    _name_row(token)
    rows = Draft.objects.filter(token_hash=token_hash(token), expires_at__gt=at)
    row = (rows.select_for_update() if lock else rows).first()
    if row is None:
        return None
    try:
        body = json.loads(decrypt(draft_key(token), bytes(row.body), context=f"draft:{row.token_hash}"))
    except Undecryptable:
        return None
    return DraftBody(token=token, **body)


def save(draft: DraftBody, *, at: datetime) -> None:
    """Write the draft; its two hours start again."""
    _name_row(draft.token)
    digest = token_hash(draft.token)
    body = {name: value for name, value in vars(draft).items() if name != "token"}
    blob = encrypt(draft_key(draft.token), json.dumps(body).encode(), context=f"draft:{digest}")
    Draft.objects.bulk_create(
        [Draft(token_hash=digest, body=blob, expires_at=at + LIFE)],
        update_conflicts=True,
        unique_fields=["token_hash"],
        update_fields=["body", "expires_at"],
    )


def discard(token: bytes) -> None:
    """Delete the draft now."""
    _name_row(token)
    Draft.objects.filter(token_hash=token_hash(token)).delete()


def _name_row(token: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('vigil.draft', %s, true)", [token_hash(token)])
