"""The queue: what should be looked at first, and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vigil.accounts.selectors import actor_of
from vigil.casework import selectors
from vigil.core import clock


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Open incidents: band, then nearest limit, then oldest. Filters stand in the address."""
    actor, now = actor_of(request), clock.now()
    band = request.GET.get("band", "")
    chosen = int(band) if band in {"0", "1", "2", "3", "4", "5"} else None
    mine = request.GET.get("mine") == "1"
    page = selectors.queue(actor, at=now, band=chosen, mine=mine, after=request.GET.get("after", "")[:40])
    context = {"page": page, "now": now, "chosen": chosen, "mine": mine, "is_later_page": "after" in request.GET}
    return render(request, "casework/queue.html", context)
