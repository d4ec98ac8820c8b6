"""The staff pages of sightings: what waits for a person's yes or no, and one sighting with its place."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from vigil.accounts.policies import permit, require
from vigil.accounts.selectors import actor_of, names_of
from vigil.audit import services as audit
from vigil.core import clock, keyd
from vigil.core.actors import Actor
from vigil.core.errors import NotFound, NotPermitted, Unavailable
from vigil.core.ids import format_number, parse_number, resolve_number
from vigil.crawl import selectors, services, words
from vigil.crawl.errors import SightingNotFound
from vigil.crawl.selectors import SightingFacts
from vigil.lists import selectors as lists
from vigil.web.http import require_post

ROWS = 50


@dataclass(frozen=True)
class Row:
    """One sighting in words."""

    facts: SightingFacts
    number: str
    entry: str
    state: str
    badge: str
    match: str
    orientation: str
    reason: str


@require_safe
def sightings(request: HttpRequest) -> HttpResponse:
    """The list: by default what waits for a person, oldest first."""
    actor = actor_of(request)
    require(actor, "sighting.view")
    asked, asked_page = request.GET.get("state", ""), request.GET.get("page", "1")
    state = asked if asked in words.STATES else "proposed"
    page = max(1, int(asked_page)) if asked_page.isascii() and asked_page.isdecimal() and len(asked_page) < 7 else 1
    found = selectors.sightings(actor, state=state, limit=ROWS + 1, offset=(page - 1) * ROWS)
    audit.record(
        actor=actor, action="sightings.view", subject_kind="sightings", subject_id=actor.id, at=clock.now(),
        data={"state": state, "rows": len(found[:ROWS])},
    )  # fmt: skip
    context = {
        "rows": [_in_words(facts) for facts in found[:ROWS]],
        "state": state,
        "state_words": words.STATES[state],
        "states": [(code, text, selectors.count_sightings(actor, state=code)) for code, text in words.STATES.items()],
        "previous": page - 1,
        "next": page + 1 if len(found) > ROWS else 0,
        "now": clock.now(),
    }
    return render(request, "crawl/sightings.html", context)


@require_safe
def sighting(request: HttpRequest, number: str) -> HttpResponse:
    """One sighting: the place (defanged, opened for this one view), the match, the looks so far."""
    actor = actor_of(request)
    require(actor, "sighting.view")
    facts = selectors.sighting(_sighting_id(number))
    require(actor, "sighting.view", facts)
    place = _opened(actor, facts.place_id, facts.number)
    page = _opened(actor, facts.page_place_id, facts.number) if facts.page_place_id else None
    audit.record(actor=actor, action="sighting.view", subject_kind="sighting", subject_id=facts.id, at=clock.now())
    decided_by = names_of({facts.decided_by}).get(facts.decided_by, "") if facts.decided_by else ""
    context = {
        "row": _in_words(facts),
        "entry": lists.entry(facts.entry_id),
        "place": place,
        "page": page,
        "visits": [
            (at, words.outcome_words(outcome), status)
            for at, outcome, status in selectors.visits_of_place(facts.place_id, limit=10)
        ],
        "checks": [(check, words.VERDICTS[check.verdict]) for check in selectors.checks_of_place(facts.place_id)],
        "decided_by": decided_by,
        "may_decide": facts.state == "proposed" and permit(actor, "sighting.confirm", facts),
    }
    return render(request, "crawl/sighting.html", context)


@require_post
def confirm(request: HttpRequest, number: str) -> HttpResponse:
    """It is the listed picture."""
    services.confirm_sighting(actor=actor_of(request), sighting_id=_known(request, number), at=clock.now())
    messages.success(request, _("Sighting %(number)s is confirmed. A notice follows.") % {"number": _shown(number)})
    return HttpResponseRedirect(reverse("crawl:sightings"), status=303)


@require_post
def reject(request: HttpRequest, number: str) -> HttpResponse:
    """It is another picture."""
    services.reject_sighting(actor=actor_of(request), sighting_id=_known(request, number), at=clock.now())
    messages.success(request, _("Sighting %(number)s is rejected. Nothing is sent.") % {"number": _shown(number)})
    return HttpResponseRedirect(reverse("crawl:sightings"), status=303)


def _known(request: HttpRequest, number: str) -> UUID:
    """The sighting of a number. Who may not decide about any is not told whether this one exists."""
    require(actor_of(request), "sighting.confirm")
    return _sighting_id(number)


def _sighting_id(number: str) -> UUID:
    kind, subject_id = resolve_number(number)
    if kind != "sighting":
        raise SightingNotFound()
    return subject_id


def _shown(number: str) -> str:
    return format_number(parse_number(number))


def _in_words(facts: SightingFacts) -> Row:
    return Row(
        facts=facts,
        number=format_number(facts.number),
        entry=format_number(lists.entry(facts.entry_id).number),
        state=str(words.STATES[facts.state]),
        badge=words.BADGES[facts.state],
        match=words.match_words(facts.match, facts.distance),
        orientation=words.orientation_words(facts.orientation),
        reason=str(words.REASONS.get(facts.reason, facts.reason)),
    )


def _opened(actor: Actor, place_id: UUID, ticket: str) -> str | None:
    """The address of a place, opened for showing it defanged; None when it cannot be opened now."""
    try:
        return keyd.open_place(
            place_id=place_id, url_sealed=selectors.place(place_id).url_sealed, purpose="casework.view", actor=actor,
            ticket=ticket,
        )  # fmt: skip
    except (Unavailable, NotFound, NotPermitted):
        return None
