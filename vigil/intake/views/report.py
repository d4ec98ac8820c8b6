"""The report, one question page at a time. State is the draft's; an address, a title or a cookie never holds an answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from vigil.core import clock
from vigil.core.hotline import hotline
from vigil.intake import receipts, services
from vigil.intake.drafts import CHECK, DraftBody
from vigil.intake.errors import DraftAlreadySent, DraftIncomplete, DraftNotFound, NothingToSave
from vigil.intake.forms.report import PageForm, fill, row_count
from vigil.intake.questions import Page, Question, QuestionSet, current_set
from vigil.intake.selectors import answer_in_words
from vigil.intake.views.session import DATABASE_AWAY, forget, go, keep_token, open_form_only, token_of
from vigil.web.context import current_language, form_is_open
from vigil.web.http import language_asked_for, page_url
from vigil.web.views import error_page

STEP_FORM_ID = "step"


def start_url(language: str) -> str:
    """Address of the first question."""
    return _page_url(current_set(), current_set().pages[0].code, language)


def _page_url(asked: QuestionSet, code: str, language: str) -> str:
    page = asked.page(code)
    return (
        page_url(f"intake:{code}", language)
        if page is None
        else page_url("intake:question", language, page=page.slug(language))
    )


def _to(asked: QuestionSet, code: str, language: str | None = None) -> HttpResponseRedirect:
    return HttpResponseRedirect(_page_url(asked, code, language or current_language()), status=303)


def panels_on(
    asked: QuestionSet, opened: dict[str, str] | list[str], young: bool, language: str
) -> list[dict[str, Any]]:
    """What a page says because of earlier answers, ready for a template."""
    return [
        {
            "kind": panel.kind,
            "title": fill(panel.title, language, young=young),
            "text": [fill(words, language, young=young) for words in panel.text],
            "places": [place.in_language(language) for place in panel.places],
        }
        for code in opened
        if (panel := asked.panels.get(code)) is not None
    ]


# ---- the question pages ------------------------------------------------------------------------------------------------
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@open_form_only
def question(request: HttpRequest, page: str) -> HttpResponse:
    """One page of the report: show it, or take its answers."""
    if request.method == "POST":
        return _take_answers(request, page)
    token = token_of(request)
    draft = services.load_draft(token=token, at=clock.now()) if token else None
    asked = draft.questions if draft is not None else current_set()
    here = asked.page_at(page, current_language())
    if here is None:
        raise Http404
    if draft is None:
        if here == asked.pages[0]:
            return _show(request, here, None, _form(here, None))
        return without_draft(request, token)
    if gone := _gone(draft):
        return gone
    codes = [each.code for each in draft.pages]
    if here.code not in codes or (draft.next_page in codes and codes.index(here.code) > codes.index(draft.next_page)):
        return _to(asked, draft.next_page)
    return _show(request, here, draft, _form(here, draft))


def _gone(draft: DraftBody) -> HttpResponse | None:
    """Where somebody is sent whose answers were sent or saved."""
    if draft.sent:
        return go("sent")
    return go("saved") if draft.saved else None


def without_draft(request: HttpRequest, token: bytes | None) -> HttpResponse:
    """What somebody sees who comes without answers: the beginning, the receipt, or that the answers were deleted."""
    if token is None:
        return go("before")
    if services.was_sent(token):
        return go("sent")
    return render(request, "intake/expired.html", {"start_url": start_url(current_language())}, status=410)


def _take_answers(request: HttpRequest, slug: str) -> HttpResponse:
    if request.POST.get("trap", "").strip():
        return error_page(request, 400, "intake.not_taken")
    token, language = token_of(request) or receipts.new_token(), current_language()
    action = request.POST.get("action", "next")
    here: Page | None = None
    try:
        at = clock.now()
        draft = services.load_draft(token=token, at=at)
        asked = draft.questions if draft is not None else current_set()
        here = asked.page_at(slug, language)
        if here is None:
            raise Http404
        if draft is not None and (gone := _gone(draft)):
            return gone
        if other := language_asked_for(request.POST):
            draft = services.save_draft(token=token, change=_keep_typed(here, request.POST, draft), at=at)
            response: HttpResponse = _to(asked, here.code, other)
        elif action.startswith("add_"):
            draft = services.save_draft(token=token, change=_keep_typed(here, request.POST, draft), at=at)
            response = _to(asked, here.code)
            response["Location"] += "#" + _added(here, action)
        elif action == "save":
            services.save_for_later(token=token, change=_keep_typed(here, request.POST, draft), at=at)
            response = go("saved")
        else:
            form = _form(here, draft, request.POST)
            if not form.is_valid():
                return _show(request, here, draft, form, status=422)
            draft = services.save_draft(token=token, change=_keep_answers(here, form, draft), at=at)
            response = _to(asked, draft.next_page)
    except DraftAlreadySent:
        return go("sent")
    except NothingToSave:
        return go("before")
    except DATABASE_AWAY:
        here = here or current_set().page_at(slug, language)
        if here is None:
            raise
        return _show(request, here, None, _form(here, None, request.POST), status=503, not_saved=True)
    keep_token(response, token)
    return response


def _added(here: Page, action: str) -> str:
    return next((each.code for each in here.questions if action == f"add_{each.row_name}"), "main")


def _keep_answers(here: Page, form: PageForm, before: DraftBody | None) -> Callable[[DraftBody], None]:
    values = form.values()

    def change(draft: DraftBody) -> None:
        draft.answer(here.code, values)
        draft.restarted = _is_restarted(here, draft, before)

    return change


def _keep_typed(here: Page, post: QueryDict, before: DraftBody | None) -> Callable[[DraftBody], None]:
    names = {name for each in here.questions for name in each.field_names}
    typed = {name: [value[:20_000] for value in post.getlist(name)[:40]] for name in post if name in names}
    action = post.get("action", "")

    def rows(question: Question) -> int:
        return min(row_count(post, question) + (action == f"add_{question.row_name}"), question.rows)

    def change(draft: DraftBody) -> None:
        draft.keep_typed(here.code, typed)
        draft.restarted = _is_restarted(here, draft, before)
        draft.rows |= {each.code: rows(each) for each in here.questions if each.has_rows}

    return change


def _is_restarted(here: Page, draft: DraftBody, before: DraftBody | None) -> bool:
    return here != draft.questions.pages[0] and (before is None or draft.restarted)


def _form(here: Page, draft: DraftBody | None, data: QueryDict | None = None) -> PageForm:
    return PageForm(
        data,
        asked=draft.questions if draft else current_set(),
        page=here,
        answers=draft.answers if draft else {},
        language=current_language(),
        young=bool(draft and draft.young),
        rows=draft.rows if draft else {},
        typed=draft.typed.get(here.code) if draft and data is None else None,
        every_question=draft is None and data is not None,
    )


def _show(
    request: HttpRequest,
    here: Page,
    draft: DraftBody | None,
    form: PageForm,
    *,
    status: int = 200,
    not_saved: bool = False,
) -> HttpResponse:
    language, asked, young = current_language(), form.asked, form.young
    pages = draft.pages if draft else list(asked.pages)
    index = pages.index(here) if here in pages else 0
    changing = draft is not None and draft.next_page == CHECK
    before = pages[index - 1].code if index else "before"
    opened = asked.panels_for(draft.answers) if draft else {}
    # A panel stands on the page after the answer that opens it; one that points elsewhere also on those that follow.
    codes = [page.code for page in pages]
    shown = [
        code
        for code, page in opened.items()
        if page in codes
        and codes.index(page) < index
        and (asked.panels[code].kind == "elsewhere" or codes.index(page) == index - 1)
    ]
    context = {
        "step": here.code,
        "step_number": index + 1,
        "step_count": len(pages) + 1,
        "form": form,
        "parts": form.parts,
        "title": form.say(here.title),
        "intro": [form.say(words) for words in here.intro],
        "warning": form.say(here.warning),
        "panels": panels_on(asked, shown, young, language),
        "comfort": young and index >= 2,
        "young": young,
        "region": draft.region if draft else "",
        "audience": "child" if young else "",
        "back_url": _page_url(asked, CHECK if changing else before, language),
        "back_to_check": changing,
        "language_form": STEP_FORM_ID,
        "restarted": draft is not None and draft.restarted,
        "not_saved": not_saved,
        "saved_days": services.saved_days(),
    }
    return render(request, "intake/question.html", context, status=status)


# ---- check and send ------------------------------------------------------------------------------------------------
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@open_form_only
def check(request: HttpRequest) -> HttpResponse:
    """Everything once more, each with a way to change it; then send."""
    token = token_of(request)
    if request.method == "POST":
        if other := language_asked_for(request.POST):
            return go(CHECK, other)
        return _save_from_check(token) if request.POST.get("action") == "save" else _send(request, token)
    draft = services.load_draft(token=token, at=clock.now()) if token else None
    if draft is None:
        return without_draft(request, token)
    if gone := _gone(draft):
        return gone
    if draft.next_page != CHECK:
        return _to(draft.questions, draft.next_page)
    pages, language = draft.pages, current_language()
    context = {
        "step_number": len(pages) + 1,
        "step_count": len(pages) + 1,
        "young": draft.young,
        "rows": check_rows(draft, language),
        "panels": panels_on(draft.questions, _elsewhere(draft), draft.young, language),
        "region": draft.region,
        "audience": "child" if draft.young else "",
        "back_url": _page_url(draft.questions, pages[-1].code, language),
        "language_form": STEP_FORM_ID,
        "saved_days": services.saved_days(),
    }
    return render(request, "intake/check.html", context)


def _elsewhere(draft: DraftBody) -> list[str]:
    asked = draft.questions
    return [code for code in asked.panels_for(draft.answers) if asked.panels[code].kind == "elsewhere"]


def _save_from_check(token: bytes | None) -> HttpResponse:
    if token is None:
        return go("before")
    try:
        services.save_for_later(token=token, change=None, at=clock.now())
    except DraftAlreadySent:
        return go("sent")
    except NothingToSave:
        return go("before")
    return go("saved")


def _send(request: HttpRequest, token: bytes | None) -> HttpResponse:
    if request.POST.get("trap", "").strip():
        return error_page(request, 400, "intake.not_taken")
    if token is None:
        return go("before")
    try:
        services.submit_report(token=token, language=current_language(), at=clock.now())
    except DraftIncomplete:
        return go(CHECK)  # which leads on to the page that is missing
    except DraftNotFound:
        return without_draft(request, token)
    except DATABASE_AWAY:
        return render(request, "intake/not_sent.html", {"language_form": ""}, status=503)
    return go("sent")


def check_rows(draft: DraftBody, language: str) -> list[dict[str, Any]]:
    """The check page's rows: what was asked, what was answered, where to change it. What a page left empty is one row."""
    asked, young = draft.questions, draft.young
    rows: list[dict[str, Any]] = []
    for page in draft.pages:
        empty: list[Question] = []
        for question in page.questions:
            if not asked.applies(question, draft.answers):
                continue
            values = answer_in_words(question, draft.answers.get(question.code), language=language, young=young)
            if values:
                rows.append(_row(draft, question, _label(question, language, young=young), values, language))
            else:
                empty.append(question)
        if empty:
            labels = [_label(question, language, young=young) for question in empty]
            rows.append({**_row(draft, empty[0], "", labels, language), "is_empty": True})
    return rows


