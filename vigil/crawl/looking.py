"""Looking at one place: fetch, tell a page from a picture, read it in the sandbox, compare. No database here."""

from __future__ import annotations

import difflib
import re
import secrets
from dataclasses import dataclass

import can_ada
import numpy as np

from vigil.core.errors import VigilError
from vigil.core.logs import log
from vigil.crawl.extract import Links, extract, looks_like
from vigil.crawl.fetch import ABSENT, Fetched, Fetcher, Outcome, Robots
from vigil.crawl.services.checks import CheckResult
from vigil.matching import services as matching
from vigil.matching.errors import SandboxDown, TooLarge, Undecodable

MAX_DISTANCE_BITS = 31
ALIKE = 0.9


@dataclass(frozen=True, slots=True)
class Look:
    """What a place shows now. `kind` is page, image or unknown; a body that cannot be read has its outcome for it."""

    fetched: Fetched
    outcome: Outcome
    kind: str = "unknown"
    picture: matching.PictureFacts | None = None
    links: Links | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """The picture that a place is expected to show."""

    sha256: bytes
    pdq: bytes

    def is_shown_by(self, picture: matching.PictureFacts) -> bool:
        """The same file, or a near match in any orientation: a re-encoded copy is still the picture."""
        return picture.sha256 == self.sha256 or nearest(picture.pdq_orientations, self.pdq) <= MAX_DISTANCE_BITS


def nearest(orientations: tuple[bytes, ...], pdq: bytes) -> int:
    """Least Hamming distance in bits of any orientation to a hash."""
    hashes = np.frombuffer(b"".join(orientations), dtype=np.uint8).reshape(len(orientations), 32)
    return int(np.bitwise_count(hashes ^ np.frombuffer(pdq, dtype=np.uint8)).sum(axis=1, dtype=np.int64).min())


class Lookout:
    """Looks at places through one fetcher, and obeys robots.txt."""

    def __init__(self, fetcher: Fetcher, robots: Robots | None = None) -> None:
        self.fetcher = fetcher
        self.robots = robots or Robots(fetcher)

    def look(self, url: str, *, referrer: str = "") -> Look:
        """Fetch a place and read what it shows. Whatever goes wrong with the place is an outcome, never an exception.

        Raises Unavailable when the fetcher is closing: then nothing is known.
        """
        try:
            return self._look(url, referrer)
        except VigilError:
            raise
        except Exception as exc:
            log.warning("place_not_read", error=type(exc).__name__)
            return Look(Fetched(url, Outcome.NOT_READ), Outcome.NOT_READ)

    def _look(self, url: str, referrer: str) -> Look:
        fetched = self.fetcher.fetch(url, referrer=referrer, permit=self.robots.refusal)
        if fetched.outcome is not Outcome.OK:
            return Look(fetched, fetched.outcome)
        kind = looks_like(fetched.body, fetched.content_type)
        if kind == "page":
            return Look(fetched, Outcome.OK, "page", links=extract(fetched.body, fetched.url))
        if kind != "image":
            return Look(fetched, Outcome.NO_PICTURE)
        return self._read(fetched)

    @staticmethod
    def _read(fetched: Fetched) -> Look:
        try:
            return Look(fetched, Outcome.OK, "image", picture=matching.read_picture(fetched.body))
        except TooLarge:
            return Look(fetched, Outcome.TOO_LARGE, "image")
        except Undecodable:
            return Look(fetched, Outcome.UNDECODABLE, "image")
        except SandboxDown:
            return Look(fetched, Outcome.NOT_READ, "image")

    # ---- checks ----------------------------------------------------------------------------------------------------------
    def check(self, url: str, *, expected: Expected | None, page_url: str = "") -> CheckResult:
        """Is the place still up? `down` only when an answer says so; whatever fails is `unknown`."""
        look = self.look(url, referrer=page_url)
        fetched = look.fetched
        verdict, detail = self._judge(look, expected, page_url)
        return CheckResult(
            verdict,
            detail,
            look.outcome,
            fetched.status,
            fetched.server_address,
            fetched.milliseconds,
            len(fetched.body),
        )

    def _judge(self, look: Look, expected: Expected | None, page_url: str) -> tuple[str, str]:
        if look.outcome in ABSENT:
            return "down", str(look.outcome)
        if look.picture is not None:
            if expected is None:
                return "up", "picture"
            if look.picture.sha256 == expected.sha256:
                return "up", "same_file"
            return ("up", "near_match") if expected.is_shown_by(look.picture) else ("down", "other_picture")
        if look.kind == "page":
            return self._judge_page(look, expected, page_url)
        return "unknown", str(look.outcome)

    def _judge_page(self, look: Look, expected: Expected | None, page_url: str) -> tuple[str, str]:
        """A page where a picture was: a host that says "not found" with 200, or a wall (age, log-in, "are you human")?

        An address that cannot exist on the same host gives the answer: if it looks the same, this is how the host says "not
        found", unless the page that showed the picture, or the host's front page, looks the same too: that is a wall.
        """
        if expected is None:
            return "up", "page"
        parsed = can_ada.parse(look.fetched.url)
        folder = str(parsed.pathname).rpartition("/")[0]
        origin = f"{parsed.protocol}//{parsed.host}"
        # A log-in, a check of the visitor or a front page for everything is not an answer about this address.
        probe = self.fetcher.fetch(f"{origin}{folder}/{secrets.token_hex(8)}.jpg", permit=self.robots.refusal)
        if probe.outcome is not Outcome.OK or not _alike(probe.body, look.fetched.body):
            return "unknown", "page_instead_of_picture"
        for other in dict.fromkeys((page_url, f"{origin}/")):
            if other:
                seen = self.fetcher.fetch(other, permit=self.robots.refusal)
                if seen.outcome is not Outcome.OK or _alike(seen.body, look.fetched.body):
                    return "unknown", "wall"
        return "down", "soft_404"


def _alike(one: bytes, other: bytes) -> bool:
    """Whether two pages say the same, but for numbers, tokens and the address they repeat."""
    shapes = [
        re.sub(rb"[0-9a-fA-F]{4,}|\d+|\s+", b" ", body[:20_000]).decode("latin-1").split("<") for body in (one, other)
    ]
    return difflib.SequenceMatcher(None, shapes[0], shapes[1], autojunk=False).ratio() >= ALIKE
