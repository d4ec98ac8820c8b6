"""The public pages: read, call, answer. State is the draft's; an address, a title or a cookie never holds an answer."""

from __future__ import annotations

import contextlib
import functools
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from vigil.core import clock
from vigil.core.errors import Invalid
from vigil.core.ids import parse_number
from vigil.intake import forms, receipts, services
from vigil.intake import questions as q
from vigil.intake.drafts import DraftBody
from vigil.intake.errors import (
    BadMessage,
    DraftAlreadySent,
    DraftIncomplete,
    DraftNotFound,
    NoSuchThread,
    QuestionNotAsked,
)
from vigil.intake.limiter import TryLimiter
from vigil.intake.selectors import OpenThread
from vigil.web.context import current_language, form_is_open
from vigil.web.http import other_language_of, page_url
from vigil.web.views import error_page

View = Callable[..., HttpResponse]

STEP_FORM_ID = "step"
#: Where "leave quickly" goes: pages that anybody could have open, without anything of this site in them.
LEAVE_TO = {"en": "https://weather.gc.ca/", "fr": "https://meteo.gc.ca/"}
DATABASE_AWAY = (OperationalError, InterfaceError)

status_limiter = TryLimiter()

_FORMS: dict[str, type[forms.StepForm]] = {
    "danger": forms.DangerForm,
    "who": forms.WhoForm,
    "about": forms.AboutForm,
    "contact": forms.ContactForm,
}
_TEMPLATES = {"details": "intake/details.html", "contact": "intake/contact.html", "who": "intake/who.html"}


# ---- cookies and addresses -----------------------------------------------------------------------------------------
def _token_of(request: HttpRequest) -> bytes | None:
    return receipts.token_from(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))


def _keep_token(response: HttpResponse, token: bytes) -> None:
    response.set_cookie(
        settings.SESSION_COOKIE_NAME,
        receipts.token_text(token),
        secure=True,
        httponly=True,
        samesite="Strict",
        path="/",
    )


def _forget(response: HttpResponse) -> HttpResponse:
    """Expire our two cookies and the rest by header; "cookies" in it would reach the sibling origins too."""
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        response.delete_cookie(name, path="/", samesite="Strict")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _go(page: str, language: str | None = None) -> HttpResponseRedirect:
    return HttpResponseRedirect(page_url(f"intake:{page}", language or current_language()), status=303)


