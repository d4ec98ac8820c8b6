"""Filters of the console's pages: numbers as they are read aloud, codes in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import template

from vigil.casework import triage, words
from vigil.core.ids import format_number
from vigil.web.templatetags.vigil import defang, visible

register = template.Library()
# Not \S: what Python counts as white space includes control characters, which must be spelled out.
_TOKEN = re.compile(r"[^ \n\t\r]+")
_LIKE_A_LINK = re.compile(r"://|//\w|\w@\w|\w\.[^\W\d_]{2,}|\d+\.\d+\.\d+\.\d+")
_TABLES: dict[str, Mapping[Any, words.Words]] = {
    "situation": words.SITUATIONS,
    "decision": words.DECISIONS,
    "source": words.SOURCES,
    "language": words.LANGUAGES,
    "sensitivity": words.SENSITIVITIES,
    "state": words.STATES,
    "step": words.STEPS,
    "thread": words.THREAD_STATES,
    "classification": words.CLASSIFICATIONS,
    "entry_state": words.ENTRY_STATES,
    "entry_badge": words.ENTRY_BADGES,
    "verdict": words.VERDICTS,
    "outcome": words.OUTCOMES,
    "decision_hint": words.DECISION_HINTS,
}


@register.filter
def grouped(number: str | None) -> str:
    """A public number grouped for reading aloud: `7K3M-9Q2-X4A`."""
    return format_number(number) if number else ""


@register.filter
def prose(text: str) -> str:
    """What somebody wrote, for showing: hidden characters spelled out, and whatever looks like a link defanged in place."""
    return _TOKEN.sub(lambda token: defang(token[0]) if _LIKE_A_LINK.search(token[0]) else visible(token[0]), text)


@register.filter
def word(code: str | int | None, table: str) -> str:
    """A code in words: `{{ item.situation|word:"situation" }}`."""
    return words.of(_TABLES[table], code)


@register.filter
def reason(code: str) -> str:
    """Why an incident has its band, in words."""
    return triage.reason_words(code)


@register.filter
def decision_reason(code: str | None) -> str:
    """Why an incident was decided as it was, in words."""
    return words.reason_of_decision(code)


@register.filter
def hex(value: bytes) -> str:
    """A hash in hexadecimal digits."""
    return bytes(value).hex()
