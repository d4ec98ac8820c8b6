"""Look-ups against the published list, pictures read in the sandbox, index snapshots."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from vigil.matching import sandbox
from vigil.matching.errors import BadHash, TooLarge, Undecodable
from vigil.matching.index import Answer, Hit, PublishedIndex, build_snapshot
from vigil.matching.index.declared import DeclaredAnswer, DeclaredHit, DeclaredIndex, near_declared
from vigil.matching.sandbox.protocol import MAX_BYTES

# What the first bytes of a picture look like; neither a name nor a header is believed.
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")

ORIENTATIONS = ("identity", "rotate90", "rotate180", "rotate270", "flipx", "flipy", "transpose", "antitranspose")


@dataclass(frozen=True)
class PictureFacts:
    """What is kept of a picture: hashes and size. `pdq_orientations`: eight hashes in the order of ORIENTATIONS."""

    sha256: bytes
    md5: bytes
    pdq_orientations: tuple[bytes, ...]
    quality: int
    width: int
    height: int

    @property
    def pdq(self) -> bytes:
        """The hash of the picture as it is."""
        return self.pdq_orientations[0]


def is_picture(data: bytes) -> bool:
    """Whether the first bytes are those of a format that we read."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return True
    if data[4:12] in {b"ftypavif", b"ftypavis"}:
        return True
    return data.startswith(_MAGIC)


def read_picture(data: bytes) -> PictureFacts:
    """Hash a picture in the sandbox; the bytes are forgotten. Raises Undecodable, TooLarge, SandboxDown."""
    _refuse_early(data)
    orientations, quality, width, height = sandbox.default().facts(data)
    # The exact hashes are made out here: a decoder that was taken over could lie about them.
    sha256 = hashlib.sha256(data).digest()
    md5 = hashlib.md5(data, usedforsecurity=False).digest()
    return PictureFacts(sha256, md5, tuple(orientations), quality, width, height)


def blurred_preview(data: bytes) -> bytes:
    """A PNG of at most 160 pixels, grey and blurred, made in the sandbox. Raises Undecodable, TooLarge, SandboxDown."""
    _refuse_early(data)
    return sandbox.default().preview(data)


def _refuse_early(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise TooLarge(len(data))
    if not is_picture(data):
        raise Undecodable()


_index = PublishedIndex()


def lookup(
    *, pdqs: list[bytes] | tuple[bytes, ...] = (), sha256: bytes | None = None, md5: bytes | None = None
) -> Answer:
    """Find published entries: the same file, or a PDQ hash within 31 bits of any of `pdqs` (orientations of one picture).

    The answer carries the feed version that it was made with, and never an entry that was withdrawn by then. Hits are ordered
    "exact" (SHA-256) first, then "md5" (which a person has to confirm: MD5 can be forged), then by distance. Raises BadHash,
    ListUnreadable: that is never "no match".
    """
    sizes = ((pdqs, 32), ([sha256] if sha256 is not None else [], 32), ([md5] if md5 is not None else [], 16))
    if any(len(value) != size for values, size in sizes for value in values):
        raise BadHash()
    return _index.lookup(pdqs=pdqs, sha256=sha256, md5=md5)


_declared = DeclaredIndex()


def lookup_declared(
    *, pdqs: list[bytes] | tuple[bytes, ...] = (), quality: int = 0, md5: bytes | None = None
) -> DeclaredAnswer:
    """Find fingerprints that people declared of their own pictures: within 31 bits of any of `pdqs`, or with this MD5.

    `quality` is that of the picture that is looked up: too plain a one fits many others and finds nothing. An answer is a
    reason to show the place to a person, and for nothing else. Raises BadHash, ListUnreadable.
    """
    if any(len(value) != 32 for value in pdqs) or (md5 is not None and len(md5) != 16):
        raise BadHash()
    return _declared.lookup(pdqs=pdqs, quality=quality, md5=md5)


__all__ = [
    "MAX_BYTES",
    "ORIENTATIONS",
    "Answer",
    "DeclaredAnswer",
    "DeclaredHit",
    "Hit",
    "PictureFacts",
    "blurred_preview",
    "build_snapshot",
    "is_picture",
    "lookup",
    "lookup_declared",
    "near_declared",
    "read_picture",
]