def _open_form_only(view: View) -> View:
    """Refuse with a page of its own while the operator has not named readers, telephone and hours."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not form_is_open():
            return render(request, "intake/not_open.html", status=503)
        return view(request, *args, **kwargs)

    return guarded


# ---- pages without a form ------------------------------------------------------------------------------------------
@require_safe
def choose_language(request: HttpRequest) -> HttpResponse:
    """The address without a language: both, side by side."""
    return render(request, "intake/choose.html")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """To the right door in one choice."""
    return render(request, "intake/home.html")


@require_safe
@_open_form_only
def before_you_start(request: HttpRequest) -> HttpResponse:
    """What is coming, before anything is asked."""
    return render(request, "intake/before.html", {"start_url": page_url("intake:danger", current_language())})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Who answers, now."""
    return render(request, "intake/help.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, where, and for how long."""
    return render(request, "intake/privacy.html")


@require_safe
def crawler(request: HttpRequest) -> HttpResponse:
    """What our crawler does: the page that its user agent names."""
    return render(request, "intake/crawler.html")


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Forget what was filled in and go somewhere harmless. A link, so that it works without scripts."""
    token = _token_of(request)
    if token is not None and request.method != "HEAD":
        with contextlib.suppress(*DATABASE_AWAY):  # the row runs out by itself; going away comes first
            services.discard_draft(token=token)
    return _forget(HttpResponseRedirect(LEAVE_TO[current_language()], status=303))


# ---- the question pages --------------------------------------------------------------------------------------------
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@_open_form_only
def question(request: HttpRequest, step: str) -> HttpResponse:
    """One page of the report: show it, or take its answers."""
    if request.method == "POST":
        return _take_answers(request, step)
    token = _token_of(request)
    draft = services.load_draft(token=token, at=clock.now()) if token else None
    if draft is None:
        if step == "danger":
            return _show(request, step, None, _form(step, None))
        return _without_draft(request, token)
    if draft.sent:
        return _go("sent")
    if q.STEPS.index(step) > q.STEPS.index(draft.next_step):
        return _go(draft.next_step)
    return _show(request, step, draft, _form(step, draft))


def _without_draft(request: HttpRequest, token: bytes | None) -> HttpResponse:
    if token is None:
        return _go("before")
    if services.was_sent(token):
        return _go("sent")
    return render(request, "intake/expired.html", status=410)


def _take_answers(request: HttpRequest, step: str) -> HttpResponse:
    if request.POST.get("trap", "").strip():
        return error_page(request, 400, "intake.not_taken")
    token = _token_of(request) or receipts.new_token()
    action = request.POST.get("action", "next")
    try:
        at = clock.now()
        draft = services.load_draft(token=token, at=at)
        if draft is not None and draft.sent:
            return _go("sent")
        if action in {"language", "add_link", "add_handle"}:
            services.save_draft(token=token, change=_keep_typed(step, request.POST, draft), at=at)
            language = other_language_of(current_language()) if action == "language" else None
            response = _go(step, language)
            if action in {"add_link", "add_handle"}:
                response["Location"] += "#" + action.removeprefix("add_") + "s"
        else:
            form = _form(step, draft, request.POST)
            if not form.is_valid():
                return _show(request, step, draft, form, status=422)
            draft = services.save_draft(token=token, change=_keep_answers(step, form, draft), at=at)
            response = _go(draft.next_step)
    except DraftAlreadySent:
        return _go("sent")
    except DATABASE_AWAY:
        return _show(request, step, None, _form(step, None, request.POST), status=503, not_saved=True)
    _keep_token(response, token)
    return response


def _keep_answers(step: str, form: forms.StepForm, before: DraftBody | None) -> Callable[[DraftBody], None]:
    data = form.cleaned_data
    values: dict[str, Any]
    if isinstance(form, forms.DetailsForm):
        values = {code: data.get(code, "") for code in form.follow_ups}
        values["links"] = [data[name] for name in form.link_names if data[name]]
        values["handles"] = [data[name] for name in form.handle_names if data[name]]
        values["narrative"] = data["narrative"]
    else:
        values = {name: value for name, value in data.items() if name != "trap"}

    def change(draft: DraftBody) -> None:
        draft.answer(step, values)
        draft.restarted = step != "danger" and (before is None or draft.restarted)

    return change


def _keep_typed(step: str, post: QueryDict, before: DraftBody | None) -> Callable[[DraftBody], None]:
    names = {"csrfmiddlewaretoken", "action", "trap"}
    typed = {name: post.getlist(name)[:20] for name in list(post)[:80] if name not in names}

    def change(draft: DraftBody) -> None:
        draft.keep_typed(step, typed)
        draft.restarted = step != "danger" and (before is None or draft.restarted)
        if step == "details":
            action = post.get("action")
            links = forms.row_count(post, "link_", q.MAX_LINKS) + (action == "add_link")
            handles = forms.row_count(post, "handle_", q.MAX_HANDLES) + (action == "add_handle")
            draft.rows = {"links": min(links, q.MAX_LINKS), "handles": min(handles, q.MAX_HANDLES)}

    return change


def _initial(step: str, draft: DraftBody) -> dict[str, Any]:
    typed = draft.typed.get(step)
    if typed is not None:
        return {name: values if name == "situations" else (values or [""])[0] for name, values in typed.items()}
    initial = dict(draft.answers)
    for kind in ("link", "handle"):
        initial |= {f"{kind}_{index}": text for index, text in enumerate(draft.answers.get(f"{kind}s", []))}
    return initial


def _form(step: str, draft: DraftBody | None, data: QueryDict | None = None) -> forms.StepForm:
    young = bool(draft and draft.young)
    initial = _initial(step, draft) if draft is not None and data is None else {}
    if step != "details":
        return _FORMS[step](data, young=young, initial=initial)
    if data is not None:
        links = forms.row_count(data, "link_", q.MAX_LINKS)
        handles = forms.row_count(data, "handle_", q.MAX_HANDLES)
    else:
        rows, answers = (draft.rows, draft.answers) if draft else ({}, {})
        links = max(rows.get("links", 1), len(answers.get("links", [])))
        handles = max(rows.get("handles", 1), len(answers.get("handles", [])))
    # Without the draft (it ran out, or the database is away) the page itself says which questions it had.
    follow_ups = draft.follow_ups if draft else [code for code in q.FOLLOW_UPS if data and code in data]
    return forms.DetailsForm(data, young=young, initial=initial, follow_ups=follow_ups, links=links, handles=handles)


def _show(
    request: HttpRequest,
    step: str,
    draft: DraftBody | None,
    form: forms.StepForm,
    *,
    status: int = 200,
    not_saved: bool = False,
) -> HttpResponse:
    index = q.STEPS.index(step)
    changing = draft is not None and draft.next_step == "check"
    back = "check" if changing else ("before" if index == 0 else q.STEPS[index - 1])
    context = {
        "step": step,
        "step_number": index + 1,
        "step_count": len(q.STEPS),
        "form": form,
        "young": form.young,
        "back_url": page_url(f"intake:{back}", current_language()),
        "back_to_check": changing,
        "language_form": STEP_FORM_ID,
        "in_danger": draft is not None and draft.answers.get("danger") == "yes" and step == "who",
        "restarted": draft is not None and draft.restarted,
        "not_saved": not_saved,
        "most_links": q.MAX_LINKS,
        "most_handles": q.MAX_HANDLES,
    }
    return render(request, _TEMPLATES.get(step, "intake/question.html"), context, status=status)


# ---- check and send ------------------------------------------------------------------------------------------------
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@_open_form_only
def check(request: HttpRequest) -> HttpResponse:
    """Everything once more, each with a way to change it; then send."""
    token = _token_of(request)
    if request.method == "POST":
        if request.POST.get("action") == "language":
            return _go("check", other_language_of(current_language()))
        return _send(request, token)
    draft = services.load_draft(token=token, at=clock.now()) if token else None
    if draft is None:
        return _without_draft(request, token)
    if draft.sent:
        return _go("sent")
    if draft.next_step != "check":
        return _go(draft.next_step)
    context = {
        "step_number": len(q.STEPS),
        "step_count": len(q.STEPS),
        "young": draft.young,
        "rows": check_rows(draft),
        "back_url": page_url("intake:contact", current_language()),
        "language_form": STEP_FORM_ID,
    }
    return render(request, "intake/check.html", context)


def _send(request: HttpRequest, token: bytes | None) -> HttpResponse:
    if request.POST.get("trap", "").strip():
        return error_page(request, 400, "intake.not_taken")
    if token is None:
        return _go("before")
    try:
        services.submit_report(token=token, language=current_language(), at=clock.now())
    except DraftIncomplete as error:
        return _go(next(iter(error.fields)))
    except DraftNotFound:
        return _without_draft(request, token)
    except DATABASE_AWAY:
        return render(request, "intake/not_sent.html", {"language_form": ""}, status=503)
    return _go("sent")


def _word(choices: tuple[tuple[str, q.Text], ...], code: str) -> str:
    return str(dict(choices).get(code, ""))


def check_rows(draft: DraftBody) -> list[dict[str, Any]]:
    """The check page's rows: what was asked, what was answered, where to change it. Only what applied."""
    answers, young, language = draft.answers, draft.young, current_language()

    def row(step: str, label: q.Text, values: list[str], anchor: str = "") -> dict[str, Any]:
        given = [value for value in values if value]
        return {
            "label": str(label),
            "values": given,
            "url": page_url(f"intake:{step}", language) + (f"#id_{anchor}" if anchor else ""),
        }

    rows = [
        row("danger", _("Danger right now"), [_word(q.YES_NO_UNSURE, answers.get("danger", ""))]),
        row(
            "who",
            _("Reporting for"),
            [_word(q.WHO, answers.get("who", "")), _word(q.AGE_BANDS, answers.get("age_band", ""))],
        ),
        row(
            "about",
            pgettext("report", "About"),
            [str(q.SITUATIONS[code].said_to(young)) for code in answers.get("situations", [])],
        ),
    ]
    for code in draft.follow_ups:
        rows.append(
            row(
                "details",
                q.FOLLOW_UPS[code].said_to(young),
                [_word(q.YES_NO_UNSURE, answers.get(code, ""))],
                f"{code}_0",
            )
        )
    own_words = pgettext("young", "In your words") if young else _("In your words")
    rows += [
        row("details", _("Links"), answers.get("links", []), "link_0"),
        row("details", _("Names or accounts"), answers.get("handles", []), "handle_0"),
        row("details", own_words, [answers.get("narrative", "")], "narrative"),
    ]
    rows[-3]["is_link"] = True
    contact = [answers.get(name, "") for name in ("contact_name", "contact_way", "contact_safe")]
    if any(contact):
        share = answers.get("may_share") or "no"
        contact.append(_("May go to the police: yes") if share == "yes" else _("May go to the police: no"))
    rows.append(row("contact", pgettext("report", "Contact"), contact, "contact_name"))
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
def sent(request: HttpRequest) -> HttpResponse:
    """The receipt, for as long as the cookie and the draft's row live; afterwards a calm page without it."""
    token = _token_of(request)
    if request.method == "POST":
        if token is not None:
            services.discard_draft(token=token)
        return _forget(_go("before" if request.POST.get("action") == "again" else "home"))
    if token is None:
        return _go("before") if form_is_open() else _go("home")
    draft = services.load_draft(token=token, at=clock.now())
    if draft is not None and draft.sent:
        context = {"receipt": draft.receipt, "young": draft.young}
        return render(request, "intake/sent.html", context)
    if services.was_sent(token):
        return render(request, "intake/already_sent.html")
    if draft is None:
        return render(request, "intake/expired.html", status=410)
    return _go(draft.next_step)


# ---- number and secret ---------------------------------------------------------------------------------------------
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
    try:
        counted = parse_number(number)
    except Invalid:
        counted = number
    try:
        if not status_limiter.may_try(counted, at=at):
            raise NoSuchThread()
        thread = services.open_thread(number=number, secret=secret)
    except NoSuchThread:
        status_limiter.count_wrong(counted, at=at)
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
    elif action == "language":
        form = forms.MessageForm(
            initial={"message": request.POST.get("message", "")}, question_open=thread.state == "question", young=young
        )
    if said:
        thread = services.open_thread(number=thread.number, secret=secret)
    context = {
        "thread": thread,
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
