"""Codes of this room in words, in both languages, and a notice's row as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from vigil.core.ids import format_number
from vigil.removal.selectors import AnswerFacts, AttemptFacts, NoticeFacts

BOARD_WORDS: dict[str, str | Promise] = {
    "up": _("Up"),
    "down": _("Down once"),
    "unknown": _("Unknown"),
    "reappeared": _("Reappeared"),
    "removed": _("Removed"),
    "gone": _("Gone before our mail"),
    "stopped": _("Stopped"),
}
BADGES = {
    "up": "stop",
    "down": "wait",
    "unknown": "unknown",
    "reappeared": "stop",
    "removed": "good",
    "gone": "good",
    "stopped": "plain",
}
STATE_WORDS: dict[str, str | Promise] = {
    "due": _("To be sent"),
    "no_address": _("No address found"),
    "sent": _("Sent, waiting"),
    "answered": _("Answered, being checked"),
    "disputed": _("Disputed"),
    "reappeared": _("Back, to be sent again"),
    "removed": _("Confirmed removed"),
    "gone": _("Gone before our mail"),
    "stopped": _("Stopped: entry withdrawn"),
}
ANSWER_WORDS: dict[str, str | Promise] = {
    "removed": _("Removed it"),
    "already_gone": _("Already gone"),
    "not_ours": _("Not theirs"),
    "need_more": _("Needs more"),
    "disagree": _("Disagrees"),
}
CLASSIFICATION_WORDS: dict[str, str | Promise] = {
    "baseline": _("Child sexual abuse material, illegal under the international baseline"),
    "national": _("Child sexual abuse and exploitation material, illegal in Canada (Criminal Code, s. 163.1)"),
}
OTHER_CLASSIFICATION = _("Material that harms a child, verified by our assessors")
MAIL_WORDS = (_("First mail"), _("Reminder"))
VERDICT_WORDS: dict[str, str | Promise] = {
    "up": _("Still there"),
    "down": _("Not there"),
    "unknown": _("Could not tell"),
    "": _("No result yet"),
}
FAILURE_WORDS: dict[str, str | Promise] = {
    "smtp.unreachable": _("The mail server does not answer."),
    "smtp.deferred": _("The mail server asked us to come back later."),
    "smtp.refused": _("The mail server refused the mail."),
    "rdap.unavailable": _("The registration data service does not answer."),
    "rdap.refused": _("The registration data service refused to answer."),
    "rdap.unreadable": _("The registration data service sent something unreadable."),
    "rdap.too_large": _("The registration data service sent too much."),
    "rdap.not_configured": _("No registration data service is set."),
    "rdap.no_address": _("The registration data name no mailbox for abuse reports."),
    "check.unknown": _("The last look at the place could not tell. It may still be online."),
    "keyd.unavailable": _("The key process does not answer."),
    "removal.no_secret": _("The worker’s own secret is missing on this machine."),
}


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """One notice as a page shows it."""

    facts: NoticeFacts
    number: str
    place: str | Promise
    badge: str
    state: str | Promise
    failure: str | Promise
    age: str


def facts_in_words(facts: NoticeFacts, now: datetime) -> NoticeWords:
    """Put one notice into words, in the active language."""
    return NoticeWords(
        facts=facts,
        number=format_number(facts.number),
        place=BOARD_WORDS[facts.place_word],
        badge=BADGES[facts.place_word],
        state=STATE_WORDS[facts.state],
        failure=FAILURE_WORDS.get(facts.last_failure, facts.last_failure),
        age=age_in_words(facts.first_seen_at, facts.closed_at or now),
    )


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """One answer of a provider as the page of its notice shows it."""

    in_words: str | Promise
    kept_evidence: str
    at: datetime
    has_words: bool
    opened: str


def answer_in_words(answer: AnswerFacts, opened: str) -> AnswerWords:
    """Put one answer into words; `opened` is what the provider wrote, when it could be opened."""
    return AnswerWords(ANSWER_WORDS[answer.kind], answer.kept_evidence, answer.at, answer.has_words, opened)


@dataclass(frozen=True, slots=True)
class AttemptWords:
    """One try to send a mail as the page of its notice shows it."""

    at: datetime
    mail: str
    to: str
    is_sent: bool
    failure: str | Promise


def attempt_in_words(attempt: AttemptFacts) -> AttemptWords:
    """Put one attempt into words."""
    first, reminder = MAIL_WORDS
    mail = str(first) if attempt.kind == "notice" else f"{reminder} {attempt.kind.rpartition('-')[2]}"
    return AttemptWords(attempt.at, mail, attempt.to, attempt.is_sent, FAILURE_WORDS.get(attempt.code, attempt.code))


def age_in_words(since: datetime, until: datetime) -> str:
    """`3 hours`, `12 days`: how long a place has been known, rounded down."""
    hours = max(0, int((until - since).total_seconds() // 3600))
    if hours < 48:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    return ngettext("%(n)s day", "%(n)s days", hours // 24) % {"n": hours // 24}
