"""What the pages of this room share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from vigil.accounts.policies import permit
from vigil.accounts.selectors import actor_of, names_of
from vigil.audit import services as audit
from vigil.casework.errors import IncidentClaimed
from vigil.core import clock, keyd
from vigil.core.actors import Actor
from vigil.core.errors import NotFound, NotPermitted, Unavailable, VigilError
from vigil.core.ids import format_number
from vigil.crawl import selectors as crawl
from vigil.web.errors import sentence_of, status_of
from vigil.web.templatetags.vigil import when


def home(request: HttpRequest) -> HttpResponse:
    """The first page after signing in: the place where this person's work waits."""
    actor = actor_of(request)
    for action, name in (
        ("incident.view", "casework:queue"),
        ("entry.assess", "casework:assess"),
        ("board.view", "removal:board"),
        ("entry.view", "casework:entries"),
        ("statistics.release", "oversight:releases"),
    ):
        try:
            if permit(actor, action):  # type: ignore[arg-type]
                return HttpResponseRedirect(reverse(name))
        except NoReverseMatch:
            continue
    return render(request, "casework/home.html")


def see_other(name: str, number: str, fragment: str = "") -> HttpResponseRedirect:
    """Go on with a page after a step (303), at one part of it."""
    address = reverse(f"casework:{name}", args=[format_number(number)])
    return HttpResponseRedirect(f"{address}#{fragment}" if fragment else address, status=303)


def words_of(error: VigilError) -> str:
    """What an error says to a person. For a claim that somebody else holds: who, and until when."""
    if isinstance(error, IncidentClaimed):
        holder = names_of({error.claimed_by}).get(error.claimed_by, _("Somebody else"))
        return _("%(name)s is working on this incident (until %(time)s). You can claim it when it is given back.") % {
            "name": holder,
            "time": when(error.until),
        }
    return sentence_of(status_of(error), error.code)


def record_view(actor: Actor, action: str, subject_kind: str, subject_id: UUID, **data: Any) -> None:
    """Write that somebody looked at something sensitive. Call it after every call to the key process."""
    audit.record(
        actor=actor, action=action, subject_kind=subject_kind, subject_id=subject_id, at=clock.now(), data=data
    )


def place_words(actor: Actor, place_id: UUID, *, ticket: str) -> str | None:
    """The address of one place, opened for showing it defanged; None when it cannot be opened now."""
    try:
        place = crawl.place(place_id)
        return keyd.open_place(
            place_id=place_id, url_sealed=place.url_sealed, purpose="casework.view", actor=actor, ticket=ticket
        )
    except (Unavailable, NotFound, NotPermitted):
        return None
