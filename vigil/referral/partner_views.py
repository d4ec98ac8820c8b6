"""What officers see: their agency's inbox, a package, acknowledge, outcome."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from vigil.accounts.policies import require
from vigil.accounts.selectors import actor_of
from vigil.core import clock
from vigil.core.errors import Unavailable
from vigil.referral import pages, selectors, services
from vigil.referral.forms import OutcomeForm
from vigil.referral.views import zip_response
from vigil.web.http import require_post


def home(request: HttpRequest) -> HttpResponse:
    """The portal begins at the inbox."""
    return redirect("partner:inbox")


def inbox(request: HttpRequest) -> HttpResponse:
    """What the officer's agency has received. Each row can be acknowledged where it stands."""
    actor = actor_of(request)
    require(actor, "referral.acknowledge")
    rows = [pages.row(item) for item in selectors.inbox(actor)]
    waiting = sum(row["facts"].state == "sent" for row in rows)
    return render(request, "referral/inbox.html", {"rows": rows, "waiting": waiting, "now": clock.now()})


def package(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """The one-page summary, then everything else."""
    return _page(request, package_id, OutcomeForm())


def _page(request: HttpRequest, package_id: UUID, form: OutcomeForm) -> HttpResponse:
    actor = actor_of(request)
    item = selectors.package(actor, package_id)
    context = {
        "row": pages.row(item),
        "downloads": selectors.downloads_of(actor, package_id),
        "form": form,
        "summary": None,
        "unavailable": False,
        "download_url": "partner:download",
    }
    try:
        opened = services.open_package(actor=actor, package_id=package_id, at=clock.now())
        context["summary"] = pages.summary(opened.contents)
    except Unavailable:
        context["unavailable"] = True
    return render(request, "referral/inbox_package.html", context, status=400 if form.is_bound else 200)


@require_post
def acknowledge(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Acknowledge, from the inbox or from the package; pressing twice changes nothing."""
    services.acknowledge(actor=actor_of(request), package_id=package_id, at=clock.now())
    messages.success(request, _("Acknowledged. The hotline sees this."))
    return redirect("partner:package", package_id=package_id)


@require_post
def outcome(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """Return an outcome."""
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        return _page(request, package_id, form)
    services.return_outcome(
        actor=actor_of(request), package_id=package_id, kind=form.cleaned_data["kind"], at=clock.now()
    )
    messages.success(request, _("The outcome was sent to the hotline."))
    return redirect("partner:package", package_id=package_id)


@require_post
def download(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """The package as it was sent. Both sides see that it was taken, by whom and when."""
    actor = actor_of(request)
    package = services.download_package(actor=actor, package_id=package_id, at=clock.now())
    return zip_response(package, selectors.package(actor, package_id).package.number)
