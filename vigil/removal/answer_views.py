"""The answer page behind the link in a notice: a GET or HEAD changes nothing, the first POST shows, the second answers."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from vigil.core import clock
from vigil.core.hotline import hotline
from vigil.core.ids import format_number
from vigil.removal import services
from vigil.removal.errors import AnswerInvalid, AnswerLinkUnusable
from vigil.removal.forms import ProviderAnswer, add_errors
from vigil.removal.words import CLASSIFICATION_WORDS, OTHER_CLASSIFICATION
from vigil.web.http import other_language_of, page_url, require_get_or_post


@login_not_required
@require_safe
def in_language_of_browser(request: HttpRequest, token: str) -> HttpResponse:
    """The short form of the link: on to the page in the browser's language."""
    return HttpResponseRedirect(page_url("removal_answer:page", _language(), token=token))


@login_not_required
@require_get_or_post
def answer_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for confirmation (GET), show the notice and its question (confirmed), keep the answer (answered)."""
    try:
        if request.method == "POST":
            return _posted(request, token)
        number = services.peek_answer_link(token=token, at=clock.now())
    except AnswerLinkUnusable:
        # Used, expired and never existing look the same, to people and to guessing.
        context = {"operator_email": hotline().operator.email}
        return render(request, "removal/answer_unusable.html", context, status=404)
    context = {"number": format_number(number), "form_url": _address(token)}
    return render(request, "removal/answer_confirm.html", context)


@login_not_required
@require_get_or_post
def thanks(request: HttpRequest) -> HttpResponse:
    """The same page for every answer, reachable without a link's secret."""
    return render(request, "removal/answer_thanks.html")


def _posted(request: HttpRequest, token: str) -> HttpResponse:
    if request.POST.get("action") == "language":
        # The switch is a button of the form: what was filled in comes along into the other language.
        with translation.override(other_language_of(_language())):
            kept = {name: request.POST.get(name, "") for name in ProviderAnswer.base_fields}
            return _question(request, token, ProviderAnswer(initial=kept))
    if request.POST.get("step") == "answer":
        return _answered(request, token)
    return _question(request, token, ProviderAnswer())


def _answered(request: HttpRequest, token: str) -> HttpResponse:
    form = ProviderAnswer(request.POST)
    if form.is_valid():
        try:
            services.answer(token=token, form=form.to_answer(), at=clock.now())
            return HttpResponseRedirect(page_url("removal_answer:thanks", _language()), status=303)
        except AnswerInvalid as exc:
            add_errors(form, exc.fields)
    return _question(request, token, form, status=400)


def _question(request: HttpRequest, token: str, form: ProviderAnswer, *, status: int = 200) -> HttpResponse:
    shown = services.confirm_answerer(token=token, at=clock.now())
    context = {
        "notice": shown,
        "number": format_number(shown.number),
        "classification": CLASSIFICATION_WORDS.get(shown.classification, OTHER_CLASSIFICATION),
        "form": form,
        "form_url": _address(token),
        "language_form": "answer",
    }
    return render(request, "removal/answer_question.html", context, status=status)


def _address(token: str) -> str:
    return page_url("removal_answer:page", _language(), token=token)


def _language() -> str:
    return "fr" if (get_language() or "en").startswith("fr") else "en"
