"""Fingerprints as text, one a line: `pdq:<64 hex digits>:<quality>` of a picture, `md5:<32 hex digits>` of a video."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vigil.imagehelp.errors import BadFingerprint

MAX_FINGERPRINTS = 100
#: Below this a picture is so plain that its fingerprint would fit many others. Source: PDQ's authors.
LEAST_QUALITY = 50
_PDQ = re.compile(r"pdq:([0-9a-f]{64}):([0-9]{1,3})")
_MD5 = re.compile(r"md5:([0-9a-f]{32})")
# No picture or video has these: the fingerprints of nothing.
_OF_NOTHING = frozenset({"pdq:" + "0" * 64, "pdq:" + "f" * 64, "md5:d41d8cd98f00b204e9800998ecf8427e"})


@dataclass(frozen=True)
class Fingerprint:
    """What is left of a picture or a video: no way leads back."""

    kind: str
    value: bytes
    quality: int | None = None

    @property
    def text(self) -> str:
        """The line that stands for it."""
        return f"{self.kind}:{self.value.hex()}" + ("" if self.quality is None else f":{self.quality}")

    @property
    def short(self) -> str:
        """Enough to tell two apart on a page."""
        digits = self.value.hex()
        return f"{digits[:6]} … {digits[-6:]}"


def parse(line: str) -> Fingerprint:
    """One line. Raises BadFingerprint: `unreadable`, or `too_plain` for a picture without enough in it."""
    text = line.strip().lower()
    if text.rpartition(":")[0] in _OF_NOTHING or text in _OF_NOTHING:
        raise BadFingerprint(fields={"fingerprints": "imagehelp.fingerprint_of_nothing"})
    if found := _MD5.fullmatch(text):
        return Fingerprint("md5", bytes.fromhex(found[1]))
    found = _PDQ.fullmatch(text)
    if found is None or int(found[2]) > 100:
        raise BadFingerprint(fields={"fingerprints": "imagehelp.fingerprint_unreadable"})
    if int(found[2]) < LEAST_QUALITY:
        raise BadFingerprint(fields={"fingerprints": "imagehelp.fingerprint_too_plain"})
    return Fingerprint("pdq", bytes.fromhex(found[1]), int(found[2]))


def parse_lines(lines: Iterable[str]) -> list[Fingerprint]:
    """All lines that are not empty, each fingerprint once. Raises BadFingerprint for the first bad one, or for too many."""
    kept: dict[tuple[str, bytes], Fingerprint] = {}
    for line in lines:
        if line.strip():
            made = parse(line)
            kept.setdefault((made.kind, made.value), made)
        if len(kept) > MAX_FINGERPRINTS:
            raise BadFingerprint(fields={"fingerprints": "imagehelp.too_many_fingerprints"})
    return list(kept.values())
