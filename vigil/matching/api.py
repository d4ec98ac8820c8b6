"""The protocol door of the published list: its feed, and look-ups. JSON, by API key (`Authorization: Bearer ...`).

Scopes: `feed.read`, `list.lookup`. Every answer carries the feed version that it was made with. Answers say that something
matches and how, never how near: distances let somebody walk from a miss to a hit. Hashes that were asked for are not kept.
"""

from __future__ import annotations

from typing import Annotated, Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Body, NinjaAPI, Query, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer
from pydantic import ConfigDict, Field, StringConstraints, model_validator

from vigil.accounts.errors import ApiKeyUnusable
from vigil.accounts.selectors import KeyHolder
from vigil.accounts.services import holder_of
from vigil.audit import services as audit
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.errors import VigilError
from vigil.lists import selectors as lists
from vigil.lists.errors import FeedAhead
from vigil.matching import services
from vigil.matching.errors import BadRequest
from vigil.web.errors import status_of, title_of

PAGE_ROWS = 1000
MOST_HASHES = 64

api = NinjaAPI(title="Vigil", urls_namespace="matching-wire", docs_url=None, openapi_url=None)

Hex32 = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$")]
Hex16 = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{32}$")]


class Key(HttpBearer):
    """A key with one scope."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> KeyHolder | None:
        """Whose key it is, or None when it is unknown, ended or without the scope."""
        try:
            return holder_of(token, scope=self.scope)
        except ApiKeyUnusable:
            return None


class Asked(Schema):
    """What is looked up: hashes of one picture."""

    model_config = ConfigDict(extra="forbid")

    pdq: Annotated[list[Hex32], Field(max_length=MOST_HASHES)] = []
    sha256: Hex32 | None = None
    md5: Hex16 | None = None

    @model_validator(mode="after")
    def _has_something(self) -> Asked:
        if not (self.pdq or self.sha256 or self.md5):
            raise ValueError("nothing is asked")
        return self


@api.get("/feed", auth=Key("feed.read"))
def feed(
    request: HttpRequest,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_ROWS)] = PAGE_ROWS,
) -> HttpResponse:
    """Changes after a version, in order and without gaps; ask again with the last `version` until there are none.

    A publication whose entry was withdrawn since has `hashes: null`, and so has the withdrawal itself: what is withdrawn is
    in no answer. `feed.ahead` (409) tells a subscriber from the future of a restored backup to begin again at 0.
    """
    with transaction.atomic():
        changes = lists.feed_since(after, limit=limit)
        version = max(lists.feed_version(), changes[-1].version if changes else 0)
        if after > version:
            raise FeedAhead(version)
        withdrawn = lists.withdrawn_among({change.entry_id for change in changes})
        rows = [_row(change, is_withdrawn=change.entry_id in withdrawn) for change in changes]
        _record(request, "feed.read", {"after": after, "rows": len(rows), "feed_version": version})
    return JsonResponse({"feed_version": version, "changes": rows})


@api.post("/lookup", auth=Key("list.lookup"))
def lookup(request: HttpRequest, asked: Annotated[Asked, Body()]) -> HttpResponse:
    """Which published entries match. `match`: `exact` (SHA-256), `md5`, or `near` (PDQ within 31 bits): the last two are claims."""
    with transaction.atomic():
        answer = services.lookup(
            pdqs=[bytes.fromhex(pdq) for pdq in asked.pdq],
            sha256=bytes.fromhex(asked.sha256) if asked.sha256 else None,
            md5=bytes.fromhex(asked.md5) if asked.md5 else None,
        )
        matches = [{"entry": str(hit.entry_id), "match": hit.match} for hit in answer.hits]
        _record(request, "list.lookup", {"matches": len(matches), "feed_version": answer.feed_version})
    return JsonResponse({"feed_version": answer.feed_version, "matches": matches})


def _row(change: lists.FeedChange, *, is_withdrawn: bool) -> dict[str, Any]:
    hashes = {"sha256": change.sha256.hex(), "md5": change.md5.hex(), "pdq": change.pdq.hex()}
    return {
        "version": change.version,
        "change": change.change,
        "entry": str(change.entry_id),
        "at": change.at.isoformat(timespec="seconds"),
        "classification": change.classification,
        "hashes": None if is_withdrawn else hashes,
    }


def _record(request: HttpRequest, action: str, data: dict[str, int]) -> None:
    holder: KeyHolder = request.auth  # type: ignore[attr-defined]
    actor = Actor(
        id=holder.holder_id,
        kind="provider",
        name="",
        provider_id=holder.holder_id if holder.kind == "provider" else None,
    )
    audit.record(
        actor=actor, action=action, subject_kind="api_key", subject_id=holder.key_id, at=clock.now(), data=data
    )


# ---- errors: the same shape for all, and never a word of what was sent -------------------------------------------------------
@api.exception_handler(VigilError)
def _refused(_request: HttpRequest, exc: VigilError) -> HttpResponse:
    status = status_of(exc)
    return _error(status, exc.code, title_of(status))


@api.exception_handler(AuthenticationError)
def _unknown_key(_request: HttpRequest, _exc: AuthenticationError) -> HttpResponse:
    response = _error(401, ApiKeyUnusable.code, title_of(403))
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(ValidationError)
@api.exception_handler(HttpError)
def _unreadable(_request: HttpRequest, _exc: Exception) -> HttpResponse:
    return _error(400, BadRequest.code, title_of(400))


@api.exception_handler(RequestDataTooBig)
def _too_big(_request: HttpRequest, _exc: RequestDataTooBig) -> HttpResponse:
    return _error(413, BadRequest.code, title_of(400))


def _error(status: int, code: str, title: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "status": status, "title": title}}, status=status)
