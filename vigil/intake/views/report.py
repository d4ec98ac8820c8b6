"""The report, one question page at a time. State is the draft's; an address, a title or a cookie never holds an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from vigil.core import clock
from vigil.intake import questions as q
from vigil.intake import receipts, services
from vigil.intake.drafts import DraftBody
from vigil.intake.errors import DraftAlreadySent, DraftIncomplete, DraftNotFound
from vigil.intake.forms import report as forms
from vigil.intake.views.session import DATABASE_AWAY, forget, go, keep_token, open_form_only, token_of
from vigil.web.context import current_language, form_is_open
from vigil.web.http import other_language_of, page_url
from vigil.web.views import error_page

STEP_FORM_ID = "step"

_FORMS: dict[str, type[forms.StepForm]] = {
    "danger": forms.DangerForm,
    "who": forms.WhoForm,
    "about": forms.AboutForm,
    "contact": forms.ContactForm,
}
_TEMPLATES = {"details": "intake/details.html", "contact": "intake/contact.html", "who": "intake/who.html"}


# ---- the question pages --------------------------------------------------------------------------------------------
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@open_form_only
def question(request: HttpRequest, step: str) -> HttpResponse:
    """One page of the report: show it, or take its answers."""
    if request.method == "POST":
        return _take_answers(request, step)
    token = token_of(request)
    draft = services.load_draft(token=token, at=clock.now()) if token else None
    if draft is None:
        if step == "danger":
            return _show(request, step, None, _form(step, None))
        return _without_draft(request, token)
    if draft.sent:
        return go("sent")
    if q.STEPS.index(step) > q.STEPS.index(draft.next_step):
        return go(draft.next_step)
    return _show(request, step, draft, _form(step, draft))


def _without_draft(request: HttpRequest, token: bytes | None) -> HttpResponse:
    if token is None:
        return go("before")
    if services.was_sent(token):
        return go("sent")
    return render(request, "intake/expired.html", status=410)


def _take_answers(request: HttpRequest, step: str) -> HttpResponse:
    if request.POST.get("trap", "").strip():
        return error_page(request, 400, "intake.not_taken")
    token = token_of(request) or receipts.new_token()
    action = request.POST.get("action", "next")
    try:
        at = clock.now()
        draft = services.load_draft(token=token, at=at)
        if draft is not None and draft.sent:
            return go("sent")
        if action in {"language", "add_link", "add_handle"}:
            services.save_draft(token=token, change=_keep_typed(step, request.POST, draft), at=at)
            language = other_language_of(current_language()) if action == "language" else None
            response = go(step, language)
            if action in {"add_link", "add_handle"}:
                response["Location"] += "#" + action.removeprefix("add_") + "s"
        else:
            form = _form(step, draft, request.POST)
            if not form.is_valid():
                return _show(request, step, draft, form, status=422)
            draft = services.save_draft(token=token, change=_keep_answers(step, form, draft), at=at)
            response = go(draft.next_step)
    except DraftAlreadySent:
        return go("sent")
    except DATABASE_AWAY:
        return _show(request, step, None, _form(step, None, request.POST), status=503, not_saved=True)
    keep_token(response, token)
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
@open_form_only
def check(request: HttpRequest) -> HttpResponse:
    """Everything once more, each with a way to change it; then send."""
    token = token_of(request)
    if request.method == "POST":
        if request.POST.get("action") == "language":
            return go("check", other_language_of(current_language()))
        return _send(request, token)
    draft = services.load_draft(token=token, at=clock.now()) if token else None
    if draft is None:
        return _without_draft(request, token)
    if draft.sent:
        return go("sent")
    if draft.next_step != "check":
        return go(draft.next_step)
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
        return go("before")
    try:
        services.submit_report(token=token, language=current_language(), at=clock.now())
    except DraftIncomplete as error:
        return go(next(iter(error.fields)))
    except DraftNotFound:
        return _without_draft(request, token)
    except DATABASE_AWAY:
        return render(request, "intake/not_sent.html", {"language_form": ""}, status=503)
    return go("sent")


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
    token = token_of(request)
    if request.method == "POST":
        if token is not None:
            services.discard_draft(token=token)
        return forget(go("before" if request.POST.get("action") == "again" else "home"))
    if token is None:
        return go("before") if form_is_open() else go("home")
    draft = services.load_draft(token=token, at=clock.now())
    if draft is not None and draft.sent:
        context = {"receipt": draft.receipt, "young": draft.young}
        return render(request, "intake/sent.html", context)
    if services.was_sent(token):
        return render(request, "intake/already_sent.html")
    if draft is None:
        return render(request, "intake/expired.html", status=410)
    return go(draft.next_step)
