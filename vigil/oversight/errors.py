"""Errors of oversight."""

from __future__ import annotations

from vigil.core.errors import Conflict, NotFound, Unavailable


class ReleaseNotFound(NotFound):
    """There is no such release."""

    code = "statistics.not_found"


class TooSoon(Conflict):
    """The period since the last release is too short to publish: differences between releases would say too much."""

    code = "statistics.too_soon"


class ReleaseFailed(Unavailable):
    """The figures could not be computed now; nothing was published."""

    code = "statistics.failed"


class StillBusy(Unavailable):
    """Something that began before the end of the period has not ended: the figures would not be final."""

    code = "statistics.still_busy"
