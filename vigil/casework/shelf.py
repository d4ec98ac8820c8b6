"""Where a preview waits for the second or two between the page and its picture: in this process's memory, nowhere else.

Taken once, by the person it was made for. What nobody takes is forgotten after a minute; a restart forgets all of it, and
then the look was not delivered and may be asked for again.
"""

from __future__ import annotations

import threading
import time
from uuid import UUID

KEPT_SECONDS = 60.0
MAX_PREVIEWS = 32

_lock = threading.Lock()
_waiting: dict[tuple[UUID, UUID], tuple[float, bytes]] = {}


def put(*, actor_id: UUID, look_id: UUID, picture: bytes) -> None:
    """Lay a preview down for one person and one look."""
    with _lock:
        _forget_old()
        while len(_waiting) >= MAX_PREVIEWS:
            del _waiting[next(iter(_waiting))]
        _waiting[(actor_id, look_id)] = (time.monotonic(), picture)


def take(*, actor_id: UUID, look_id: UUID) -> bytes | None:
    """Take a preview away: the second time there is none."""
    with _lock:
        _forget_old()
        found = _waiting.pop((actor_id, look_id), None)
    return found[1] if found else None


def is_waiting(*, actor_id: UUID, look_id: UUID) -> bool:
    """Whether a preview lies here for this person and look."""
    with _lock:
        _forget_old()
        return (actor_id, look_id) in _waiting


def _forget_old() -> None:
    limit = time.monotonic() - KEPT_SECONDS
    for key in [key for key, (laid_at, _) in _waiting.items() if laid_at < limit]:
        del _waiting[key]
