"""The partners' program door: reports as JSON, by API key (`Authorization: Bearer ...`, scope `report.write`).

One call carries one or many reports and has a name of its own (`Idempotency-Key`): the same call again gives the same answer and
makes nothing, so a program whose connection broke may always send again. Each report has its own answer; one that cannot be
taken holds back no other. Errors are `application/problem+json` with a stable `code`; title and detail follow Accept-Language.
"""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from ninja import Body, Header, NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field, StringConstraints

from vigil.accounts.errors import ApiKeyUnusable
from vigil.accounts.selectors import KeyHolder
from vigil.accounts.services import holder_of
from vigil.core import clock
from vigil.core.errors import VigilError
from vigil.core.hotline import hotline
from vigil.core.ids import format_number
from vigil.intake.errors import BadDelivery, TooManyCalls
from vigil.intake.services import handing_in
from vigil.intake.services.handing_in import Item
from vigil.intake.wire import lines
from vigil.intake.wire.lines import RefusedLine
from vigil.intake.words import reason_of_line
from vigil.web.errors import sentence_of, status_of, title_of

SCOPE = "report.write"
MOST_REPORTS = 100
MOST_CALLS_A_MINUTE = 100
_NAME = re.compile(r"^[\x21-\x7e]{8,200}$")

api = NinjaAPI(
    title="Vigil: reports",
    version="1",
    description="Hand in reports. docs/partners.md explains each step with an example.",
    urls_namespace="intake-wire",
    docs_url=None,
    openapi_url="reports/openapi.json",
)


class Key(HttpBearer):
    """A partner's key."""

    def authenticate(self, request: HttpRequest, token: str) -> KeyHolder | None:
        """Whose key it is, or None when it is unknown, ended or without the scope."""
        try:
            return holder_of(token, scope=SCOPE)
        except ApiKeyUnusable:
            return None


class CallLimiter:
    """So many calls a minute for each key, in this process's memory."""

    def __init__(self, most: int = MOST_CALLS_A_MINUTE) -> None:
        self._most = most
        self._calls: dict[UUID, deque[float]] = {}
        self._lock = threading.Lock()

    def count(self, key_id: UUID) -> None:
        """Count one call. Raises TooManyCalls."""
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault(key_id, deque())
            while calls and calls[0] <= now - 60:
                calls.popleft()
            if len(calls) >= self._most:
                raise TooManyCalls()
            calls.append(now)


limiter = CallLimiter()

_TITLES = {
    401: _("The key was not accepted"),
    413: _("That was too much at once"),
    429: _("Too many calls"),
}
Category = Literal[
    "enticement", "threat", "shared_image", "seen_material", "trafficking", "ai_image", "other", "not_sure"
]


class ReportIn(Schema):
    """One report: links, words, or both."""

    model_config = ConfigDict(extra="forbid")

    links: Annotated[list[str], Field(max_length=handing_in.MOST_LINKS_A_REPORT)] = []
    text: Annotated[str, StringConstraints(max_length=handing_in.MOST_WORDS)] = ""
    category: Category = lines.USUAL  # type: ignore[assignment]
    danger: Literal["yes", "no", "unsure"] | None = None


class ReportsIn(Schema):
    """One or many reports in one language."""

    model_config = ConfigDict(extra="forbid")

    reports: Annotated[list[ReportIn], Field(min_length=1, max_length=MOST_REPORTS)]
    language: Literal["en", "fr"] | None = None


class ReportOut(Schema):
    """What became of one report: its number, or a code that says why it was not taken."""

    index: int
    status: Literal["taken", "refused"]
    number: str | None = None
    same_place_as: int | None = None
    code: str | None = None
    detail: str | None = None


class ReportsOut(Schema):
    """What became of each report, in the order in which they were sent."""

    taken: int
    refused: int
    repeated: bool
    reports: list[ReportOut]


class Problem(Schema):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str


_PROBLEMS = {400: Problem, 401: Problem, 409: Problem, 413: Problem, 429: Problem, 503: Problem}


