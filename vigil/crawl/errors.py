"""Errors of the crawl, each with its code."""

from __future__ import annotations

from vigil.core.errors import Conflict, NotFound, NotPermitted, Unavailable


class AddressRefused(NotPermitted):
    """The address may not be fetched: not http(s), not a public address, not a web port. `code` says which."""

    code = "crawl.address_refused"


class NameNotResolved(Unavailable):
    """The host's name has no address now. Never the same as permitted."""

    code = "crawl.name_not_resolved"


class PlaceNotFound(NotFound):
    """There is no such place."""

    code = "crawl.place_not_found"


class SightingNotFound(NotFound):
    """There is no such sighting, or the actor may not know of it."""

    code = "crawl.sighting_not_found"


class SightingAlreadyDecided(Conflict):
    """Somebody, or the rule for exact matches, has decided this sighting already."""

    code = "crawl.sighting_already_decided"


class StaleLease(Conflict):
    """The host was leased to another crawler in the meantime: the late result changes nothing."""

    code = "crawl.stale_lease"


class PreviewUnavailable(Unavailable):
    """The crawl process does not answer, or the place cannot be reached now."""

    code = "crawl.preview_unavailable"


class PreviewChanged(Conflict):
    """The place answers, but no longer shows the expected picture."""

    code = "crawl.preview_changed"


class PreviewAlreadyGiven(Conflict):
    """The preview of this ticket has been given once: there is no second time."""

    code = "crawl.preview_already_given"


class DeclaredMatchNotFound(NotFound):
    """There is no such match against a declared fingerprint."""

    code = "declared_match.not_found"
