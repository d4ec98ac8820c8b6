"""What a notice says, before it becomes mail: one object that the human text and the XARF part are made from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sender:
    """The hotline that sends: names in both languages, its mailbox, its domain, and what is answered by telephone."""

    name_en: str
    name_fr: str
    email: str
    domain: str
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Hash values of the listed file, lower-case hex. Never the file."""

    sha256: str = ""
    md5: str = ""
    pdq: str = ""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """Everything one notice mail says.

    `attempt_kind` is "notice" for the first mail and "reminder-1", "reminder-2" ... afterwards: with the notice's id it
    fixes Message-ID, report id and answer link, so that a mail repeated after a crash is the same mail.
    `classification` is the entry's own word; `exact`: the file on the place is the listed file byte for byte.
    """

    notice_id: UUID
    attempt_kind: str
    number: str
    sender: Sender
    recipient: str
    url: str
    page_url: str
    server_address: str
    first_seen_at: datetime
    verified_at: datetime
    written_at: datetime
    classification: str
    exact: bool
    fingerprints: Fingerprints
    answer_url_en: str
    answer_url_fr: str
    answer_days: int = 14
    reminder_hours: int = 24
    is_demonstration: bool = False

    @property
    def is_reminder(self) -> bool:
        """Whether this mail repeats an earlier one."""
        return self.attempt_kind != "notice"


def message_id(notice_id: UUID, attempt_kind: str, domain: str) -> str:
    """The stable Message-ID of one mail of one notice."""
    return f"<{_digest('message', notice_id, attempt_kind).hex()[:32]}.{attempt_kind}@{domain}>"


def report_id(notice_id: UUID, attempt_kind: str) -> UUID:
    """The stable XARF report id of one mail of one notice, in the shape of a UUID version 4, which XARF asks for."""
    return UUID(bytes=_digest("xarf", notice_id, attempt_kind)[:16], version=4)


def mime_boundary(notice_id: UUID, attempt_kind: str) -> str:
    """The stable boundary between the parts: a repeated mail is equal in every byte."""
    return "vigil-" + _digest("boundary", notice_id, attempt_kind).hex()[:40]


def _digest(purpose: str, notice_id: UUID, attempt_kind: str) -> bytes:
    return hashlib.sha256(f"vigil.removal.{purpose}\0{notice_id}\0{attempt_kind}".encode()).digest()
