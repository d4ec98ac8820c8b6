"""One table: families of errors to HTTP statuses and to sentences in both languages."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vigil.core.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotPermitted,
    Unavailable,
    VigilError,
)

STATUS_OF_FAMILY: dict[type[VigilError], int] = {
    Invalid: 400,
    NotPermitted: 403,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
}

TITLES: dict[int, str | Promise] = {
    400: _("We could not read that"),
    403: _("You cannot do this"),
    404: _("This page does not exist"),
    409: _("This was changed in the meantime"),
    500: _("Something went wrong on our side"),
    503: _("This part is not available right now"),
}

SENTENCES: dict[int, str | Promise] = {
    400: _("The page sent something that we do not understand. Nothing was changed. Go back and try again."),
    403: _("The page is out of date or this is not open to you. Nothing was changed."),
    404: _("The address may be wrong, or there is nothing here that you may see."),
    409: _("Someone else was faster, or this step was already done. Look at the current state before you go on."),
    500: _("We do not know whether your last step was kept. Please try again in a moment."),
    503: _("A part of the system does not answer. Nothing was changed. Please try again in a moment."),
}

_SENTENCE_OF_CODE: dict[str, str | Promise] = {
    "web.form_expired": _(
        "The form on this page was too old, or the browser does not keep cookies. Nothing was changed. "
        "Go back, load the page again and send it once more."
    ),
    "web.cross_site": _("This form was sent from another site. Nothing was changed."),
    "database.unavailable": _("The database does not answer. Nothing was changed. Please try again in a moment."),
    "intake.not_taken": _(
        "A field that must stay empty was filled in. Nothing was kept. Go back and try again, or call."
    ),
}


def register_sentence(code: str, sentence: str | Promise) -> None:
    """Give one error code its own sentence (a lazy translation); a room calls this when its app starts."""
    _SENTENCE_OF_CODE[code] = sentence


def status_of(error: VigilError) -> int:
    """HTTP status of an error by its family; unknown families answer 500."""
    for family, status in STATUS_OF_FAMILY.items():
        if isinstance(error, family):
            return status
    return 500


def title_of(status: int) -> str:
    """Heading of an error page in the active language."""
    return str(TITLES.get(status, TITLES[500]))


def sentence_of(status: int, code: str = "") -> str:
    """Sentence for a code, or for its status when the code has none of its own, in the active language."""
    return str(_SENTENCE_OF_CODE.get(code) or SENTENCES.get(status, SENTENCES[500]))
