"""Sentences that stand beside every figure."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
    "sighting": gettext_lazy("Sighting"),
    "notice": gettext_lazy("Notice"),
    "removal": gettext_lazy("Removal"),
    "referral": gettext_lazy("Referral"),
    "outcome": gettext_lazy("Outcome"),
    "more": gettext_lazy("There is more than is shown here. Ask for one of the numbers below."),
}
TIMES = {
    "submitted": gettext_lazy("Sent by the reporter"),
    "opened": gettext_lazy("Opened"),
    "decided": gettext_lazy("Decided"),
    "proposed": gettext_lazy("Proposed"),
    "assessed": gettext_lazy("Assessed"),
    "published": gettext_lazy("Published"),
    "withdrawn": gettext_lazy("Withdrawn"),
    "seen": gettext_lazy("Seen"),
    "confirmed": gettext_lazy("Confirmed"),
    "rejected": gettext_lazy("Rejected"),
    "sent": gettext_lazy("Sent"),
    "closed": gettext_lazy("Closed"),
    "first_gone": gettext_lazy("First found gone"),
    "asked": gettext_lazy("Asked for"),
    "acknowledged": gettext_lazy("Acknowledged"),
    "returned": gettext_lazy("Returned"),
}


def word(table: Mapping[str, object], code: str) -> str:
    """The word for a code in the active language, or the code."""
    return str(table.get(code, code))
