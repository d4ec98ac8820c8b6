"""`vigil index`: builds a snapshot when enough has changed since the last one, or when that one cannot be used."""

from __future__ import annotations

import threading
import time

from django.db import Error as DatabaseError
from django.db import close_old_connections

import ringmatch
from vigil.core.errors import Unavailable
from vigil.core.logs import log
from vigil.lists import selectors as lists
from vigil.matching.index import build_snapshot, current_name, is_worth_keeping, version_of
from vigil.matching.index.snapshot import DamagedSnapshot

LOOK_SECONDS = 2.0
VERIFY_SECONDS = 300.0
REBUILD_AFTER_CHANGES = 500
REBUILD_AFTER_SECONDS = 900.0


class Builder:
    """Decides when to build. Seconds are a monotonic clock's."""

    def __init__(self) -> None:
        self._built_at = self._verified_at = float("-inf")

    def look(self, now: float) -> int | None:
        """Build when it is due; the version built, or None."""
        if not self._is_due(now):
            return None
        version = build_snapshot()
        self._built_at = self._verified_at = now
        return version

    def _is_due(self, now: float) -> bool:
        try:
            name = current_name()
            if name is None:
                return True
            if now - self._verified_at >= VERIFY_SECONDS:
                if not is_worth_keeping(name):
                    return True
                self._verified_at = now
            changes = lists.feed_version() - version_of(name)
        except DamagedSnapshot:
            return True
        # A version below the snapshot's: a restored database, another history.
        if changes < 0 or changes >= REBUILD_AFTER_CHANGES:
            return True
        return changes > 0 and now - self._built_at >= REBUILD_AFTER_SECONDS


def run_index(stop: threading.Event) -> None:
    """Look every two seconds until `stop` is set. Build after 500 changes, after 15 minutes with any, at need at once."""
    builder = Builder()
    while not stop.is_set():
        try:
            close_old_connections()
            if (version := builder.look(time.monotonic())) is not None:
                log.info("index_built", version=version)
        except (DatabaseError, OSError, Unavailable, ringmatch.RingmatchError) as exc:
            log.warning("index_not_built", error=type(exc).__name__)
        stop.wait(LOOK_SECONDS)
