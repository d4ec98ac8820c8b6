"""`vigil index`: builds a snapshot when enough has changed since the last one."""

from __future__ import annotations

import threading

from django.db import Error as DatabaseError
from django.db import close_old_connections

from vigil.core.logs import log
from vigil.lists import selectors as lists
from vigil.matching.index import build_snapshot, current_version

LOOK_SECONDS = 2.0
REBUILD_AFTER_CHANGES = 500


def run_index(stop: threading.Event) -> None:
    """Look every two seconds until `stop` is set; rebuild after 500 changes, and once at the start."""
    while not stop.is_set():
        try:
            close_old_connections()
            version, built = lists.feed_version(), current_version()
            if built is None or version < built or version - built >= REBUILD_AFTER_CHANGES:
                log.info("index_built", version=build_snapshot())
        except (DatabaseError, OSError) as exc:
            log.warning("index_not_built", error=type(exc).__name__)
        stop.wait(LOOK_SECONDS)
