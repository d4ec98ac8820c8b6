"""Errors of the image-help room."""

from __future__ import annotations

from vigil.core.errors import Conflict, Invalid, NotFound


class HelpCaseNotFound(NotFound):
    """There is no such image-help case."""

    code = "imagehelp.not_found"


class HelpCaseNotOpened(NotFound):
    """Number and code do not open anything. One error for all reasons, so that nothing can be learned from it."""

    code = "imagehelp.not_opened"


class HelpDraftNotFound(NotFound):
    """What was filled in is gone (two hours without a step) or never was."""

    code = "imagehelp.draft_not_found"


class HelpDraftIncomplete(Invalid):
    """A needed answer is missing; `fields` names the step."""

    code = "imagehelp.incomplete"


class BadFingerprint(Invalid):
    """A line is no fingerprint of a picture or a video; `fields` says why."""

    code = "imagehelp.bad_fingerprint"


class HelpCaseEnded(Conflict):
    """The case was taken back or set aside already."""

    code = "imagehelp.ended"
