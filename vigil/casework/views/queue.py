"""The queue: what should be looked at first, and why."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vigil.accounts.selectors import actor_of
from vigil.casework import selectors
from vigil.casework.words import SOURCES
from vigil.core import clock


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Open incidents: band, then nearest limit, then oldest. Filters stand in the address."""
    actor, now = actor_of(request), clock.now()
    band = request.GET.get("band", "")
    chosen = int(band) if band in {"0", "1", "2", "3", "4", "5"} else None
    mine = request.GET.get("mine") == "1"
    source = request.GET.get("source", "")
    source = source if source in SOURCES else ""
    page = selectors.queue(
        actor, at=now, band=chosen, mine=mine, source=source, after=request.GET.get("after", "")[:40]
    )
    kept = {"band": chosen, "mine": "1" if mine else None, "source": source or None}
    context = {
        "page": page,
        "now": now,
        "chosen": chosen,
        "mine": mine,
        "source": source,
        "kept": urlencode({name: value for name, value in kept.items() if value is not None}),
        "others": urlencode({name: value for name, value in kept.items() if value is not None and name != "source"}),
        "is_later_page": "after" in request.GET,
    }
    return render(request, "casework/queue.html", context)
