"""Cases: which incidents belong together."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from vigil.accounts.policies import permit
from vigil.accounts.selectors import actor_of, names_of
from vigil.casework import selectors
from vigil.casework.views.shared import record_view
from vigil.core.ids import format_number
from vigil.lists import selectors as lists


@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """The newest cases."""
    return render(request, "casework/cases.html", {"cases": selectors.cases(actor_of(request))})


@require_safe
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case: its incidents and the entries that came from them, each only if the person may see it."""
    actor = actor_of(request)
    item = selectors.case_by_number(actor, number)
    entries = []
    if permit(actor, "entry.view"):
        entries = [
            entry
            for incident in item.incidents
            for entry in lists.entries_of_incident(incident.id)
            if entry.sensitivity <= actor.clearance
        ]
    context = {
        "item": item,
        "entries": entries,
        "opened_by": names_of({item.opened_by}).get(item.opened_by, ""),
        "compose_url": _compose_url(item.number) if permit(actor, "referral.compose", item) else "",
    }
    record_view(actor, "case.view", "case", item.id)
    return render(request, "casework/case.html", context)


def _compose_url(number: str) -> str:
    """Where a package for the police is composed; that door belongs to a room further left and may not be there."""
    try:
        return reverse("referral:compose", args=[format_number(number)])
    except NoReverseMatch:
        return ""
