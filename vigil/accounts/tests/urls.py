"""This room's routes, with pages that show what happens to a request."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from vigil.accounts.models import Agency
from vigil.accounts.policies import require, require_fresh
from vigil.accounts.selectors import actor_of
from vigil.core.errors import Conflict, NotPermitted
from vigil.core.ids import new_id


class Hidden:
    """Something above everybody's clearance."""

    sensitivity = 4
    id = new_id()


def home(request: HttpRequest) -> JsonResponse:
    actor = actor_of(request)
    return JsonResponse({"name": actor.name, "fresh": actor.fresh, "roles": sorted(actor.roles)})


def act(request: HttpRequest, what: str) -> HttpResponse:
    """Writes a row, then ends as asked."""
    Agency.objects.create(name_en=f"Demo {what}", name_fr=f"Démo {what}", region="CA-ON")
    if what == "conflict":
        raise Conflict()
    if what == "refuse":
        require(actor_of(request), "incident.view")
    if what == "unseen":
        require(actor_of(request), "audit.verify", Hidden())
    if what == "plain":
        raise NotPermitted()
    if what == "status":
        return HttpResponse(status=503)
    if what == "database":
        Agency.objects.create(name_en=f"Demo {what}", name_fr="", region="")
    return HttpResponse("done")


def fresh_only(request: HttpRequest) -> HttpResponse:
    require_fresh(actor_of(request))
    return HttpResponse(f"{request.method} {request.POST.get('word', '')}")


@login_not_required
def marked_only(request: HttpRequest) -> HttpResponse:
    """Marked open, but not in the list."""
    return HttpResponse("open")


urlpatterns = [
    path("", include("vigil.accounts.urls")),
    path("", include("vigil.web.urls")),
    path("", home),
    path("act/<str:what>", act),
    path("fresh", fresh_only),
    path("marked", marked_only, name="marked"),
]
