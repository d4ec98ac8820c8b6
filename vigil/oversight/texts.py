"""Sentences that stand beside every figure."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from vigil.oversight.suppression import MINIMUM

TOTAL = "total"
TOTAL_LABEL = gettext_lazy("Total")
NOTES = (
    gettext_lazy("Each release covers its own period; periods never overlap. A released figure is never changed."),
    gettext_lazy("An event belongs to the period in which it happened, by the operator's own time."),
    gettext_lazy("What could not be checked is unknown: it is never counted as zero, done or removed."),
)
STATES = {
    "few": gettext_lazy("fewer than 10"),
    "withheld": gettext_lazy("withheld to protect another figure"),
    "none": gettext_lazy("No data for this period"),
}


def rule_text() -> str:
    """The rule of disclosure control in the active language."""
    return _(
        "A count below %(minimum)d is not shown. Where it could be worked out from a total, another figure of the same table is "
        "withheld too. Shares and hours are shown only where they follow from figures that are shown."
    ) % {"minimum": MINIMUM}


KINDS = {
    "report": gettext_lazy("Report"),
    "incident": gettext_lazy("Incident"),
    "case": gettext_lazy("Case"),
    "entry": gettext_lazy("List entry"),
    "image_help": gettext_lazy("Image help"),
    "sighting": gettext_lazy("Sighting"),
    "notice": gettext_lazy("Notice"),
    "removal": gettext_lazy("Removal"),
    "referral": gettext_lazy("Referral"),
    "outcome": gettext_lazy("Outcome"),
    "more": gettext_lazy("There is more than is shown here. Ask for one of the numbers below."),
}
TIMES = {
    "submitted": pgettext_lazy("trace", "Sent by the reporter"),
    "opened": pgettext_lazy("trace", "Opened"),
    "decided": pgettext_lazy("trace", "Decided"),
    "proposed": pgettext_lazy("trace", "Proposed"),
    "assessed": pgettext_lazy("trace", "Assessed"),
    "published": pgettext_lazy("trace", "Published"),
    "withdrawn": pgettext_lazy("trace", "Withdrawn"),
    "seen": pgettext_lazy("trace", "Seen"),
    "confirmed": pgettext_lazy("trace", "Confirmed"),
    "rejected": pgettext_lazy("trace", "Rejected"),
    "sent": pgettext_lazy("trace", "Sent"),
    "closed": pgettext_lazy("trace", "Closed"),
    "first_gone": pgettext_lazy("trace", "First found gone"),
    "asked": pgettext_lazy("trace", "Asked for"),
    "acknowledged": pgettext_lazy("trace", "Acknowledged"),
    "returned": pgettext_lazy("trace", "Returned"),
}


def word(table: Mapping[str, object], code: str) -> str:
    """The word for a code in the active language, or the code."""
    return str(table.get(code, code))
