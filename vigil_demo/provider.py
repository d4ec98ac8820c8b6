"""The demo's provider: reads a notice from its mailbox, takes the picture down, and answers through the link like a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from vigil.removal.wire.notice_mail import parsed_notice
from vigil_demo.browser import Browser, Stuck
from vigil_demo.mail import ReceivedMail

_LINK = {
    "en": re.compile(r"https?://\S+/en/answer/[A-Za-z0-9_-]{22}"),
    "fr": re.compile(r"https?://\S+/fr/reponse/[A-Za-z0-9_-]{22}"),
}


@dataclass(frozen=True, slots=True)
class ReadNotice:
    """What a provider takes from a notice mail: the number, the exact address of the file, the link to answer."""

    number: str
    url: str
    link: str


def read_notice(mail: ReceivedMail, language: str = "en") -> ReadNotice:
    """Read a notice mail as a provider's desk does. Raises Stuck when it is not one."""
    read = parsed_notice(mail.raw)
    link = _LINK[language].search(read["text"])
    if link is None or not read["xarf"]:
        raise Stuck("the mail has no answer link or no XARF part")
    return ReadNotice(str(mail.message["X-Vigil-Notice"]), str(read["xarf"]["url"]), link.group())


def answer(link: str, kind: str, *, words: str = "", kept_evidence: str = "") -> Browser:
    """Follow the answer link in a browser: open it, confirm, answer. Raises Stuck when a page is not the expected one."""
    parts = urlsplit(link)
    browser = Browser(f"{parts.scheme}://{parts.netloc}")
    browser.get(link).expect(200)
    browser.submit(browser.form(having="step"), press=("step", "confirm")).expect(200)
    form = browser.form(having="kind")
    filled = {"kind": kind, "words": words, **({"kept_evidence": kept_evidence} if kept_evidence else {})}
    return browser.submit(form, press=("step", "answer"), **filled).expect(200)


def take_down_and_answer(mail: ReceivedMail, take_down: Callable[[str], bool], *, language: str = "en") -> ReadNotice:
    """The honest provider: takes the named picture down, keeps the account data, and says so."""
    notice = read_notice(mail, language)
    if not take_down(notice.url):
        raise Stuck(f"notice {notice.number} names a place that this provider does not have")
    answer(notice.link, "removed", kept_evidence="yes")
    return notice
