"""Counts events by a key inside a time window, in this process's memory alone, without keeping what the key was."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import deque
from datetime import datetime, timedelta

MOST_KEYS = 20_000
TRIES = 5
TRY_WINDOW = timedelta(minutes=15)


class WindowLimiter:
    """At most `most` events of one key in `window`. Keys are kept as digests under a key made at start: memory names none."""

    def __init__(self, most: int, window: timedelta, *, most_keys: int = MOST_KEYS) -> None:
        self.most, self.window, self.most_keys = most, window, most_keys
        self._secret = secrets.token_bytes(32)
        self._seen: dict[bytes, deque[datetime]] = {}
        self._lock = threading.Lock()

    def may(self, key: str, *, at: datetime) -> bool:
        """Whether one more event of this key fits into the window."""
        with self._lock:
            return len(self._recent(self._digest(key), at)) < self.most

    def count(self, key: str, *, at: datetime) -> None:
        """Remember one event. A key that is full already is not lengthened: it runs out when its last counted event does."""
        with self._lock:
            if len(self._seen) >= self.most_keys:
                self._forget_old(at)
            moments = self._recent(self._digest(key), at)
            moments.append(at)
            if len(moments) > self.most:
                moments.popleft()
            self._seen[self._digest(key)] = moments

    def _digest(self, key: str) -> bytes:
        return hmac.digest(self._secret, key.encode(), "sha256")

    def _recent(self, digest: bytes, at: datetime) -> deque[datetime]:
        moments = self._seen.get(digest, deque())
        while moments and not at - self.window < moments[0]:
            moments.popleft()
        return moments

    def _forget_old(self, at: datetime) -> None:
        kept = {digest: moments for digest, moments in self._seen.items() if moments and moments[-1] > at - self.window}
        if len(kept) >= self.most_keys:  # a flood: the older half makes room
            kept = dict(sorted(kept.items(), key=lambda item: item[1][-1])[self.most_keys // 2 :])
        self._seen = kept


class TryLimiter(WindowLimiter):
    """At most five wrong tries of one number or code in fifteen minutes, whether or not it exists."""

    def __init__(self) -> None:
        super().__init__(TRIES, TRY_WINDOW)

    def may_try(self, number: str, *, at: datetime) -> bool:
        """Whether this number may be tried now."""
        return self.may(number, at=at)

    def count_wrong(self, number: str, *, at: datetime) -> None:
        """Remember one wrong try."""
        self.count(number, at=at)
