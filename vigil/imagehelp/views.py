"""The pages of image help: read, call, answer. State is the draft's; an address, a title or a cookie never holds an answer.

No page takes a file: the one that chooses files has a program that turns them into fingerprints in the browser.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from vigil.core import clock, receipts
from vigil.core.errors import Invalid
from vigil.core.hotline import hotline
from vigil.core.ids import parse_number
from vigil.core.limiter import TryLimiter
from vigil.imagehelp import fingerprints, forms, services
from vigil.imagehelp.drafts import STEPS, HelpDraftBody
from vigil.imagehelp.errors import BadFingerprint, HelpCaseNotOpened, HelpDraftIncomplete, HelpDraftNotFound
from vigil.imagehelp.selectors import OpenHelpCase
from vigil.web.context import current_language, form_is_open
from vigil.web.http import language_asked_for, other_language_of, page_url
from vigil.web.middleware import CONTENT_SECURITY_POLICY
from vigil.web.views import error_page

View = Callable[..., HttpResponse]
DATABASE_AWAY = (OperationalError, InterfaceError)
FORM_ID = "step"
#: The page that chooses files may start its worker; a worker has a policy of its own, which lets it reach nothing.
CHOOSER_POLICY = f"worker-src 'self'; {CONTENT_SECURITY_POLICY['public']}"

status_limiter = TryLimiter()


# ---- the cookie and addresses --------------------------------------------------------------------------------------
def _token_of(request: HttpRequest) -> bytes | None:
    return receipts.token_from(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))


def _go(page: str, language: str | None = None, token: bytes | None = None) -> HttpResponse:
    response = HttpResponseRedirect(page_url(f"imagehelp:{page}", language or current_language()), status=303)
    if token is not None:
        response.set_cookie(
            settings.SESSION_COOKIE_NAME, receipts.token_text(token), secure=True, httponly=True, samesite="Strict",
            path="/",
        )  # fmt: skip
    return response


def _page(view: View) -> View:
    """Every page here: the form must be open, the trap empty; a database that is away is said and nothing is lost."""

    @functools.wraps(view)
    @sensitive_post_parameters()
    @require_http_methods(["GET", "HEAD", "POST"])
    def guarded(request: HttpRequest) -> HttpResponse:
        if not form_is_open():
            return render(request, "intake/not_open.html", status=503)
        if request.POST.get("trap", "").strip():
            return error_page(request, 400, "intake.not_taken")
        return view(request)

    return guarded


def _with_draft(step: str) -> Callable[[Callable[[HttpRequest, bytes, HelpDraftBody], HttpResponse]], View]:
    """A page that needs what was filled in before: without it, or too early, the person is shown where to go on."""

    def decorate(view: Callable[[HttpRequest, bytes, HelpDraftBody], HttpResponse]) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest) -> HttpResponse:
            token = _token_of(request)
            draft = services.load_draft(token=token, at=clock.now()) if token else None
            if token is None or draft is None:
                return _without_draft(request, token)
            if draft.sent is not None:
                return _go("sent")
            order = (*STEPS, "check")
            if order.index(step) > order.index(draft.next_step):
                return _go(draft.next_step)
            return view(request, token, draft)

        return _page(guarded)

    return decorate


def _without_draft(request: HttpRequest, token: bytes | None) -> HttpResponse:
    if token is None:
        return _go("who")
    if services.was_sent(token):
        return _go("sent")
    return render(request, "imagehelp/expired.html", status=410)


def _show(
    request: HttpRequest, template: str, context: dict[str, Any], form: forms.HelpForm | None = None, status: int = 200
) -> HttpResponse:
    shown = {"language_form": FORM_ID, "form": form, "young": False, **context}
    return render(request, f"imagehelp/{template}.html", shown, status=status)


# ---- P-H1, P-H2 ----------------------------------------------------------------------------------------------------
@_page
def who(request: HttpRequest) -> HttpResponse:
    """Can we help: who is in the picture, and how old."""
    token = _token_of(request)
    if request.method != "POST":
        draft = services.load_draft(token=token, at=clock.now()) if token else None
        if draft is not None and draft.sent is not None:
            return _go("sent")
        initial = {"who": draft.who, "age": draft.age} if draft else {}
        return _show(request, "who", {}, forms.WhoForm(initial=initial))
    language = language_asked_for(request.POST)
    form = forms.WhoForm(request.POST)
    if not form.is_valid() and not language:
        return _show(request, "who", {}, form, 422)
    answers = {name: form.cleaned_data.get(name, "") for name in ("who", "age")}

    def change(draft: HelpDraftBody) -> None:
        draft.who, draft.age = answers["who"] or draft.who, answers["age"] or draft.age
        if draft.who and draft.age:
            draft.did("who")

    token = token or receipts.new_token()
    if services.save_draft(token=token, change=change, at=clock.now()).sent is not None:
        return _go("sent")
    return _go("who" if language else "how", language, token)


@_with_draft("who")
def how(request: HttpRequest, token: bytes, draft: HelpDraftBody) -> HttpResponse:
    """How it works, before anything is chosen."""
    if "who" not in draft.done:
        return _go("who")
    adult = hotline().help_lines_for(current_language(), "", "adult") if draft.age == "18_plus" else ()
    lines = [line.in_language(current_language()) for line in adult]
    return _show(request, "how", {"draft": draft, "young": draft.young, "adult_lines": lines, "language_form": ""})


# ---- P-H3: fingerprints --------------------------------------------------------------------------------------------
@_with_draft("files")
def files(request: HttpRequest, token: bytes, draft: HelpDraftBody) -> HttpResponse:
    """Choose files on the device. What is posted here is text: fingerprints, and nothing else has a field."""
    if request.method != "POST":
        return _show_files(request, draft, forms.FilesForm(kept=[], young=draft.young), draft.fingerprints)
    kept = _kept(request.POST)
    language, removed = language_asked_for(request.POST), request.POST.get("remove", "")
    if language or removed:
        left = [line for line in _readable(kept) if line != removed]

        def keep(draft: HelpDraftBody) -> None:
            draft.fingerprints = left

        services.save_draft(token=token, change=keep, at=clock.now())
        return _go("files", language)
    form = forms.FilesForm(request.POST, kept=kept, young=draft.young)
    if not form.is_valid():
        return _show_files(request, draft, form, _readable(kept), 422)
    made = [one.text for one in form.cleaned_data["fingerprints"]]

    def change(draft: HelpDraftBody) -> None:
        draft.fingerprints = made
        draft.did("files")

    draft = services.save_draft(token=token, change=change, at=clock.now())
    return _go("sent" if draft.sent is not None else draft.next_step)


def _kept(post: QueryDict) -> list[str]:
    return post.getlist("fingerprint")[: fingerprints.MAX_FINGERPRINTS + 1]


def _readable(lines: list[str]) -> list[str]:
    found = []
    for line in lines:
        try:
            found.append(fingerprints.parse(line).text)
        except BadFingerprint:
            continue
    return list(dict.fromkeys(found))


def _show_files(
    request: HttpRequest, draft: HelpDraftBody, form: forms.FilesForm, lines: list[str], status: int = 200
) -> HttpResponse:
    shown = [fingerprints.parse(line) for line in lines]
    context = {"young": draft.young, "kept": shown, "most": fingerprints.MAX_FINGERPRINTS}
    response = _show(request, "files", context, form, status)
    response["Content-Security-Policy"] = CHOOSER_POLICY
    return response


# ---- P-H4: where it is ---------------------------------------------------------------------------------------------
@_with_draft("where")
def where(request: HttpRequest, token: bytes, draft: HelpDraftBody) -> HttpResponse:
    """Links and names, and threats: all of it optional."""
    context = {"young": draft.young, "not_in_trouble": _not_in_trouble()}
    if request.method != "POST":
        initial = {"links": "\n".join(draft.links), "handles": "\n".join(draft.handles), "threat": draft.threat}
        return _show(request, "where", context, forms.WhereForm(initial=initial, young=draft.young))
    form = forms.WhereForm(request.POST, young=draft.young)
    language = language_asked_for(request.POST)
    if not form.is_valid() and not language:
        return _show(request, "where", context, form, 422)
    data = form.cleaned_data

    def change(draft: HelpDraftBody) -> None:
        draft.links, draft.handles = data.get("links", draft.links), data.get("handles", draft.handles)
        draft.threat = data.get("threat", draft.threat)
        if not language:
            draft.did("where")

    draft = services.save_draft(token=token, change=change, at=clock.now())
    if draft.sent is not None:
        return _go("sent")
    return _go("where" if language else draft.next_step, language)


def _not_in_trouble() -> str:
    """The sentence, only where the operator has recorded the agreement that makes it true."""
    return hotline().statement("not_in_trouble", current_language())


# ---- P-H5, P-H6 ----------------------------------------------------------------------------------------------------
@_with_draft("check")
def check(request: HttpRequest, token: bytes, draft: HelpDraftBody) -> HttpResponse:
    """Everything once more; then send."""
    if request.method == "POST":
        if language := language_asked_for(request.POST):
            return _go("check", language)
        try:
            services.open_case(token=token, language=current_language(), at=clock.now())
        except HelpDraftIncomplete as error:
            return _go(next(iter(error.fields)))
        except HelpDraftNotFound:
            return _without_draft(request, token)
        except DATABASE_AWAY:
            return _show(request, "check", {**_check_context(draft), "not_sent": True}, status=503)
        return _go("sent")
    return _show(request, "check", _check_context(draft))


def _check_context(draft: HelpDraftBody) -> dict[str, Any]:
    shown = [fingerprints.parse(line) for line in draft.fingerprints]
    words = {**dict(forms.WHO), **dict(forms.AGES)}
    return {
        "draft": draft,
        "young": draft.young,
        "who_words": words.get(draft.who, ""),
        "age_words": words.get(draft.age, ""),
        "threat_words": dict(forms.THREAT).get(draft.threat, ""),
        "fingerprints": shown,
        "counted": counted_words([one.kind for one in shown]),
    }


def counted_words(kinds: list[str]) -> str:
    """`2 pictures, 1 video` in the active language."""
    pictures, videos = kinds.count("pdq"), kinds.count("md5")
    parts = []
    if pictures:
        parts.append(ngettext("%(number)s picture", "%(number)s pictures", pictures) % {"number": pictures})
    if videos:
        parts.append(ngettext("%(number)s video", "%(number)s videos", videos) % {"number": videos})
    return ", ".join(parts)


@_page
def sent(request: HttpRequest) -> HttpResponse:
    """Number and code, for as long as the cookie and the draft's row live; afterwards a calm page without them."""
    token = _token_of(request)
    if request.method == "POST":
        if token is not None:
            services.discard_draft(token=token)
        return _forget(HttpResponseRedirect(f"/{current_language()}/", status=303))
    draft = services.load_draft(token=token, at=clock.now()) if token else None
    if draft is not None and draft.sent is not None:
        return _show(request, "sent", {"receipt": draft.receipt, "young": draft.young, "threat": draft.threat == "yes",
                                       "language_form": ""})  # fmt: skip
    if draft is None:
        if token is not None and services.was_sent(token):
            return _show(request, "already_sent", {"language_form": ""})
        return _without_draft(request, None)
    return _go(draft.next_step)


