"""The console's doors for reports that come by telephone, by letter or as a list. Everything works without scripts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from vigil.accounts.policies import require
from vigil.accounts.selectors import actor_of, organisation_by_code
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.ids import format_number
from vigil.intake import receipts
from vigil.intake.errors import DeliveryReused, ListTooLong, NothingHandedIn, UnusableAnswers
from vigil.intake.forms.staff import CallForm, ListForm, pages_of
from vigil.intake.questions import current_set
from vigil.intake.services import handing_in
from vigil.intake.services.handing_in import Delivered, Origin
from vigil.intake.wire import lines
from vigil.intake.wire.lines import Parsed, RefusedLine
from vigil.intake.wire.text import decode, tidy
from vigil.intake.words import reason_of_line
from vigil.web.http import require_get_or_post, require_post

KEEP = "keep"


@sensitive_post_parameters()
@require_get_or_post
def call(request: HttpRequest) -> HttpResponse:
    """What somebody told by telephone or wrote in a letter: the public form's questions on one page."""
    actor = actor_of(request)
    require(actor, "report.create")
    action = request.POST.get("action", "")
    if request.method != "POST":
        token = receipts.token_text(receipts.new_token())
        start = CallForm(initial={"once": token, "source": "phone", "language": _language()})
        return _call_page(request, start, [], pages_of(current_set(), None, language=_language())[0])
    start = CallForm(request.POST)
    if action != KEEP:
        pages, _answers = pages_of(
            current_set(), request.POST, language=_language(), is_sent=False, more_of=action.removeprefix("add_")
        )
        again = CallForm(initial={name: request.POST.get(name, "") for name in ("once", "source", "language")})
        return _call_page(request, again, [], pages)
    pages, answers = pages_of(current_set(), request.POST, language=_language())
    problems = _problems([start, *pages])
    if problems:
        return _call_page(request, start, problems, pages, status=400)
    try:
        receipt = handing_in.take_call(
            answers,
            origin=Origin(start.cleaned_data["source"], actor),
            language=start.cleaned_data["language"],
            token=start.token,
            question_set=current_set(),
            at=clock.now(),
        )
    except UnusableAnswers as error:
        unusable = [(code, _("An answer is missing or cannot be used.")) for code in error.fields]
        return _call_page(request, start, unusable, pages, status=400)
    context = {
        "receipt": receipt,
        "number_read_out": receipts.read_out(receipt.number),
        "secret_read_out": receipts.read_out(receipt.secret),
        "language": start.cleaned_data["language"],
    }
    return render(request, "intake/staff_receipt.html", context)


@sensitive_post_parameters()
@require_get_or_post
def take_list(request: HttpRequest) -> HttpResponse:
    """A list of links: one report a line, one answer a line; what was not taken comes back to be corrected."""
    actor = actor_of(request)
    require(actor, "report.create")
    if request.method != "POST":
        return _list_page(request, _new_list())
    form = ListForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list_page(request, form, status=400)
    try:
        text = _text_of(request, form)
        parsed = lines.parse_list(text)
        origin = _origin(actor, form.cleaned_data["partner"])
        delivered = handing_in.hand_in(
            handing_in.items_of_lines(parsed),
            origin=origin,
            once=handing_in.once_of(origin, "list", form.token.hex()),
            content=text,
            language=form.cleaned_data["language"],
            at=clock.now(),
        )
    except NothingHandedIn:
        form.add_error("text", _("Paste at least one line, or choose a file that has one."))
        return _list_page(request, form, status=400)
    except ListTooLong:
        form.add_error("text", _("This is too much at once: send up to 250 kB and 500 lines."))
        return _list_page(request, form, status=400)
    except DeliveryReused:
        again = _new_list(text=form.cleaned_data["text"], partner=form.cleaned_data["partner"])
        problem = _("This page was sent before with other lines, and those were taken. Send only what is new.")
        return _list_page(request, again, problem=problem, status=409)
    return _result_page(request, form, parsed, delivered)


@sensitive_post_parameters()
@require_post
def refused_lines(request: HttpRequest) -> HttpResponse:
    """The lines that were not taken, as a table to correct and send again. Nothing is kept of them here."""
    require(actor_of(request), "report.create")
    parsed = lines.parse_list(tidy(request.POST.get("text", "")))
    rows = [[each.raw, str(each.number), reason_of_line(each.code)] for each in parsed if isinstance(each, RefusedLine)]
    table = lines.as_csv([["link", "line", "reason"], *rows])
    response = HttpResponse("\ufeff" + table, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="not-taken.csv"'
    return response


# ---- shared ------------------------------------------------------------------------------------------------------------
def _language() -> str:
    return "fr" if (get_language() or "").startswith("fr") else "en"


def _problems(forms: list[Any]) -> list[tuple[str, str]]:
    """(target, sentence) of every error, in the order of the page."""
    return [
        (form[name].auto_id or name, str(error))
        for form in forms
        for name, errors in form.errors.items()
        for error in errors
        if name in form.fields
    ]


def _call_page(
    request: HttpRequest, start: CallForm, problems: list[tuple[str, str]], pages: list[Any], *, status: int = 200
) -> HttpResponse:
    context = {"start": start, "pages": pages, "problems": problems}
    return render(request, "intake/staff_call.html", context, status=status)


def _new_list(**initial: Any) -> ListForm:
    token = receipts.token_text(receipts.new_token())
    return ListForm(initial={"once": token, "language": _language(), **initial})


def _list_page(request: HttpRequest, form: ListForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"form": form, "problem": problem, "categories": lines.CATEGORIES}
    return render(request, "intake/staff_list.html", context, status=status)


def _text_of(request: HttpRequest, form: ListForm) -> str:
    """What was pasted or chosen, as text. Raises ListTooLong."""
    file = form.cleaned_data.get("file")
    if file is None and int(request.META.get("CONTENT_LENGTH") or 0) > lines.MOST_BYTES:
        raise ListTooLong()  # a file that was larger was not read
    if file is not None and file.size > lines.MOST_BYTES:
        raise ListTooLong()
    pasted = tidy(form.cleaned_data["text"])
    if len(pasted.encode()) > lines.MOST_BYTES:
        raise ListTooLong()
    read = decode(file.read()) if file is not None else ""
    return "\n".join(part for part in (pasted, read) if part.strip())


def _origin(actor: Actor, partner: str) -> Origin:
    if not partner:
        return Origin("bulk", actor)
    facts = organisation_by_code(partner)
    return Origin("police" if facts.kind == "police" else "bulk", actor, facts.id)


def _result_page(request: HttpRequest, form: ListForm, parsed: list[Parsed], delivered: Delivered) -> HttpResponse:
    raw = {each.number: each.raw for each in parsed}
    rows = [
        (each, reason_of_line(each.code) if each.code else "", format_number(each.number) if each.number else "")
        for each in delivered.answers
    ]
    refused = "\n".join(raw[each.line] for each in delivered.answers if not each.is_taken)
    context = {
        "rows": rows,
        "taken": delivered.taken,
        "refused": len(rows) - delivered.taken,
        "is_new": delivered.is_new,
        "form": _new_list(text=refused, partner=form.cleaned_data["partner"], language=form.cleaned_data["language"]),
    }
    return render(request, "intake/staff_list_result.html", context)
