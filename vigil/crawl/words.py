"""Codes of the crawl in words, in the active language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

Words = str | Promise

STATES: dict[str, Words] = {
    "proposed": gettext_lazy("Waiting for a decision"),
    "confirmed": pgettext_lazy("sighting", "Confirmed"),
    "rejected": pgettext_lazy("sighting", "Rejected"),
}
BADGES = {"proposed": "wait", "confirmed": "good", "rejected": "plain"}
REASONS: dict[str, Words] = {
    "exact": gettext_lazy("By rule: the file is the listed one, byte for byte"),
    "person": gettext_lazy("By a person"),
    "entry_withdrawn": gettext_lazy("By rule: the entry was withdrawn"),
}
# In the order of the eight hashes of a picture.
ORIENTATIONS: tuple[Words, ...] = (
    gettext_lazy("As listed"),
    gettext_lazy("Turned by a quarter"),
    gettext_lazy("Upside down"),
    gettext_lazy("Turned by three quarters"),
    gettext_lazy("Mirrored top to bottom"),
    gettext_lazy("Mirrored"),
    gettext_lazy("Mirrored and turned"),
    gettext_lazy("Mirrored and turned the other way"),
)
# Nothing here says "removed": that needs two checks apart.
OUTCOMES: dict[str, Words] = {
    "": gettext_lazy("Waiting for the crawler"),
    "ok": pgettext_lazy("place", "Read"),
    "not_found": gettext_lazy("Nothing there (404)"),
    "gone": gettext_lazy("Nothing there any more (410)"),
    "not_web": gettext_lazy("Not an address of the web"),
    "dead_host": gettext_lazy("Dead host: no answer at this address"),
    "timeout": gettext_lazy("No answer in time"),
    "too_large": gettext_lazy("Too large to read"),
    "redirect_loop": gettext_lazy("Redirect loop"),
    "robots_refused": gettext_lazy("The site does not permit it (robots.txt)"),
    "robots_unavailable": gettext_lazy("The site’s rules could not be read (robots.txt)"),
    "blocked_address": gettext_lazy("Refused: not an address of the public web"),
    "tls_failed": gettext_lazy("The site’s certificate could not be trusted"),
    "too_many_requests": gettext_lazy("The site asks to come back later"),
    "server_error": gettext_lazy("The site reports an error of its own"),
    "http_error": gettext_lazy("The site answered with an error"),
    "connection_broken": gettext_lazy("The connection broke"),
    "undecodable": gettext_lazy("A picture that cannot be read"),
    "no_picture": gettext_lazy("Neither a picture nor a page"),
    "not_read": gettext_lazy("Not read: the decoder was not ready"),
}
VERDICTS: dict[str, Words] = {
    "": gettext_lazy("Asked, not done yet"),
    "up": gettext_lazy("Still there"),
    "down": gettext_lazy("Not there"),
    "unknown": gettext_lazy("Unknown: the look failed"),
}


def match_words(match: str, distance: int) -> str:
    """What kind of match it is: exact, or near by how many of the 256 bits."""
    if match == "exact":
        return _("Exact: the same file")
    return ngettext("Near: %(n)d bit of 256 differs", "Near: %(n)d bits of 256 differ", distance) % {"n": distance}


def orientation_words(orientation: int) -> str:
    """How the copy stands compared with the listed picture."""
    return str(ORIENTATIONS[orientation]) if 0 <= orientation < len(ORIENTATIONS) else str(orientation)


def outcome_words(code: str) -> str:
    """An outcome in words; an unknown code is shown as it is rather than hidden."""
    return str(OUTCOMES.get(code, code))
