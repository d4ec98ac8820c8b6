"""Bytes of a file or a mail to text: UTF-8, UTF-16, or what a Windows spreadsheet writes."""

from __future__ import annotations

import codecs
import re

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: Control characters that no text needs; they would only disturb whoever reads it.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def decode(data: bytes) -> str:
    """Any bytes as text. A byte order mark decides; else UTF-8 when it is valid, UTF-16 by its zero bytes, else Windows-1252."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return tidy(data.decode(name, "replace"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and "\x00" not in text:
        return tidy(text)
    # Plain text in UTF-16 without a mark: every second byte is zero.
    even, odd = data[0:400:2], data[1:400:2]
    if odd and odd.count(0) > len(odd) * 0.6 and even.count(0) < len(even) * 0.1:
        return tidy(data.decode("utf-16-le", "replace"))
    if even and even.count(0) > len(even) * 0.6 and odd.count(0) < len(odd) * 0.1:
        return tidy(data.decode("utf-16-be", "replace"))
    return tidy(text or data.decode("cp1252", "replace"))


def tidy(text: str) -> str:
    """One kind of line end, no control characters, no byte order mark inside."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    return _CONTROLS.sub(" ", text)
