"""The staff pages of image help: cases as numbers, counts and states, and setting one aside. Nobody sees a picture here."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from vigil.accounts.policies import permit, require
from vigil.accounts.selectors import actor_of
from vigil.audit import services as audit
from vigil.core import clock
from vigil.core.ids import format_number, parse_number
from vigil.imagehelp import selectors, services
from vigil.imagehelp.errors import HelpCaseEnded, HelpDraftIncomplete
from vigil.imagehelp.selectors import HelpCaseSummary
from vigil.web.http import require_post

ROWS = 50
Words = str | Promise
STATES: dict[str, Words] = {
    "open": pgettext_lazy("case", "Active"),
    "withdrawn": pgettext_lazy("case", "Taken back"),
    "set_aside": pgettext_lazy("case", "Set aside"),
}
BADGES = {"open": "good", "withdrawn": "plain", "set_aside": "wait"}
WHO: dict[str, Words] = {"me": gettext_lazy("Themself"), "someone": gettext_lazy("A child whom they care for")}
AGES: dict[str, Words] = {
    "under_18": gettext_lazy("Under 18"),
    "18_plus": gettext_lazy("18 or older"),
    "not_sure": gettext_lazy("Age not certain"),
}
REASONS: dict[str, Words] = {
    "contested": gettext_lazy("Somebody contests it: it is another picture"),
    "asked_by_phone": gettext_lazy("The person asked for it on the telephone"),
    "not_a_child": gettext_lazy("It is about adults only"),
    "mistake": gettext_lazy("It was sent by mistake"),
}


@dataclass(frozen=True)
class Row:
    """One case in words."""

    facts: HelpCaseSummary
    number: str
    state: Words
    badge: str
    who: Words
    age: Words
    reason: Words


def _in_words(facts: HelpCaseSummary) -> Row:
    return Row(
        facts, format_number(facts.number), STATES[facts.state], BADGES[facts.state], WHO[facts.who], AGES[facts.age],
        REASONS.get(facts.ended_reason, ""),
    )  # fmt: skip


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """The list, newest first; by default what is active."""
    actor = actor_of(request)
    require(actor, "imagehelp.view")
    asked, asked_page = request.GET.get("state", ""), request.GET.get("page", "1")
    state = asked if asked in STATES else "open"
    page = max(1, int(asked_page)) if asked_page.isascii() and asked_page.isdecimal() and len(asked_page) < 7 else 1
    found = selectors.cases(actor, state=state, limit=ROWS + 1, offset=(page - 1) * ROWS)
    audit.record(
        actor=actor, action="imagehelp.list", subject_kind="image_help", subject_id=actor.id, at=clock.now(),
        data={"state": state, "rows": len(found[:ROWS])},
    )  # fmt: skip
    context = {
        "rows": [_in_words(facts) for facts in found[:ROWS]],
        "state": state,
        "state_words": STATES[state],
        "states": list(STATES.items()),
        "previous": page - 1,
        "next": page + 1 if len(found) > ROWS else 0,
        "now": clock.now(),
    }
    return render(request, "imagehelp/staff_cases.html", context)


@require_safe
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case."""
    actor = actor_of(request)
    facts = selectors.case_by_number(actor, parse_number(number))
    audit.record(actor=actor, action="imagehelp.view", subject_kind="image_help", subject_id=facts.id, at=clock.now())
    context = {
        "row": _in_words(facts),
        "may_set_aside": facts.state == "open" and permit(actor, "imagehelp.set_aside"),
        "reasons": list(REASONS.items()),
    }
    return render(request, "imagehelp/staff_case.html", context)


@require_post
def set_aside(request: HttpRequest, number: str) -> HttpResponse:
    """Take a case's fingerprints out of every look-up, for a reason."""
    actor = actor_of(request)
    facts = selectors.case_by_number(actor, parse_number(number))
    try:
        services.set_aside_case(actor=actor, case_id=facts.id, reason=request.POST.get("reason", ""), at=clock.now())
        messages.success(request, _("The fingerprints are out of every comparison."))
    except HelpDraftIncomplete:
        messages.error(request, _("Choose a reason first. Nothing was changed."))
    except HelpCaseEnded:
        messages.error(request, _("This case had ended before. Nothing was changed."))
    return HttpResponseRedirect(reverse("imagehelp_staff:case", args=[format_number(facts.number)]), status=303)
