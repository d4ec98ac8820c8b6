"""Errors of the lists room."""

from vigil.core.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable


class EntryNotFound(NotFound):
    """There is no such entry."""

    code = "entry.not_found"


class AlreadyAnEntry(Conflict):
    """The same file is an entry already; `args[0]` is that entry's number."""

    code = "entry.already_listed"


class ListedOutOfSight(Conflict):
    """The same file is an entry already, of a kind that this person may not see."""

    code = "entry.listed_out_of_sight"


class EntryNotOpen(Conflict):
    """The entry is not waiting for an assessment any more."""

    code = "entry.not_open"


class EntryNotPublished(Conflict):
    """Only a published entry can be withdrawn."""

    code = "entry.not_published"


class NotIndependent(NotPermitted):
    """The person proposed this entry, or assessed it before (perhaps under another account)."""

    code = "entry.not_independent"


class AlreadyLooked(Conflict):
    """The preview reaches each assessor once, from memory."""

    code = "entry.already_looked"


class LookExpired(Conflict):
    """A look ticket is good for five minutes."""

    code = "entry.look_expired"


class NotLooked(Conflict):
    """Nobody decides without having looked (rule 5)."""

    code = "entry.not_looked"


class BadVerdict(Invalid):
    """The verdict is none of the three."""

    code = "entry.bad_verdict"


class FeedAhead(Conflict):
    """A subscriber asks for what comes after a version that this feed never had: it has to begin again."""

    code = "feed.ahead"


class FeedDamaged(Unavailable):
    """Rows of the feed are missing, so nothing can be said about what is published."""

    code = "feed.damaged"
