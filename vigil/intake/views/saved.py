"""Save and come back: the page that shows the code, and the page that takes it."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from vigil.core import clock
from vigil.core.limiter import TryLimiter
from vigil.intake import receipts, services
from vigil.intake.errors import SavedDraftNotFound
from vigil.intake.forms.report import CodeForm
from vigil.intake.views.session import forget, go, keep_token, open_form_only, token_of
from vigil.web.context import current_language
from vigil.web.http import language_asked_for, page_url
from vigil.web.views import error_page

code_limiter = TryLimiter()


@require_http_methods(["GET", "HEAD", "POST"])
@open_form_only
def saved(request: HttpRequest) -> HttpResponse:
    """The code, once: until it is closed, for at most a quarter of an hour."""
    token, at = token_of(request), clock.now()
    if request.method == "POST":
        if other := language_asked_for(request.POST):
            return go("saved", other)
        return _leave_code(request, token, at)
    draft = services.load_draft(token=token, at=at) if token else None
    if token is None or draft is None:
        return go("resume")
    if not draft.saved:
        return go("sent") if draft.sent else go("check")
    code = receipts.code_of(token)
    context = {
        "code": receipts.grouped(code),
        "code_read_out": receipts.read_out(code),
        "until": datetime.fromisoformat(draft.saved["until"]),
        "young": draft.young,
    }
    return render(request, "intake/saved.html", context)


def _leave_code(request: HttpRequest, token: bytes | None, at: datetime) -> HttpResponse:
    if token is None:
        return go("home")
    if request.POST.get("action") == "go_on":
        return _continue(receipts.code_of(token), at=at, old=token)
    services.discard_draft(token=token)
    return forget(go("home"))


def _continue(code: str, *, at: datetime, old: bytes | None = None) -> HttpResponse:
    """Take the saved answers up under a new token. Raises SavedDraftNotFound."""
    token = receipts.new_token()
    draft = services.come_back(code=code, token=token, at=at)
    if old is not None:
        services.discard_draft(token=old)
    page = draft.questions.page(draft.next_page)
    language = current_language()
    address = (
        page_url("intake:check", language)
        if page is None
        else page_url("intake:question", language, page=page.slug(language))
    )
    response = HttpResponseRedirect(address, status=303)
    keep_token(response, token)
    return response


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@open_form_only
def resume(request: HttpRequest) -> HttpResponse:
    """Take up a saved report with its code, or delete it. Every code that opens nothing gets the same answer."""
    if request.method != "POST":
        return render(request, "intake/resume.html", {"form": CodeForm(), "saved_days": services.saved_days()})
    if request.POST.get("trap", "").strip():
        return error_page(request, 400, "intake.not_taken")
    form, at = CodeForm(request.POST), clock.now()
    if not form.is_valid():
        return _refused(request, form)
    code = receipts.parse_code(form.cleaned_data["code"])
    # A part of the code names what is counted: enough to slow guesses around one code, and nobody else is kept waiting.
    counted = code[:6]
    if not code_limiter.may_try(counted, at=at):
        return _not_opened(request, form)
    if request.POST.get("action") == "delete":
        services.discard_saved(code=code)
        return render(request, "intake/saved_deleted.html")
    try:
        return _continue(code, at=at, old=token_of(request))
    except SavedDraftNotFound:
        code_limiter.count_wrong(counted, at=at)
        return _not_opened(request, form)


def _not_opened(request: HttpRequest, form: CodeForm) -> HttpResponse:
    form.add_error(
        None,
        _("This code opens nothing. It may have a wrong character, or its time is over, or the report was sent."),
    )
    return _refused(request, form)


def _refused(request: HttpRequest, form: CodeForm) -> HttpResponse:
    return render(request, "intake/resume.html", {"form": form, "saved_days": services.saved_days()}, status=422)