@api.post(
    "/reports",
    auth=Key(),
    response={201: ReportsOut, **_PROBLEMS},
    operation_id="hand_in_reports",
    by_alias=True,
    exclude_none=True,
)
def hand_in_reports(
    request: HttpRequest,
    body: Annotated[ReportsIn, Body()],
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key")] = "",
) -> HttpResponse:
    """Hand in one or many reports. The answer (201) comes after they are in the database."""
    holder: KeyHolder = request.auth  # type: ignore[attr-defined]
    limiter.count(holder.key_id)
    if not _NAME.match(idempotency_key):
        raise BadDelivery(code="delivery.key_missing")
    origin = handing_in.origin_of(holder, source="partner_api")
    delivered = handing_in.hand_in(
        [_item(index, each) for index, each in enumerate(body.reports)],
        origin=origin,
        once=handing_in.once_of(origin, "api", idempotency_key),
        content=body.model_dump_json(),
        language=body.language or _language_of(holder),
        at=clock.now(),
    )
    with translation.override(_wanted(request)):
        answer = ReportsOut(
            taken=delivered.taken,
            refused=len(delivered.answers) - delivered.taken,
            repeated=not delivered.is_new,
            reports=[_out(each) for each in delivered.answers],
        )
    response = JsonResponse(answer.model_dump(exclude_none=True), status=201)
    response["Content-Language"] = _wanted(request)
    return response


def _item(index: int, given: ReportIn) -> Item | RefusedLine:
    links = [lines.undefanged(link) for link in given.links]
    places = tuple(lines.place_of(link) for link in links)
    text = given.text.replace("\x00", " ").strip()
    if not all(places):
        return RefusedLine(index, "", "line.no_link")
    if any(len(link) > lines.MOST_LINK_CHARACTERS for link in links):
        return RefusedLine(index, "", "line.link_too_long")
    if not links and not text:
        return RefusedLine(index, "", "report.says_nothing")
    answers = {"situations": [given.category], "links": links, "narrative": text, "danger": given.danger}
    return Item(index, answers, places)


def _out(answer: handing_in.Answered) -> ReportOut:
    if answer.is_taken:
        return ReportOut(
            index=answer.line, status="taken", number=format_number(answer.number), same_place_as=answer.same_as
        )
    return ReportOut(index=answer.line, status="refused", code=answer.code, detail=reason_of_line(answer.code))


def _language_of(holder: KeyHolder) -> str:
    return holder.partner_language if holder.partner_language in {"en", "fr"} else hotline().languages[0].code


def _wanted(request: HttpRequest) -> str:
    """English or French, as the caller prefers."""
    return "fr" if translation.get_language_from_request(request).startswith("fr") else "en"


# ---- problems: the same shape for all, and never a word of what was sent -----------------------------------------------------
@api.exception_handler(VigilError)
def _refused(request: HttpRequest, exc: VigilError) -> HttpResponse:
    if isinstance(exc, TooManyCalls):
        response = _problem(request, 429, exc.code)
        response["Retry-After"] = "60"
        return response
    return _problem(request, status_of(exc), exc.code)


@api.exception_handler(AuthenticationError)
def _unknown_key(request: HttpRequest, _exc: AuthenticationError) -> HttpResponse:
    response = _problem(request, 401, ApiKeyUnusable.code)
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(ValidationError)
@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, _exc: Exception) -> HttpResponse:
    return _problem(request, 400, BadDelivery.code)


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, _exc: RequestDataTooBig) -> HttpResponse:
    return _problem(request, 413, "delivery.too_big")


def _problem(request: HttpRequest, status: int, code: str) -> JsonResponse:
    language = _wanted(request)
    with translation.override(language):
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": str(_TITLES.get(status) or title_of(status)),
            "status": status,
            "code": code,
            "detail": sentence_of(status, code),
        }
    response = JsonResponse(body, status=status, content_type="application/problem+json")
    response["Content-Language"] = language
    return response
