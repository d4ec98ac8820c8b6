"""The assessor's desk: look once, then decide. The picture passes through memory and is kept nowhere."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from vigil.accounts.policies import require, require_fresh
from vigil.accounts.selectors import actor_of
from vigil.casework import services, shelf, words
from vigil.casework.forms import VerdictForm
from vigil.casework.views.entries import visible_entry
from vigil.casework.views.shared import record_view, words_of
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable
from vigil.core.ids import format_number
from vigil.crawl.errors import PreviewChanged
from vigil.lists import selectors as lists
from vigil.lists import services as lists_services
from vigil.lists.errors import NotIndependent
from vigil.lists.selectors import EntryFacts
from vigil.web.http import require_post

_LOOKS = "casework_looks"


@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Entries that wait for this person."""
    actor = actor_of(request)
    waiting = [(item, lists.has_looked(actor, item.id)) for item in lists.entries_to_assess(actor)]
    return render(request, "casework/assess.html", {"waiting": waiting, "now": clock.now()})


@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One entry, before or after the look. No picture here."""
    return _page(request, number)


@require_post
def look(request: HttpRequest, number: str) -> HttpResponse:
    """Ask for the one look. It is permitted and in the audit log before anything is fetched."""
    actor = actor_of(request)
    item = _assessable(actor, number)
    require(actor, "entry.look", item)
    try:
        ticket = lists_services.start_look(actor=actor, entry_id=item.id, at=clock.now())
    except NotIndependent:
        return _page(request, number, problem=_not_independent(), status=409)
    except Conflict as error:
        return _page(request, number, problem=words_of(error), status=409)
    # Kept in the sealed session: nobody opens the next page with a look that was not asked for here.
    request.session[_LOOKS] = [*request.session.get(_LOOKS, [])[-9:], str(ticket.id)]
    return HttpResponseRedirect(reverse("casework:looking", args=[format_number(item.number), ticket.id]), status=303)


@require_GET
def looking(request: HttpRequest, number: str, look_id: UUID) -> HttpResponse:
    """Have the place fetched; then the page with the preview, or in words why there is none."""
    actor = actor_of(request)
    item = _assessable(actor, number)
    if lists.has_looked(actor, item.id) or str(look_id) not in request.session.get(_LOOKS, []):
        return _page(request, number)
    if not shelf.is_waiting(actor_id=actor.id, look_id=look_id):
        try:
            services.prepare_preview(actor=actor, entry=item, look_id=look_id)
        except (Unavailable, NotFound, Conflict) as error:
            record_view(actor, "entry.look_failed", "entry", item.id, look=str(look_id), reason=error.code)
            return _page(request, number, problem=_why_not(error))
    return _page(request, number, look_id=look_id)


@require_GET
def preview(request: HttpRequest, number: str, look_id: UUID) -> HttpResponse:
    """The picture itself: small, grey and blurred, once. It is marked as delivered before it leaves."""
    actor = actor_of(request)
    item = _assessable(actor, number)
    picture = shelf.take(actor_id=actor.id, look_id=look_id)
    if picture is None:
        return HttpResponse(status=404, content_type="text/plain")
    lists_services.mark_look_delivered(actor=actor, look_id=look_id, at=clock.now())
    response = HttpResponse(picture, content_type="image/png")
    response["Content-Disposition"] = f'inline; filename="{item.number}.png"'
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_post
def decide(request: HttpRequest, number: str) -> HttpResponse:
    """Keep this person's verdict. Without a look the list refuses it."""
    actor = actor_of(request)
    item = _assessable(actor, number)
    require_fresh(actor)
    form = VerdictForm(request.POST)
    if not form.is_valid():
        return _page(request, number, form=form, status=400)
    try:
        lists_services.decide_assessment(
            actor=actor, entry_id=item.id, verdict=form.cleaned_data["verdict"], at=clock.now()
        )
    except NotIndependent:
        return _page(request, number, form=form, problem=_not_independent(), status=409)
    except Conflict as error:
        return _page(request, number, form=form, problem=words_of(error), status=409)
    except Invalid as refusal:
        form.take(refusal)
        return _page(request, number, form=form, status=400)
    state = lists.published_state(item.id)
    said = {
        "published": _("Your verdict was kept. Two people agree: the entry is published."),
        "refused": _("Your verdict was kept. The entry is refused."),
    }.get(state, _("Your verdict was kept. Another person decides too."))
    messages.success(request, said)
    return HttpResponseRedirect(reverse("casework:assess"), status=303)


def _assessable(actor: Actor, number: str) -> EntryFacts:
    item = visible_entry(actor, number)
    require(actor, "entry.assess", item)
    return item


def _page(
    request: HttpRequest,
    number: str,
    *,
    status: int = 200,
    problem: str = "",
    look_id: UUID | None = None,
    form: VerdictForm | None = None,
) -> HttpResponse:
    actor = actor_of(request)
    item = _assessable(actor, number)
    mine = [row for row in lists.assessments(item.id) if row.assessor_id == actor.id]
    is_mine_to_assess = item.state == "proposed" and not mine and item.proposed_by_id != actor.id
    context = {
        "item": item,
        "has_looked": lists.has_looked(actor, item.id),
        "look_id": look_id,
        "is_mine_to_assess": is_mine_to_assess,
        "my_verdict": words.of(words.VERDICTS, mine[0].verdict) if mine else "",
        "is_proposer": item.proposed_by_id == actor.id,
        "form": form or VerdictForm(),
        "problem": problem,
    }
    record_view(actor, "entry.view", "entry", item.id)
    return render(request, "casework/assess_one.html", context, status=status)


def _not_independent() -> str:
    return _("You proposed this entry or assessed it before. Somebody else has to decide.")


def _why_not(error: Unavailable | NotFound | Conflict | NotPermitted) -> str:
    """Why there is no picture. A place that cannot be reached cannot be assessed."""
    if isinstance(error, PreviewChanged):
        return _(
            "The place no longer shows this picture. The entry cannot be assessed there. You have not used your look."
        )
    if isinstance(error, Unavailable):
        return _(
            "The place cannot be reached now, so the entry cannot be assessed. You have not used your look; try again later."
        )
    return _("There is no picture to look at. You have not used your look.")
