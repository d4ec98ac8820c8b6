"""Errors of the removal room, each with its published code."""

from __future__ import annotations

from vigil.core.errors import Conflict, Invalid, NotFound, Unavailable


class NoticeNotFound(NotFound):
    """There is no such notice, or the caller may not see it."""

    code = "notice.not_found"


class NoticeNotAllowed(Conflict):
    """A notice needs a published entry and a confirmed sighting of that entry."""

    code = "notice.not_allowed"


class NoticeClosed(Conflict):
    """The notice is stopped, removed or gone: there is nothing to do for it any more."""

    code = "notice.closed"


class AnswerLinkUnusable(NotFound):
    """The answer link was used, has expired or never existed: from outside the three look the same."""

    code = "answer.link_unusable"


class AnswerInvalid(Invalid):
    """The answer to a notice cannot be read as it stands."""

    code = "answer.invalid"


class AddressInvalid(Invalid):
    """What was given as a provider's contact is not one plain mail address."""

    code = "provider.address_invalid"


class LookupUnavailable(Unavailable):
    """The registration data service (RDAP) did not answer in a way we can use; nobody knows yet who the provider is."""

    code = "rdap.unavailable"


class LookupNotConfigured(Unavailable):
    """No registration data service is set for this installation."""

    code = "rdap.not_configured"


class MailUnavailable(Unavailable):
    """The mail server did not take the notice; it is tried again later. The instance's code says which step failed."""

    code = "smtp.unavailable"
