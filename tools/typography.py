"""French typography: an ordinary space where a no-break one belongs, a straight apostrophe, English quotation marks."""

from __future__ import annotations

import re

NBSP = "\u00a0"
RULES = (
    (re.compile(r" [:;?!»]"), "ordinary space before : ; ? ! or »"),
    (re.compile(r"« "), "ordinary space after «"),
    (re.compile(r"«(?![\u00a0\u202f ])|(?<![\u00a0\u202f ])»"), "no space inside « »"),
    (re.compile(r"[^\s\u00a0\u202f?!;:.&][;?!](?=\s|$)"), "no space before ; ? or !"),
    (re.compile(r"[^\W\d]:(?=\s|$)"), "no space before :"),
    (re.compile(r"\w'\w"), "straight apostrophe"),
    (re.compile(r"\d \d{3}\b|\b\d+ h(?: \d|\b(?!\w))"), "ordinary space inside a number or a time"),
    (re.compile(r"\b\d{1,2}:\d{2}\b"), "a time is written 14 h 30"),
    (re.compile(r"\d ?%"), "a no-break space stands before %"),
    (re.compile(r"[“”\"]"), "English quotation marks"),
    (re.compile(r"\.\.\."), "three dots instead of …"),
)


def problems_of(text: str) -> list[str]:
    """What is wrong with the typography of a French text, one line each."""
    return [f"{why}: {_around(text, found)}" for rule, why in RULES if (found := rule.search(text))]


def _around(text: str, found: re.Match[str]) -> str:
    return repr(text[max(0, found.start() - 15) : found.end() + 10])
