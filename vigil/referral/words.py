"""The words for the codes of a package, in the language that is active. An unknown code is shown as it is, never hidden."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = Mapping[str, Promise | str]

BANDS: Words = {
    "0": _("Immediate danger"),
    "1": _("A child now"),
    "2": _("Person with access"),
    "3": _("New or active material"),
    "4": _("Known material"),
    "5": _("Information"),
}
SOURCES: Words = {
    "reporter": _("Reporter said"),
    "crawler": _("Crawler measured"),
    "analyst": _("Analyst decided"),
    "provider": _("Provider said"),
}
FACTS: Words = {
    "situation": _("What it is about"),
    "danger": _("Is somebody in danger now?"),
    "who": _("Who is it about?"),
    "age_band": _("Age of the child"),
    "under_18": _("The reporter is under 18"),
    "contact": _("Contact details"),
    "meeting_planned": _("A meeting is planned"),
    "child_sent_images": _("The child sent pictures"),
    "other_sent_images": _("The other person sent pictures"),
    "is_me": _("The reporter is in the pictures"),
    "already_shared": _("The pictures were shared"),
    "identifiable": _("Somebody could be recognised"),
    "deadline": _("There is a deadline"),
    "decision": _("Decision"),
    "band": _("Urgency"),
}
VALUES: Words = {
    "yes": _("Yes"),
    "no": _("No"),
    "unsure": _("Not sure"),
    "not_said": _("Not said"),
    "me": _("The reporter"),
    "known": _("Somebody the reporter knows"),
    "professional": _("Somebody met through work"),
    "saw": _("Something the reporter saw"),
    "other": _("Something else"),
    "enticement": _("Somebody approaches a child online"),
    "threat": _("Threats or extortion"),
    "shared_image": _("A picture was shared without consent"),
    "seen_material": _("Material seen online"),
    "trafficking": _("Trafficking"),
    "ai_image": _("Pictures made with AI"),
    "not_sure": _("The reporter is not sure"),
    "contact_given": _("Given; held by the hotline, ask for it"),
    "contact_not_given": _("Not given"),
    "under_13": _("Under 13"),
    "13_15": _("13 to 15"),
    "16_17": _("16 or 17"),
    "18_plus": _("18 or older"),
    "unknown": _("Not known"),
}
REASONS: Words = {}
MISSING: Words = {
    "no_places": _("No link: nobody gave one and none was found."),
    "no_handles": _("No account name."),
    "no_fingerprints": _("No picture was hashed."),
    "no_words": _("No words of the reporter."),
    "no_contact": _("No contact details of the reporter."),
    "no_listed": _("No picture on the verified list yet."),
    "unopened_links": _("Some links could not be read."),
}
ROLES: Words = {"reported": _("Reported"), "seen": _("Seen by the crawler")}
STATES: Words = {
    "": _("Not listed"),
    "proposed": _("Waiting for assessment"),
    "published": _("On the verified list"),
    "withdrawn": _("Withdrawn from the list"),
    "refused": _("Assessed, not listed"),
}
OUTCOMES: Words = {
    "child_safe": _("A child was made safe"),
    "identified": _("Somebody was identified"),
    "charged": _("Somebody was charged"),
    "no_action": _("No action"),
    "other": _("Another outcome"),
}
PACKAGE_STATES: Words = {
    "draft": _("Being prepared"),
    "sent": _("Sent"),
    "acknowledged": _("Acknowledged"),
    "closed": _("Outcome returned"),
}


def word(table: Words, code: object) -> str:
    """The word for a code in the active language, or the code."""
    return str(table.get(str(code), code))
