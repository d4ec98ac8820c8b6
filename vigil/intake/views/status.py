"""A report's thread, opened with number and secret."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from vigil.core import clock
from vigil.core.errors import Invalid
from vigil.core.hotline import hotline
from vigil.core.ids import parse_number
from vigil.core.limiter import TRY_WINDOW, TryLimiter, WindowLimiter
from vigil.intake import services
from vigil.intake.errors import BadMessage, NoSuchThread, QuestionNotAsked
from vigil.intake.forms import status as forms
from vigil.intake.selectors import OpenThread
from vigil.web.context import current_language
from vigil.web.http import other_language_of, page_url
from vigil.web.views import error_page

status_limiter = TryLimiter()
#: Wrong tries of any numbers from one network: somebody who mistypes stays far below, somebody who goes through numbers does not.
network_limiter = WindowLimiter(30, TRY_WINDOW)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest) -> HttpResponse:
    """Open a report's thread with number and secret, which travel in the form, never in an address or a cookie."""
    if request.method != "POST":
        return render(request, "intake/status.html", {"form": forms.StatusForm()})
    form = forms.StatusForm(request.POST)
    if request.POST.get("trap", "").strip():
        return error_page(request, 400, "intake.not_taken")
    if not form.is_valid():
        return render(request, "intake/status.html", {"form": form}, status=422)
    number, secret, at = form.cleaned_data["number"], form.cleaned_data["secret"], clock.now()
    network = getattr(request, "network", "")
    try:
        counted = parse_number(number)
    except Invalid:
        counted = number
    try:
        if not (status_limiter.may_try(counted, at=at) and network_limiter.may(network, at=at)):
            raise NoSuchThread()
        thread = services.open_thread(number=number, secret=secret)
    except NoSuchThread:
        status_limiter.count_wrong(counted, at=at)
        if network:
            network_limiter.count(network, at=at)
        form.add_error(
            None,
            _(
                "We could not open a report with this number and this secret. Check both and try again. "
                "After five wrong tries, wait 15 minutes."
            ),
        )
        return render(request, "intake/status.html", {"form": form}, status=422)
    return _thread_action(request, thread, secret)


def _thread_action(request: HttpRequest, thread: OpenThread, secret: str) -> HttpResponse:
    action, at = request.POST.get("action", "open"), clock.now()
    young = thread.under_18
    form, said, code = forms.MessageForm(question_open=thread.state == "question", young=young), "", 200
    if action == "add":
        form = forms.MessageForm(request.POST, question_open=thread.state == "question", young=young)
        once = _uuid(request.POST.get("once", ""))
        if form.is_valid() and once is not None:
            try:
                services.add_message(
                    number=thread.number, secret=secret, text=form.cleaned_data["message"], once=once, at=at
                )
                said, form = "added", forms.MessageForm(young=young)
            except (BadMessage, QuestionNotAsked):
                form.add_error("message", _("This could not be added. The report may be closed."))
                code = 422
        else:
            code = 422
    elif action == "withdraw":
        said = "withdrawn" if services.withdraw_contact(number=thread.number, secret=secret, at=at) else ""
    elif action.startswith("language"):
        form = forms.MessageForm(
            initial={"message": request.POST.get("message", "")}, question_open=thread.state == "question", young=young
        )
    if said:
        thread = services.open_thread(number=thread.number, secret=secret)
    context = {
        "thread": thread,
        "operators_word": hotline().status_words.get(thread.state, {}).get(current_language(), ""),
        "secret": secret,
        "form": form,
        "said": said,
        "young": young,
        "once": uuid.uuid4(),
        "language_form": "thread",
        "language_formaction": page_url("intake:status", other_language_of(current_language())),
    }
    return render(request, "intake/thread.html", context, status=code)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