def _label(question: Question, language: str, *, young: bool) -> str:
    return fill(question.short or question.text, language, young=young)


def _row(draft: DraftBody, question: Question, label: str, values: list[str], language: str) -> dict[str, Any]:
    page = draft.questions.page_of(question.code).code
    return {
        "label": label,
        "values": values,
        "is_link": question.type == "links" and bool(label),
        "url": _page_url(draft.questions, page, language) + f"#id_{_first_field(question)}",
    }


def _first_field(question: Question) -> str:
    return f"{question.code}_0" if question.type in {"radio", "checkbox"} else question.field_names[0]


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
        return render(request, "intake/sent.html", _receipt_context(draft))
    if services.was_sent(token):
        return render(request, "intake/already_sent.html")
    if draft is None:
        return render(request, "intake/expired.html", {"start_url": start_url(current_language())}, status=410)
    return _gone(draft) or _to(draft.questions, draft.next_page)


def _receipt_context(draft: DraftBody) -> dict[str, Any]:
    language, sent_facts = current_language(), draft.sent or {}
    at = sent_facts.get("at")
    return {
        "receipt": draft.receipt,
        "number_read_out": receipts.read_out(draft.receipt.number),
        "secret_read_out": receipts.read_out(draft.receipt.secret),
        "young": draft.young,
        "sent_at": datetime.fromisoformat(at) if at else None,
        "in_danger": sent_facts.get("danger") == "yes",
        "panels": panels_on(
            draft.questions,
            [code for code in sent_facts.get("panels", []) if draft.questions.panels[code].kind == "elsewhere"],
            draft.young,
            language,
        ),
        "region": sent_facts.get("region", ""),
        "audience": "child" if draft.young else "",
        "help_lines_here": [
            line.in_language(language)
            for line in hotline().help_lines_for(
                language, str(sent_facts.get("region", "")), "child" if draft.young else "reporter"
            )
        ],
    }
