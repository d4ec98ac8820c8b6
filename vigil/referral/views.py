"""The console's pages of referrals: compose, send, and see what came back."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from vigil.accounts.policies import permit, require
from vigil.accounts.selectors import actor_of, agencies
from vigil.core import clock
from vigil.core.errors import Unavailable
from vigil.core.ids import format_number, new_id
from vigil.referral import compose as composing
from vigil.referral import pages, selectors, services, words
from vigil.referral.forms import ComposeForm
from vigil.web.context import current_language
from vigil.web.http import require_get_or_post, require_post


def packages(request: HttpRequest) -> HttpResponse:
    """What was referred, newest first, with receipts and outcomes."""
    actor = actor_of(request)
    require(actor, "referral.view")
    rows = [pages.row(item) for item in selectors.packages(actor)]
    return render(request, "referral/packages.html", {"rows": rows, "limit": selectors.LIST_LIMIT})


def package(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """One referral: where it stands, what it says, who took it out, what came back."""
    actor = actor_of(request)
    item = selectors.package(actor, package_id)
    context = {
        "row": pages.row(item),
        "downloads": selectors.downloads_of(actor, package_id),
        "summary": None,
        "unavailable": False,
        "download_url": "referral:download",
    }
    if item.package.state != "draft":
        try:
            opened = services.open_package(actor=actor, package_id=package_id, at=clock.now())
            context["summary"] = pages.summary(opened.contents)
        except Unavailable:
            context["unavailable"] = True
    return render(request, "referral/package.html", context)


@require_post
def download(request: HttpRequest, package_id: UUID) -> HttpResponse:
    """The package as it was sent."""
    return zip_response(
        services.download_package(actor=actor_of(request), package_id=package_id, at=clock.now()),
        selectors.package(actor_of(request), package_id).package.number,
    )


def zip_response(package: bytes, number: str) -> HttpResponse:
    """A file to keep, never to show in the browser."""
    response = HttpResponse(package, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="referral-{format_number(number)}.zip"'
    return response


@require_get_or_post
def compose(request: HttpRequest, number: str) -> HttpResponse:
    """What a referral of this case would hold and what is missing, and the button that sends it."""
    actor = actor_of(request)
    case_id = composing.case_id_of(actor, number)
    preview = composing.preview(actor, case_id)
    require(actor, "referral.compose", preview.case)
    receivers, language = agencies(), current_language()
    suggested = composing.suggested_agency(receivers)
    form = ComposeForm(
        request.POST if request.method == "POST" else None,
        agencies=receivers,
        language=language,
        initial={"package_id": new_id(), "agency": str(suggested.id) if suggested else None},
    )
    if request.method == "POST" and form.is_valid():
        sent = services.send_package(
            actor=actor,
            package_id=form.cleaned_data["package_id"],
            case_id=case_id,
            agency_id=UUID(form.cleaned_data["agency"]),
            at=clock.now(),
        )
        return redirect("referral:package", package_id=sent.id)
    context = {
        "form": form,
        "preview": preview,
        "number": format_number(preview.case.number),
        "situations": [words.word(words.VALUES, code) for code in preview.situations],
        "reasons": [words.word(words.REASONS, code) for code in preview.reasons],
        "missing": [words.word(words.MISSING, code) for code in preview.missing],
        "suggested": suggested,
        "earlier": [pages.row(item) for item in selectors.packages_of_case(actor, case_id)]
        if permit(actor, "referral.view")
        else [],
        "why_suggested": _("It is the first agency of this installation.")
        if suggested and suggested.kind != "coordination"
        else _("It coordinates for the whole country and passes a referral on."),
    }
    return render(request, "referral/compose.html", context, status=400 if form.is_bound else 200)
