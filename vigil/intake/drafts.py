"""The half-filled report: one encrypted row that only the holder of its token can name or read, gone after its time.

Every call runs in the caller's transaction and tells the database which one row it may touch (row policy `draft_own`).
The token is in the browser's cookie (two hours), or is derived from a code that the person wrote down (days).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from vigil.core.crypto import Undecryptable, decrypt, encrypt
from vigil.intake.models import Draft
from vigil.intake.questions import Page, QuestionSet, current_set
from vigil.intake.receipts import Receipt, draft_key, receipt_of, token_hash
from vigil.intake.selectors import stored_set

LIFE = timedelta(hours=2)
CHECK = "check"


@dataclass
class DraftBody:
    """What a person has answered so far.

    `typed` holds a page's raw text that did not pass (or was not checked) yet, so that nothing is lost on the way.
    `rows`: how many rows each question for links and handles shows. `asked`: digest of the question set that it began with.
    `sent`: what the receipt page needs, nothing else. `saved`: what the page with the code needs; the answers lie elsewhere.
    `kept_under`: token of the copy that was saved for later, so that it can be replaced or deleted.
    """

    token: bytes
    answers: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    asked: str = ""
    sent: dict[str, Any] | None = None
    saved: dict[str, Any] | None = None
    kept_under: str = ""
    restarted: bool = False  # the two hours had passed, and the page sent afterwards began this draft anew

    @property
    def questions(self) -> QuestionSet:
        """The set that this report is asked by: the one that it began with, also when the installation has another now."""
        if "_questions" not in self.__dict__:
            self.__dict__["_questions"] = _set_of(self.asked)
        return self.__dict__["_questions"]  # type: ignore[no-any-return]

    @property
    def young(self) -> bool:
        """Whether the pages speak to a person under 18."""
        if self.sent or self.saved:
            return bool((self.sent or self.saved or {}).get("young"))
        return self.questions.is_under_18(self.answers)

    @property
    def region(self) -> str:
        """The region that was given, for the help lines."""
        return str((self.sent or {}).get("region") or self.questions.signals(self.answers).get("region") or "")

    @property
    def pages(self) -> list[Page]:
        """The pages that these answers lead through."""
        return self.questions.pages_for(self.answers)

    @property
    def next_page(self) -> str:
        """Code of the first page that has not been answered, or `check`."""
        return next((page.code for page in self.pages if page.code not in self.done), CHECK)

    @property
    def receipt(self) -> Receipt:
        """Number and secret that this draft becomes, or has become."""
        return receipt_of(self.token, int((self.sent or {}).get("attempt", 0)))

    def answer(self, page: str, values: dict[str, Any]) -> None:
        """Keep one page's checked answers. Pages that now ask something new are asked again."""
        before = {each.code for each in self.questions.asked(self.answers)}
        self.answers.update(values)
        self.typed.pop(page, None)
        if page not in self.done:
            self.done.append(page)
        for question in self.questions.asked(self.answers):
            here = self.questions.page_of(question.code).code
            if question.code not in before and here != page and here in self.done:
                self.done.remove(here)

    def keep_typed(self, page: str, data: dict[str, list[str]]) -> None:
        """Keep a page as it was typed, unchecked."""
        self.typed[page] = data

    def content(self) -> dict[str, Any]:
        """Everything but the token and what is computed."""
        return {name: value for name, value in vars(self).items() if name != "token" and not name.startswith("_")}


def _set_of(digest: str) -> QuestionSet:
    """The set of a digest: the present one, or a stored one; the present one where it cannot be found."""
    now = current_set()
    if not digest or digest == now.digest:
        return now
    return stored_set(digest) or now


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


def save(draft: DraftBody, *, at: datetime, life: timedelta = LIFE) -> None:
    """Write the draft; its time starts again."""
    _name_row(draft.token)
    digest = token_hash(draft.token)
    blob = encrypt(draft_key(draft.token), json.dumps(draft.content()).encode(), context=f"draft:{digest}")
    Draft.objects.bulk_create(
        [Draft(token_hash=digest, body=blob, expires_at=at + life)],
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
