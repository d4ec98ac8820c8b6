"""What each error of this room says to a person, in both languages."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, str | Promise] = {
    "incident.not_found": _("There is no such incident, or you may not see it."),
    "case.not_found": _("There is no such case, or you may not see it."),
    "entry.unknown": _("There is no such entry, or you may not see it."),
    "incident.claimed": _("Somebody else is working on this incident."),
    "incident.claim_needed": _(
        "Claim the incident first. Your claim may have run out after 15 minutes without a step."
    ),
    "incident.claim_stale": _(
        "Your claim ended before you decided, so nothing was changed. Look at the incident as it is now and claim it again."
    ),
    "incident.decided": _("This incident has been decided already. Nothing was changed."),
    "incident.decision_unusable": _("Something is missing in the decision."),
    "incident.nothing_to_fetch": _("The report names no link: there is nothing that the crawler could fetch."),
    "incident.without_case": _("Put the incident into a case first."),
    "case.already_in": _("The incident is in a case already."),
    "candidate.not_found": _("This incident has no such candidate."),
    "casework.reason_missing": _("Choose a reason."),
}
