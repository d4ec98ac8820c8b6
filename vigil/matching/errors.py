"""Errors of the matching room."""

from vigil.core.errors import Invalid, Unavailable


class Undecodable(Invalid):
    """The bytes are no picture that we read: damaged, cut off, another kind, or hostile to the decoder."""

    code = "matching.undecodable"


class TooLarge(Invalid):
    """More bytes or more pixels than are decoded."""

    code = "matching.too_large"


class BadRequest(Invalid):
    """What a program sent to the protocol door cannot be read: a field is missing, unknown or out of range."""

    code = "matching.bad_request"


class BadHash(Invalid):
    """A hash has another length than its kind has."""

    code = "matching.bad_hash"


class SandboxDown(Unavailable):
    """No decoder can be started with the layers that must hold."""

    code = "matching.sandbox_down"


class ListUnreadable(Unavailable):
    """The published list cannot be read now: that is never "no match"."""

    code = "matching.list_unreadable"
