"""Approximate dates: what a person types becomes a day, a month or their own words. Nothing is refused, nothing is lost."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache

from django.utils import translation
from django.utils.dates import MONTHS

KINDS = ("day", "month", "about", "unsure")
MAX_CHARACTERS = 100


def date_answer(kind: str, text: str, *, language: str) -> dict[str, str] | None:
    """`{"kind": ..., "value": ...}`, with an ISO day or month where the text can be read as one; None for no answer.

    A text that cannot be read as what was chosen is kept as words ("about").
    """
    text = " ".join(text.split())
    if not text:
        return {"kind": "unsure", "value": ""} if kind == "unsure" else None
    if kind in {"day", "month", ""}:
        for tried in (kind,) if kind else ("day", "month"):
            value = _day(text, language) if tried == "day" else _month(text, language)
            if value:
                return {"kind": tried, "value": value}
    return {"kind": "about", "value": text}


def is_date_answer(value: object) -> bool:
    """Whether a stored value is one of ours."""
    if not isinstance(value, dict) or set(value) != {"kind", "value"} or value["kind"] not in KINDS:
        return False
    said = value["value"]
    if not isinstance(said, str) or len(said) > MAX_CHARACTERS:
        return False
    pattern = {"day": r"\d{4}-\d{2}-\d{2}", "month": r"\d{4}-\d{2}", "unsure": ""}.get(value["kind"], r"(?s).+")
    return bool(re.fullmatch(pattern, said))


def _day(text: str, language: str) -> str:
    numbers = re.findall(r"\d+", text)
    month = _month_named(text, language)
    try:
        if month and len(numbers) == 2:
            first, second = int(numbers[0]), int(numbers[1])
            day, year = (first, second) if second > 31 else (second, first)
            return date(year, month, day).isoformat()
        if len(numbers) == 3 and not re.search(r"[^\W\d_]", text):
            first, second, third = map(int, numbers)
            if first > 31:
                return date(first, second, third).isoformat()
            # 5/6/2026 is the 5th of June here and the 6th of May there: only what can be read one way is read.
            if third > 31 and (first > 12 or second > 12 or first == second):
                day, number = (first, second) if first > 12 else (second, first)
                return date(third, number, day).isoformat()
    except ValueError:
        return ""
    return ""


def _month(text: str, language: str) -> str:
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    month = _month_named(text, language)
    try:
        if month and len(numbers) == 1 and numbers[0] > 31:
            return date(numbers[0], month, 1).isoformat()[:7]
        if len(numbers) == 2 and not re.search(r"[^\W\d_]", text):
            year, number = (numbers[0], numbers[1]) if numbers[0] > 31 else (numbers[1], numbers[0])
            return date(year, number, 1).isoformat()[:7] if year > 31 else ""
    except ValueError:
        return ""
    return ""


def _month_named(text: str, language: str) -> int:
    words = set(re.findall(r"[^\W\d_]+", _plain(text)))
    return next((number for name, number in _months(language).items() if name in words), 0)


@cache
def _months(language: str) -> dict[str, int]:
    names: dict[str, int] = {}
    for code in dict.fromkeys((language, "en")):
        with translation.override(code):
            names |= {_plain(str(name)): number for number, name in MONTHS.items()}
    return names


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
