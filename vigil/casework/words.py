"""Codes of this room in words, in both languages. One table, so that pages, tests and messages say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vigil.core.hotline import hotline

Words = str | Promise

SITUATIONS: dict[str, Words] = {
    "enticement": _("Someone asks a child for images or to meet"),
    "threat": _("Threat to share images"),
    "shared_image": _("An image was shared"),
    "seen_material": _("An image or a site was seen"),
    "trafficking": _("A child is sold or trafficked"),
    "ai_image": _("Image made with artificial intelligence"),
    "other": pgettext_lazy("situation", "Something else"),
    "not_sure": pgettext_lazy("situation", "Not sure"),
}
DECISIONS: dict[str, Words] = {
    "actionable": _("Act on it"),
    "out_of_scope": _("Out of scope"),
    "duplicate": _("Duplicate"),
    "needs_more": _("Needs more"),
}
DECISION_HINTS: dict[str, Words] = {
    "actionable": _("There is something to verify, to have removed or to hand to the police."),
    "out_of_scope": _("It is not for this hotline. The incident is closed."),
    "duplicate": _("It was reported before. The incident is closed and points to the other one."),
    "needs_more": _("It stays in the queue until more is known, and your claim ends."),
}
# Which reasons belong to which decision: the service refuses any other pair.
REASONS: dict[str, dict[str, Words]] = {
    "actionable": {
        "material_online": _("Material is online"),
        "child_at_risk": _("A child may be at risk"),
        "person_named": _("A person or an account is named"),
    },
    "out_of_scope": {
        "adults_only": _("It is about adults only"),
        "lawful": _("It is lawful"),
        "other_crime": _("Another crime, another service"),
        "scam_or_spam": _("Scam or spam"),
        "nothing_to_act_on": _("There is nothing to act on"),
    },
    "duplicate": {
        "same_place": _("The same place"),
        "same_people": _("The same people"),
        "sent_twice": _("The same report, sent twice"),
    },
    "needs_more": {
        "place_missing": _("The place is missing"),
        "unclear": _("It is not clear what is meant"),
        "reporter_was_asked": _("The reporter was asked"),
    },
}
REASON_CODES = tuple(code for reasons in REASONS.values() for code in reasons)
SOURCES: dict[str, Words] = {
    "web": _("Web form"),
    "phone": _("Telephone"),
    "letter": _("Letter"),
    "bulk": _("List"),
    "mailbox": _("Partner’s mail"),
    "partner_api": _("Partner’s program"),
    "police": _("Police"),
}
KNOWN_PLACES: dict[str, Words] = {
    "known": _("Seen before"),
    "open": _("A notice is open"),
    "removed_before": _("Removed before: a look is asked for"),
    "back": _("Back after its removal"),
    "still_gone": _("Removed before, and still gone"),
    "unknown": _("Removed before: the look could not tell"),
}
KNOWN_BADGES = {
    "known": "",
    "open": "wait",
    "removed_before": "wait",
    "back": "stop",
    "still_gone": "good",
    "unknown": "unknown",
}
LANGUAGES: dict[str, Words] = {
    **{language.code: language.name for language in hotline().languages},
    "en": _("English"),
    "fr": _("French"),
}
SENSITIVITIES: dict[int, Words] = {1: _("Ordinary"), 2: _("Protected"), 3: _("Restricted")}
STATES: dict[str, Words] = {"open": pgettext_lazy("incident", "Open"), "decided": pgettext_lazy("incident", "Decided")}
STEPS: dict[str, Words] = {
    "opened": _("Opened from a report"),
    "claimed": _("Claimed"),
    "released": _("Claim given back"),
    "decided": pgettext_lazy("step", "Decided"),
    "needs_more": _("Put back: needs more"),
    "case_opened": _("Case opened"),
    "added_to_case": _("Added to a case"),
    "taken_out_of_case": _("Taken out of the case"),
    "places_fetched": _("Reported places handed to the crawler"),
    "candidates_found": _("The crawler found candidates"),
    "entry_proposed": _("Entry proposed"),
    "entry_published": _("Entry published"),
    "entry_refused": _("Entry refused"),
    "entry_withdrawn": _("Entry withdrawn"),
    "question_asked": _("Question put to the reporter"),
    "place_known": _("A reported place was seen before"),
    "place_back": _("A removed place is back"),
    "place_still_gone": _("A removed place is still gone"),
    "declared_match": _("The crawler saw what fits a fingerprint of this person's own picture"),
}
CONTACT_GIVEN = _("Contact details")
ANSWERS: dict[str, Words] = {"yes": _("Yes"), "no": _("No")}
CLASSIFICATIONS: dict[str, Words] = {
    "baseline": _("Baseline: illegal in nearly every country"),
    "national": _("National: illegal here"),
    "harmful": _("Harmful: against the rules of most services"),
}
ENTRY_STATES: dict[str, Words] = {
    "proposed": pgettext_lazy("entry", "Waits for assessors"),
    "published": pgettext_lazy("entry", "Published"),
    "withdrawn": pgettext_lazy("entry", "Withdrawn"),
    "refused": pgettext_lazy("entry", "Refused"),
}
ENTRY_BADGES = {"proposed": "wait", "published": "good", "withdrawn": "stop", "refused": "unknown"}
VERDICTS: dict[str, Words] = {
    "illegal": _("Illegal"),
    "not_illegal": _("Not illegal"),
    "unsure": pgettext_lazy("verdict", "Not sure"),
}
WITHDRAWALS: dict[str, Words] = {
    "mistake": _("It was assessed wrongly"),
    "lawful": _("It turned out to be lawful"),
    "adult": _("The person shown is an adult"),
    "court": _("A court or an authority decided so"),
    "other": pgettext_lazy("withdrawal", "Another reason"),
}
# What became of a reported place, by the crawl's own outcome codes. Nothing here says "removed": that needs two checks apart.
OUTCOMES: dict[str, Words] = {
    "": _("Waiting for the crawler"),
    "ok": _("Read"),
    "not_found": _("Nothing there (404)"),
    "gone": _("Nothing there any more (410)"),
    "not_web": _("Not an address of the web"),
    "dead_host": _("Dead host: no answer at this address"),
    "timeout": _("No answer in time"),
    "too_large": _("Too large to read"),
    "redirect_loop": _("Redirect loop"),
    "robots_refused": _("The site does not permit it (robots.txt)"),
    "robots_unavailable": _("The site's rules could not be read (robots.txt)"),
    "blocked_address": _("Refused: not an address of the public web"),
    "tls_failed": _("The site's certificate could not be trusted"),
    "too_many_requests": _("The site asks to come back later"),
    "server_error": _("The site reports an error of its own"),
    "http_error": _("The site answered with an error"),
    "connection_broken": _("The connection broke"),
    "undecodable": _("Could not be read"),
    "no_picture": _("Neither a picture nor a page"),
    "not_read": _("Could not be read"),
}
UNREADABLE = _("Could not be read: not an address of the web")
THREAD_STATES: dict[str, Words] = {
    "received": _("Received"),
    "read": pgettext_lazy("report", "Read"),
    "question": _("A question waits for the reporter"),
    "closed": pgettext_lazy("report", "Closed"),
}


def of(table: Mapping[Any, Words], code: str | int | None) -> str:
    """A code in words, in the active language; an unknown code is shown as it is rather than hidden."""
    return str(table.get(code, "" if code is None else str(code)))


def reason_of_decision(code: str | None) -> str:
    """The reason of a decision in words."""
    for reasons in REASONS.values():
        if code in reasons:
            return str(reasons[code])
    return code or ""