def _forget(response: HttpResponse) -> HttpResponse:
    """Expire our two cookies and the rest by header; "cookies" in it would reach the sibling origins too."""
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        response.delete_cookie(name, path="/", samesite="Strict")
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


# ---- number and code -----------------------------------------------------------------------------------------------
@_page
def status(request: HttpRequest) -> HttpResponse:
    """Open a case with number and code, which travel in the form, never in an address or a cookie."""
    if request.method != "POST":
        return _show(request, "status", {"language_form": ""}, forms.OpenForm())
    form = forms.OpenForm(request.POST)
    if not form.is_valid():
        return _show(request, "status", {"language_form": ""}, form, 422)
    number, code, at = form.cleaned_data["number"], form.cleaned_data["code"], clock.now()
    try:
        counted = parse_number(number)
    except Invalid:
        counted = number
    try:
        if not status_limiter.may_try(counted, at=at):
            raise HelpCaseNotOpened()
        case = services.open_own_case(number=number, code=code)
        said = ""
        if request.POST.get("action") == "withdraw":
            said = "withdrawn" if services.withdraw_case(number=number, code=code, at=at) else ""
            case = services.open_own_case(number=number, code=code)
    except HelpCaseNotOpened:
        status_limiter.count_wrong(counted, at=at)
        form.add_error(None, forms.NOT_OPENED)
        return _show(request, "status", {"language_form": ""}, form, 422)
    context = {
        "case": case, "places": _places(case), "code": code, "said": said, "young": case.young, "language_form": "case",
        "counted": counted_words(["pdq"] * case.pictures + ["md5"] * case.videos),
        "language_formaction": page_url("imagehelp:status", other_language_of(current_language())),
    }  # fmt: skip
    return _show(request, "case", context)


def _places(case: OpenHelpCase) -> list[dict[str, Any]]:
    """Who has the fingerprints. It depends on who takes the list and on nothing that is known about a picture."""
    own = _("Accepted") if case.is_listed else _("Sent")
    return [
        {"name": _("Our own search of websites"), "said": own, "found": 0},
        {"name": _("Other platforms"), "said": _("Not joined"), "found": None},
    ]
