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
    "contact_not_given": _("None given"),
    "under_13": _("Under 13"),
    "13_15": _("13 to 15"),
    "16_17": _("16 or 17"),
    "18_plus": _("18 or older"),
    "prefer_not": _("Not said"),
    "unknown": _("Not known"),
    "actionable": _("To be acted on"),
    "duplicate": _("Reported before"),
    "needs_more": _("More is needed"),
    "material_online": _("Material is online"),
    "child_at_risk": _("A child may be at risk"),
    "person_named": _("A person or an account is named"),
    "same_place": _("The same place"),
    "same_people": _("The same people"),
    "sent_twice": _("The same report, sent twice"),
}
# The same sentences as casework's triage gives, frozen into a package by their codes.
REASONS: Words = {
    "danger": _("Someone is in danger now."),
    "meeting_planned": _("A meeting with a child is planned."),
    "deadline": _("There is a threat with a deadline."),
    "child_reports": _("A child or teenager reports for themself, or the age of the person was not given."),
    "danger_unsure_close": _("Someone close to the child is not sure whether there is danger now."),
    "meeting_unsure": _("It is not certain that no meeting is planned."),
    "threat": _("Someone threatens to share images."),
    "trafficking": _("It may be about a child who is sold or trafficked."),
    "identifiable": _("The child can be identified."),
    "child_sent_images": _("The child has sent images."),
    "child_known": _("The person who reports knows the child."),
    "danger_unsure": _("It is not certain that nobody is in danger."),
    "enticement": _("Someone asks a child for images or to meet."),
    "other_sent_images": _("The other person has sent images to a child."),
    "identifiable_unsure": _("The child can perhaps be identified."),
    "close_to_a_child": _("The report is for a child whom the person knows."),
    "is_me": _("The person who reports is in the image."),
    "already_shared": _("The image has been shared already."),
    "shared_image": _("An image was shared."),
    "seen_material": _("Someone saw an image or a site."),
    "ai_image": _("It is about an image made by a computer."),
    "information": _("Nothing in the answers calls for a faster band."),
}
MISSING: Words = {
    "no_places": _("No link: nobody gave one and none was found."),
    "no_handles": _("No account name."),
    "no_fingerprints": _("No picture was hashed."),
    "no_words": _("No words of the reporter."),
    "no_contact": _("No contact details of the reporter."),
    "no_listed": _("No picture on the verified list yet."),
    "unopened_links": _("What one reporter wrote was erased on request."),
    "more_places": _("The case has more places than one package holds; ask for the rest."),
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
