"""The sentence for each error code of referrals that a person can meet."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "referral.not_found": _("The address may be wrong, or there is nothing here that you may see."),
    "referral.unreadable": _("The stored package is not what was sent. It is not handed out. Tell the hotline."),
    "referral.too_large": _("The case holds more than one package may carry."),
    "referral.nothing_to_send": _("The case has no incident that could be referred."),
    "referral.agency_unknown": _("There is no such agency."),
    "referral.already_sent": _("This package was sent already, with other contents. Begin again from the case."),
    "referral.not_sent_yet": _("The package is still being built. Try again in a moment."),
    "referral.not_acknowledged_yet": _("Acknowledge the referral first; then return an outcome."),
    "referral.outcome_unknown": _("Choose one of the outcomes."),
}
