"""Counts wrong tries of a number's secret, without addresses, in this process's memory alone."""

from __future__ import annotations

import hmac
import secrets
import threading
from datetime import datetime, timedelta

TRIES = 5
WINDOW = timedelta(minutes=15)
MOST_NUMBERS = 20_000


class TryLimiter:
    """At most five wrong tries of one number in fifteen minutes, whether or not the number exists.

    Numbers are kept as keyed digests under a key made at start, so that the memory names none of them.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._wrong: dict[bytes, list[datetime]] = {}
        self._lock = threading.Lock()

    def may_try(self, number: str, *, at: datetime) -> bool:
        """Whether this number may be tried now."""
        with self._lock:
            return len(self._recent(number, at)) < TRIES

    def count_wrong(self, number: str, *, at: datetime) -> None:
        """Remember one wrong try."""
        with self._lock:
            if len(self._wrong) >= MOST_NUMBERS:
                self._forget_old(at)
            self._wrong[self._digest(number)] = [*self._recent(number, at), at]

    def _digest(self, number: str) -> bytes:
        return hmac.digest(self._key, number.encode(), "sha256")

    def _recent(self, number: str, at: datetime) -> list[datetime]:
        return [moment for moment in self._wrong.get(self._digest(number), []) if at - WINDOW < moment <= at]

    def _forget_old(self, at: datetime) -> None:
        kept = {digest: moments for digest, moments in self._wrong.items() if moments[-1] > at - WINDOW}
        if len(kept) >= MOST_NUMBERS:  # a flood: the oldest half makes room
            newest = sorted(kept.items(), key=lambda item: item[1][-1])[MOST_NUMBERS // 2 :]
            kept = dict(newest)
        self._wrong = kept
