"""Errors of the intake room."""

from __future__ import annotations

from vigil.core.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable


class ReportNotFound(NotFound):
    """There is no such report."""

    code = "report.not_found"


class DraftNotFound(NotFound):
    """The half-filled report is gone (two hours without an answer) or never was."""

    code = "draft.not_found"


class DraftAlreadySent(Conflict):
    """The report was sent: nothing can be changed in it, something can be added to it."""

    code = "draft.already_sent"


class DraftIncomplete(Invalid):
    """A needed answer is missing; `fields` names the step."""

    code = "draft.incomplete"


class FormNotOpen(Unavailable):
    """The operator has not named readers, telephone and hours: nothing may be taken in."""

    code = "intake.form_not_open"


class NoSuchThread(NotFound):
    """Number and secret do not open anything. One error for all reasons, so that nothing can be learned from it."""

    code = "thread.not_opened"


class QuestionNotAsked(Conflict):
    """The report is closed or cannot be asked about."""

    code = "thread.closed"


class MayNotAsk(NotPermitted):
    """This person may not write to reporters."""

    code = "question.not_permitted"


class BadMessage(Invalid):
    """An empty or over-long message."""

    code = "message.unusable"


class UnusableAnswers(Invalid):
    """Answers that the question set does not know, or that are missing; `fields` names each question with its problem."""

    code = "report.unusable_answers"


class SavedDraftNotFound(NotFound):
    """The code opens nothing: never given, used up, or past its day. One error for all reasons."""

    code = "draft.code_not_opened"


class NothingToSave(NotFound):
    """There are no answers that could be kept for later."""

    code = "draft.nothing_to_save"


class NothingHandedIn(Invalid):
    """A delivery without a line, a text or a link."""

    code = "delivery.empty"


class BadDelivery(Invalid):
    """What was handed in cannot be read."""

    code = "delivery.unreadable"


class DeliveryReused(Conflict):
    """Another content was handed in under this name before."""

    code = "delivery.key_reused"


class NotAPartner(NotPermitted):
    """The key belongs to nobody who may hand in reports."""

    code = "delivery.not_a_partner"


class TooManyCalls(Unavailable):
    """This key has called too often in the last minute."""

    code = "delivery.too_many_calls"


class ListTooLong(Invalid):
    """The list has more bytes or lines than may come at once."""

    code = "delivery.too_big"
