"""The console's pages of oversight: releases of figures, and the chain around a number."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vigil.accounts.policies import Action, permit, require
from vigil.accounts.selectors import actor_of
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.errors import Invalid, NotFound
from vigil.core.ids import format_number, new_id, parse_number
from vigil.oversight import selectors, services
from vigil.oversight import trace as tracing
from vigil.oversight.texts import KINDS, TIMES, word
from vigil.oversight.trace import Hop
from vigil.web.context import current_language
from vigil.web.http import other_language_of, remember_language, require_get_or_post


@require_get_or_post
def releases(request: HttpRequest) -> HttpResponse:
    """All releases, and the button that asks for one."""
    actor = actor_of(request)
    require(actor, "statistics.release")
    if request.method == "POST":
        request_id = _uuid(request.POST.get("request_id", ""))
        services.ask_for_release(actor=actor, request_id=request_id, at=clock.now())
        return redirect("oversight:releases")
    waiting = selectors.waiting_requests()
    context = {
        "rows": selectors.releases(),
        "waiting": waiting[0] if waiting else None,
        "may_release": permit(actor, "statistics.release"),
        "request_id": new_id(),
    }
    return render(request, "oversight/releases.html", context)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(code="request.unreadable", fields={"request_id": "request.unreadable"}) from None


class TraceForm(forms.Form):
    """One number. It travels by POST: it stands in no address and no history."""

    number = forms.CharField(
        label=gettext_lazy("Number"),
        max_length=40,
        error_messages={"required": gettext_lazy("Enter a number.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "short"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""

    def clean_number(self) -> str:
        """The canonical ten characters."""
        try:
            return parse_number(self.cleaned_data["number"])
        except Invalid:
            raise forms.ValidationError(
                _("This is not a number of ours. It has ten characters; check each of them.")
            ) from None


@require_get_or_post
def trace(request: HttpRequest) -> HttpResponse:
    """The chain around a number. A number that does not exist and one that this person may not see get the same answer.

    The number is in no address, so the language switch is a button of its form: the answer comes along into the other language.
    """
    require(actor_of(request), "trace.view")
    if request.POST.get("action") != "language":
        return _trace_page(request)
    other = other_language_of(current_language())
    with translation.override(other):
        response = _trace_page(request)
    response.headers["Content-Language"] = other
    remember_language(response, other)
    return response


def _trace_page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    form = TraceForm(request.POST if request.method == "POST" else None)
    hops: list[dict[str, Any]] | None = None
    if form.is_bound and form.is_valid():
        try:
            found = tracing.trace_for_page(actor=actor, number=form.cleaned_data["number"], at=clock.now())
            hops = [_in_words(actor, hop) for hop in found]
        except NotFound:
            form.add_error("number", _("There is nothing with this number that you may see."))
    context = {
        "form": form,
        "hops": hops,
        "number": format_number(form.cleaned_data["number"]) if hops else "",
        "language_form": "trace-form" if form.is_bound else "",
    }
    return render(request, "oversight/trace.html", context, status=400 if form.errors else 200)


_PAGES: dict[str, tuple[Action, str]] = {
    "image_help": ("imagehelp.view", "imagehelp_staff:case"),
    "incident": ("incident.view", "casework:incident"),
    "case": ("case.view", "casework:case"),
    "entry": ("entry.view", "casework:entry"),
    "sighting": ("sighting.view", "crawl:sighting"),
    "notice": ("notice.view", "removal:notice"),
    "referral": ("referral.view", "referral:package"),
}


def _page_of(actor: Actor, hop: Hop) -> str:
    """The console's page of a hop, if the person may open it: who sees a case sees that it was referred, and no more."""
    action, route = _PAGES.get(hop.kind, ("trace.view", ""))
    if not route or not permit(actor, action):
        return ""
    return reverse(route, args=[hop.subject_id if hop.kind == "referral" else hop.number])


def _in_words(actor: Actor, hop: Hop) -> dict[str, Any]:
    return {
        "word": word(KINDS, hop.kind),
        "number": hop.number,
        "url": _page_of(actor, hop),
        "parent": hop.parent,
        "asked": hop.asked,
        "times": [{"word": word(TIMES, time.code), "at": time.at, "by": time.by} for time in hop.times],
    }
