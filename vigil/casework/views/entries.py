"""Entries of the list: what they are, who assessed them, and taking one back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from vigil.accounts.errors import ItemUnseen
from vigil.accounts.policies import permit, require, require_fresh
from vigil.accounts.selectors import actor_of, names_of
from vigil.casework import selectors, words
from vigil.casework.errors import EntryUnknown
from vigil.casework.forms import WithdrawalForm
from vigil.casework.views.shared import record_view, see_other, words_of
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.errors import Conflict, Invalid, NotFound
from vigil.core.ids import resolve_number
from vigil.lists import selectors as lists
from vigil.lists import services as lists_services
from vigil.lists.errors import EntryNotFound
from vigil.lists.selectors import EntryFacts
from vigil.web.http import require_post


@require_safe
def entries(request: HttpRequest) -> HttpResponse:
    """The list's entries, newest first."""
    actor = actor_of(request)
    state = request.GET.get("state", "")
    chosen = state if state in words.ENTRY_STATES else None
    context = {
        "entries": lists.entries(actor, state=chosen),
        "chosen": chosen,
        "states": list(words.ENTRY_STATES.items()),
        "feed_version": lists.feed_version(),
    }
    return render(request, "casework/entries.html", context)


@require_safe
def entry(request: HttpRequest, number: str) -> HttpResponse:
    """One entry."""
    return _page(request, number)


@require_post
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """Take a published entry back, for a reason."""
    actor = actor_of(request)
    item = visible_entry(actor, number)
    require(actor, "entry.withdraw", item)
    require_fresh(actor)
    form = WithdrawalForm(request.POST)
    if not form.is_valid():
        return _page(request, number, form=form, status=400)
    try:
        lists_services.withdraw_entry(actor=actor, entry_id=item.id, reason=form.cleaned_data["reason"], at=clock.now())
    except Conflict as error:
        return _page(request, number, problem=words_of(error), status=409)
    messages.success(request, _("The entry was withdrawn. It is gone from every answer, and subscribers are told."))
    return see_other("entry", item.number)


def visible_entry(actor: Actor, number: str) -> EntryFacts:
    """An entry by its public number. Raises EntryUnknown, ItemUnseen (audited, answered alike), NotPermitted."""
    require(actor, "entry.view")
    try:
        kind, entry_id = resolve_number(number)
    except (Invalid, NotFound) as exc:
        raise EntryUnknown() from exc
    if kind != "entry":
        raise EntryUnknown()
    try:
        item = lists.entry(entry_id)
    except EntryNotFound as exc:
        raise ItemUnseen("entry.view", subject_kind="entry", subject_id=entry_id) from exc
    require(actor, "entry.view", item)
    return item


def _page(
    request: HttpRequest, number: str, *, status: int = 200, problem: str = "", form: WithdrawalForm | None = None
) -> HttpResponse:
    actor = actor_of(request)
    item = visible_entry(actor, number)
    assessments = lists.assessments(item.id)
    people = {assessment.assessor_id for assessment in assessments} | {item.proposed_by_id}
    names = names_of(people | ({item.withdrawn_by_id} if item.withdrawn_by_id else set()))
    context = {
        "item": item,
        "proposed_by": names.get(item.proposed_by_id, ""),
        "withdrawn_by": names.get(item.withdrawn_by_id, "") if item.withdrawn_by_id else "",
        "withdrawn_reason": words.of(words.WITHDRAWALS, item.withdrawn_reason),
        "assessments": [(names.get(row.assessor_id, ""), row) for row in assessments],
        "incident_number": selectors.incident_number(actor, item.incident_id),
        "case_number": selectors.case_number(actor, item.case_id),
        "may_withdraw": item.state == "published" and permit(actor, "entry.withdraw", item),
        "form": form or WithdrawalForm(),
        "problem": problem,
    }
    record_view(actor, "entry.view", "entry", item.id)
    return render(request, "casework/entry.html", context, status=status)
