"""Errors of the audit room."""

from vigil.core.errors import Unavailable


class HeadsUnreadable(Unavailable):
    """The file of signed heads cannot be read: the chain can be checked, its end cannot."""

    code = "audit.heads_unreadable"
