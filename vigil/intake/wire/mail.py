"""A partner's mail to what it says: its text, and how many attachments it had. Attachments are never decoded.

A text that begins with a link is a list (`wire/lines.py`): one report a line. Any other text is one report: the whole of it in
the sender's words, with the links that stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from vigil.intake.wire.lines import begins_with_link
from vigil.intake.wire.text import decode, tidy

MOST_BYTES = 5 * 1024 * 1024
MOST_TEXT_CHARACTERS = 200_000
MOST_PARTS = 200
#: A signature begins here (RFC 3676).
_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)
_MESSAGE_ID = re.compile(r"^<[\x21-\x3b\x3d\x3f-\x7e]{1,240}>$")
_BREAKS = ("br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "pre", "table")


@dataclass(frozen=True)
class Mail:
    """What a mail says. `message_id` is empty when it has none that could be answered to."""

    text: str
    message_id: str
    attachments: int
    is_automatic: bool

    @property
    def is_list(self) -> bool:
        """Whether each line is a report of its own."""
        first = next((line for line in self.text.split("\n") if line.strip() and not line.startswith("#")), "")
        return begins_with_link(first) or first.strip().lower().split(";")[0].strip() in {"link", "lien", "url"}

    def __repr__(self) -> str:
        return f"Mail(attachments={self.attachments})"


def read_mail(data: bytes) -> Mail:
    """Read any bytes as a mail. Only a part that is the text of the mail itself is decoded: plain text first, else HTML."""
    try:
        message = BytesParser(policy=policy.SMTP).parsebytes(data)
    except (MessageError, ValueError, LookupError):
        return Mail(tidy(decode(data))[:MOST_TEXT_CHARACTERS], "", 0, True)
    plain: list[str] = []
    html: list[str] = []
    attachments = 0
    for index, part in enumerate(_leaves(message)):
        kind = _quiet(part.get_content_type) or "text/plain"
        is_text = kind in {"text/plain", "text/html"} and not _is_attachment(part)
        if not is_text or index >= MOST_PARTS:
            attachments += 1
            continue
        (plain if kind == "text/plain" else html).append(_text_of(part))
    text = "\n".join(plain) if any(each.strip() for each in plain) else "\n".join(without_markup(each) for each in html)
    text = _SIGNATURE.split(tidy(text), maxsplit=1)[0].strip()
    return Mail(text[:MOST_TEXT_CHARACTERS], _message_id(message), attachments, _is_automatic(message))


def without_markup(html: str) -> str:
    """The words of a page of HTML, each block on a line of its own. Where a link's address is not what it shows, both."""
    tree = LexborHTMLParser(html)
    for node in tree.css("script, style, head, title, template, object, iframe"):
        node.decompose()
    for node in tree.css("a"):
        address = (node.attributes.get("href") or "").strip()
        if address.lower().startswith(("http:", "https:")) and address not in (node.text() or ""):
            node.insert_after(f" {address} ")
    for node in tree.css(", ".join(_BREAKS)):
        node.insert_before("\n")
        node.insert_after("\n")
    text = tree.body.text() if tree.body is not None else tree.text()
    return re.sub(r"\n\s*\n+", "\n", "\n".join(line.strip() for line in text.replace("\xa0", " ").split("\n")))


def _leaves(message: EmailMessage) -> list[EmailMessage]:
    """The parts that hold something. A mail inside a mail counts as one part: it is an attachment."""
    found: list[EmailMessage] = []
    waiting = [message]
    while waiting and len(found) <= MOST_PARTS:
        part = waiting.pop(0)
        inside = part.get_payload()
        if isinstance(inside, list) and part.get_content_maintype() == "multipart":
            waiting = [each for each in inside if isinstance(each, EmailMessage)] + waiting
        else:
            found.append(part)
    return found


def _is_attachment(part: EmailMessage) -> bool:
    return _quiet(part.get_content_disposition) == "attachment" or bool(_quiet(part.get_filename))


def _text_of(part: EmailMessage) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    charset = _quiet(part.get_content_charset)
    if charset and charset not in {"us-ascii", "utf-8"}:
        try:
            return raw.decode(charset, "replace")
        except LookupError:
            pass
    return decode(raw)


def _message_id(message: EmailMessage) -> str:
    text = (_header(message, "Message-ID") or "").strip()
    return text if _MESSAGE_ID.match(text) else ""


def _is_automatic(message: EmailMessage) -> bool:
    """Whether a program wrote it: such a mail is taken, and never answered (RFC 3834)."""
    said = (_header(message, "Auto-Submitted") or "no").split(";")[0].strip().lower()
    return (
        said != "no"
        or (_header(message, "Precedence") or "").strip().lower() in {"bulk", "junk", "list"}
        or bool(_header(message, "List-Id"))
        or (_header(message, "Return-Path") or "").strip() == "<>"
    )


def _header(message: EmailMessage, name: str) -> str:
    return str(_quiet(lambda: message.get(name, "")) or "")


def _quiet(read: Callable[[], Any]) -> Any:
    """A header that the library cannot read counts as absent."""
    try:
        return read()
    except Exception:
        return None
