"""Errors of referrals."""

from __future__ import annotations

from vigil.core.errors import Conflict, Invalid, NotFound, Unavailable


class PackageNotFound(NotFound):
    """There is no such package, or it is not this person's to see."""

    code = "referral.not_found"


class PackageUnreadable(Unavailable):
    """A stored or received package is not what it should be: a file is missing, changed or in another form."""

    code = "referral.unreadable"


class PackageTooLarge(Invalid):
    """The case holds more than one package may carry."""

    code = "referral.too_large"


class NothingToRefer(Invalid):
    """The case has no incident with anything to send."""

    code = "referral.nothing_to_send"


class AgencyUnknown(Invalid):
    """No such police agency."""

    code = "referral.agency_unknown"


class AlreadySent(Conflict):
    """This package has left: it cannot be changed, sent again or taken back."""

    code = "referral.already_sent"


class NotSentYet(Conflict):
    """The package is still being prepared."""

    code = "referral.not_sent_yet"


class NotAcknowledgedYet(Conflict):
    """An outcome can be returned only for a package that was acknowledged."""

    code = "referral.not_acknowledged_yet"


class OutcomeUnknown(Invalid):
    """No such outcome."""

    code = "referral.outcome_unknown"
