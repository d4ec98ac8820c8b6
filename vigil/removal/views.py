"""The staff pages of removals: the board, what needs a person, one notice."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from vigil.accounts.policies import Action, permit, require
from vigil.accounts.selectors import actor_of
from vigil.audit import services as audit
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.errors import Unavailable
from vigil.core.ids import format_number, parse_number
from vigil.crawl import selectors as crawl
from vigil.lists import selectors as lists
from vigil.removal import selectors, services
from vigil.removal.errors import AddressInvalid
from vigil.removal.forms import AddressForm, add_errors
from vigil.removal.models import NoticeState
from vigil.removal.words import BOARD_WORDS, VERDICT_WORDS, answer_in_words, attempt_in_words, facts_in_words
from vigil.web.http import require_post


@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Every notice the person may see, open ones first; counts for each provider."""
    actor, now = actor_of(request), clock.now()
    wanted, asked_page = request.GET.get("state", ""), request.GET.get("page", "1")
    state = wanted if wanted in BOARD_WORDS else ""
    page = selectors.board(
        actor, word=state, page=int(asked_page) if asked_page.isascii() and asked_page.isdecimal() else 1
    )
    audit.record(
        actor=actor,
        action="board.view",
        subject_kind="board",
        subject_id=actor.id,
        at=now,
        data={"rows": len(page.rows)},
    )
    context = {
        "rows": [facts_in_words(row, now) for row in page.rows],
        "page": page.page,
        "previous": page.page - 1,
        "next": page.page + 1 if page.has_more else 0,
        "providers": selectors.board_providers(actor),
        "states": [(word, text) for word, text in BOARD_WORDS.items()],
        "state": state,
        "may_see_notices": permit(actor, "notice.view"),
        "now": now,
    }
    return render(request, "removal/board.html", context)


@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """Notices that stand still until a person acts."""
    actor, now = actor_of(request), clock.now()
    rows = selectors.notices_that_need_a_person(actor)
    audit.record(
        actor=actor, action="notices.view", subject_kind="board", subject_id=actor.id, at=now, data={"rows": len(rows)}
    )
    return render(request, "removal/notices.html", {"rows": [facts_in_words(row, now) for row in rows], "now": now})


@require_safe
def notice(request: HttpRequest, number: str) -> HttpResponse:
    """One notice: the place (defanged), attempts, visits, answers."""
    return _notice_page(request, _notice_id(request, number, "notice.view"), AddressForm())


@require_post
def set_address(request: HttpRequest, number: str) -> HttpResponse:
    """A person found the provider's mailbox."""
    form, notice_id = AddressForm(request.POST), _notice_id(request, number, "notice.send")
    if form.is_valid():
        try:
            services.set_address(actor=actor_of(request), notice_id=notice_id, at=clock.now(), **form.cleaned_data)
        except AddressInvalid as exc:
            add_errors(form, exc.fields)
    if form.errors:
        return _notice_page(request, notice_id, form, status=400)
    messages.success(request, _("The mailbox is kept. The place is looked at again, then the notice is sent."))
    return _back(number)


@require_post
def try_again(request: HttpRequest, number: str) -> HttpResponse:
    """Do not wait for the next due time."""
    notice_id = _notice_id(request, number, "notice.send")
    services.try_again_now(actor=actor_of(request), notice_id=notice_id, at=clock.now())
    messages.success(request, _("It is tried again now. Reload this page in a moment."))
    return _back(number)


@require_post
def continue_reminders(request: HttpRequest, number: str) -> HttpResponse:
    """Go on after a dispute or a question."""
    notice_id = _notice_id(request, number, "notice.send")
    services.continue_reminders(actor=actor_of(request), notice_id=notice_id, at=clock.now())
    messages.success(request, _("The next mail is due now."))
    return _back(number)


def _notice_id(request: HttpRequest, number: str, action: Action) -> UUID:
    """The notice of a number. Who may not do this to any notice is not told whether this one exists."""
    require(actor_of(request), action)
    return selectors.notice_id_of(number)


def _notice_page(request: HttpRequest, notice_id: UUID, form: AddressForm, *, status: int = 200) -> HttpResponse:
    actor, now = actor_of(request), clock.now()
    page = selectors.notice_page(actor, notice_id)
    places, opened = _opened(actor, notice_id)
    audit.record(actor=actor, action="notice.view", subject_kind="notice", subject_id=notice_id, at=now)
    may_send = permit(actor, "notice.send", page.row) and not page.row.is_closed
    context = {
        "page": page,
        "facts": facts_in_words(page.notice, now),
        "entry_number": format_number(lists.entry(page.notice.entry_id).number),
        "sighting_number": format_number(crawl.sighting(page.notice.sighting_id).number),
        "place": places[0],
        "page_around": places[1],
        "answers": [answer_in_words(one, opened.get(one.id, "")) for one in page.answers],
        "attempts": [attempt_in_words(one) for one in page.attempts],
        "checks": [(one, VERDICT_WORDS[one.verdict]) for one in page.checks],
        "removals": [(one, format_number(one.number)) for one in page.removals],
        "form": form,
        "may_send": may_send,
        "asks_for_address": may_send and page.row.state in {NoticeState.NO_ADDRESS, NoticeState.DISPUTED},
        "may_continue": may_send and page.row.state in {NoticeState.DISPUTED, NoticeState.ANSWERED},
    }
    return render(request, "removal/notice.html", context, status=status)


def _opened(actor: Actor, notice_id: UUID) -> tuple[tuple[str, str], dict[UUID, str]]:
    """The addresses and the providers' words, or nothing while the key process is away: the page says so."""
    try:
        return selectors.opened_places(actor, notice_id), selectors.opened_words(actor, notice_id)
    except Unavailable:
        return ("", ""), {}


def _back(number: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("removal:notice", args=[format_number(parse_number(number))]), status=303)
