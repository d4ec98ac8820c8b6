"""The console's pages of oversight: releases of figures, and the chain around a number."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vigil.accounts.policies import permit, require
from vigil.accounts.selectors import actor_of
from vigil.core import clock
from vigil.core.errors import Invalid, NotFound
from vigil.core.ids import format_number, new_id, parse_number
from vigil.oversight import selectors, services
from vigil.oversight import trace as tracing
from vigil.oversight.texts import KINDS, TIMES, word
from vigil.oversight.trace import Hop
from vigil.web.http import require_get_or_post


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
    """The chain around a number. A number that does not exist and one that this person may not see get the same answer."""
    actor = actor_of(request)
    require(actor, "trace.view")
    form = TraceForm(request.POST if request.method == "POST" else None)
    hops: list[dict[str, Any]] | None = None
    if form.is_bound and form.is_valid():
        try:
            found = tracing.trace_for_page(actor=actor, number=form.cleaned_data["number"], at=clock.now())
            hops = [_in_words(hop) for hop in found]
        except NotFound:
            form.add_error("number", _("There is nothing with this number that you may see."))
    context = {"form": form, "hops": hops, "number": format_number(form.cleaned_data["number"]) if hops else ""}
    return render(request, "oversight/trace.html", context, status=400 if form.errors else 200)


_PAGES = {
    "incident": "casework:incident",
    "case": "casework:case",
    "entry": "casework:entry",
    "sighting": "crawl:sighting",
    "notice": "removal:notice",
}


def _page_of(hop: Hop) -> str:
    """The console's page of a hop; whoever sees the hop may see the page. Reports, removals and outcomes have none."""
    if hop.kind == "referral":
        return reverse("referral:package", args=[hop.subject_id])
    return reverse(_PAGES[hop.kind], args=[hop.number]) if hop.kind in _PAGES else ""


def _in_words(hop: Hop) -> dict[str, Any]:
    return {
        "word": word(KINDS, hop.kind),
        "number": hop.number,
        "url": _page_of(hop),
        "parent": hop.parent,
        "asked": hop.asked,
        "times": [{"word": word(TIMES, time.code), "at": time.at, "by": time.by} for time in hop.times],
    }
