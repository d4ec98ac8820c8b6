"""robots.txt as RFC 9309 means it: no rules there = allowed; no answer, 429 or an error of the server = not now."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import can_ada
from protego import Protego

from vigil.crawl.fetch.client import PRODUCT, Fetcher
from vigil.crawl.fetch.outcomes import Limits, Outcome

KEEP_SECONDS = 3600.0
ASK_AGAIN_SECONDS = 600.0
ASK_AGAIN_MAX_SECONDS = 21_600.0
CRAWL_DELAY_MAX_SECONDS = 60.0
ROBOTS_LIMITS = Limits(connect_seconds=8, total_seconds=15, page_bytes=512 * 1024, media_bytes=512 * 1024)
ORIGINS_KEPT = 5000


@dataclass(frozen=True, slots=True)
class Rules:
    """What one origin allows. `outcome` is set when nothing may be fetched there now."""

    parsed: Protego | None
    outcome: Outcome | None
    until: float
    delay_seconds: float = 0.0

    def refusal(self, url: str) -> Outcome | None:
        """Why `url` may not be fetched; None when it may."""
        if self.outcome is not None:
            return self.outcome
        if self.parsed is not None and not self.parsed.can_fetch(url, PRODUCT):
            return Outcome.ROBOTS_REFUSED
        return None


class Robots:
    """The rules of each origin, fetched when first needed and kept for an hour, in memory."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._rules: dict[str, Rules] = {}
        self._lock = threading.Lock()

    def refusal(self, url: str) -> Outcome | None:
        """Why robots.txt of the address's origin keeps us out; None when we may fetch it."""
        return self.rules_for(url).refusal(url)

    def delay_for(self, url: str) -> float:
        """The rest between two requests that the origin's robots.txt asks for, in seconds (0 when it does not)."""
        return self.rules_for(url).delay_seconds

    def rules_for(self, url: str) -> Rules:
        """The rules of the address's origin (scheme, host and port)."""
        parsed = can_ada.parse(url)
        origin = f"{parsed.protocol}//{parsed.host}"
        with self._lock:
            known = self._rules.get(origin)
        if known is None or known.until <= time.monotonic():
            known = self._ask(origin)
            with self._lock:
                if len(self._rules) >= ORIGINS_KEPT:
                    self._rules.clear()
                self._rules[origin] = known
        return known

    def _ask(self, origin: str) -> Rules:
        answer = self._fetcher.fetch(f"{origin}/robots.txt", limits=ROBOTS_LIMITS)
        now = time.monotonic()
        if answer.outcome is Outcome.OK:
            rules = Protego.parse(answer.body[:512_000].decode("utf-8", "replace"))
            delay = min(float(rules.crawl_delay(PRODUCT) or 0.0), CRAWL_DELAY_MAX_SECONDS)
            return Rules(rules, None, now + KEEP_SECONDS, delay)
        if answer.outcome in {Outcome.NOT_FOUND, Outcome.GONE, Outcome.HTTP_ERROR, Outcome.REDIRECT_LOOP}:
            return Rules(None, None, now + KEEP_SECONDS)
        wait = min(answer.retry_after_seconds or ASK_AGAIN_SECONDS, ASK_AGAIN_MAX_SECONDS)
        # A host that cannot be reached at all says so itself; robots_unavailable would hide what is wrong.
        telling = {Outcome.DEAD_HOST, Outcome.BLOCKED_ADDRESS, Outcome.TLS_FAILED, Outcome.NOT_WEB}
        outcome = answer.outcome if answer.outcome in telling else Outcome.ROBOTS_UNAVAILABLE
        return Rules(None, outcome, now + (60.0 if outcome is Outcome.DEAD_HOST else wait))
