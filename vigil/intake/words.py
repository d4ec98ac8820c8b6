"""Words of intake that several doors use: why a line was not taken, and where a report came from."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LINE_REASONS: dict[str, str | Promise] = {
    "line.no_link": _("It does not begin with a web address that can be read."),
    "line.formula": _("It begins with a sign of a formula. Write the web address itself."),
    "line.link_too_long": _("The web address is longer than 2,048 characters."),
    "line.note_too_long": _("The note is longer than 2,000 characters."),
    "report.says_nothing": _("It has neither a link nor a text."),
    "line.too_many": _("The list is too long. Send this line again with the next list."),
}


def reason_of_line(code: str) -> str:
    """Why a line was not taken, in the active language."""
    return str(LINE_REASONS.get(code, code))


#: What a program or a page says for an error of this room.
SENTENCES: dict[str, str | Promise] = {
    "delivery.empty": _("Nothing was handed in: there is no line and no text."),
    "delivery.unreadable": _(
        "What was handed in cannot be read. Nothing was kept. The description of the door is at its address."
    ),
    "delivery.key_missing": _("Name each call with an Idempotency-Key of 8 to 200 characters. Nothing was kept."),
    "delivery.key_reused": _("Another content was handed in under this name before. Nothing was changed."),
    "delivery.not_a_partner": _("This key belongs to nobody who may hand in reports."),
    "delivery.too_many_calls": _("This key has called too often in the last minute. Wait a minute, then send again."),
    "delivery.too_big": _("This is too much at once. Nothing was kept. Send it in several parts."),
    "accounts.key_unusable": _("The key is unknown, has ended, or may not do this."),
}
