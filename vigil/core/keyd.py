"""Client of the key process: the only way to anything sensitive that was written earlier."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings

from vigil.core.actors import Actor
from vigil.core.crypto import CrawlKey, DataKey
from vigil.core.errors import Invalid, NotFound, NotPermitted, Unavailable
from vigil.settings import secret

TIMEOUT_SECONDS = 10.0


class KeydUnavailable(Unavailable):
    """The key process does not answer: nothing can be opened now, nothing is lost."""

    code = "keyd.unavailable"


class KeydRefused(NotPermitted):
    """The key process's grants table does not allow this process to open that class for that purpose."""

    code = "keyd.refused"


class NoKey(NotFound):
    """There is no key of that record and class: it never was, or it was destroyed."""

    code = "keyd.no_key"


@dataclass(frozen=True)
class SealedPlace:
    """One reported link, prepared for the crawl inside the key process. `error` holds a code when the link was unusable."""

    link_id: UUID
    blind_index: bytes = b""
    url_digest: bytes = b""
    url_sealed: bytes = b""
    host_digest: bytes = b""
    host_sealed: bytes = b""
    error: str = ""


def open_key(*, record_id: UUID, klass: str, purpose: str, actor: Actor, ticket: str) -> DataKey:
    """The data key of one record and class, for one purpose. The opening is in the audit log before it happens.

    `ticket`: what the opening belongs to (an incident's number, a notice's id). Call it before this transaction's first audit
    row. Raises KeydUnavailable, KeydRefused, NoKey.
    """
    answer = _ask("open_key", actor, record_id=str(record_id), klass=klass, purpose=purpose, ticket=ticket)
    return DataKey(record_id, klass, base64.b64decode(answer["key"]))


def seal_places(
    *, items: Sequence[tuple[UUID, bytes, str, str]], record_id: UUID, purpose: str, actor: Actor, ticket: str
) -> list[SealedPlace]:
    """Have a record's links decrypted, normalised and sealed for the crawl inside the key process; no text comes back.

    items: (link id, ciphertext, table, column) of fields encrypted under the record's "link" key.
    """
    wire_items = [
        {"link_id": str(link_id), "blob": base64.b64encode(bytes(blob)).decode(), "table": table, "column": column}
        for link_id, blob, table, column in items
    ]
    answer = _ask("seal_places", actor, record_id=str(record_id), items=wire_items, purpose=purpose, ticket=ticket)
    return [_sealed_place(place) for place in answer["places"]]


def open_place(*, place_id: UUID, url_sealed: bytes, purpose: str, actor: Actor, ticket: str) -> str:
    """The address of one place of the crawl, for one purpose. Audited before it is opened."""
    sealed = base64.b64encode(bytes(url_sealed)).decode()
    return str(
        _ask("open_place", actor, place_id=str(place_id), url_sealed=sealed, purpose=purpose, ticket=ticket)["url"]
    )


def crawl_key() -> CrawlKey:
    """The crawl's key of the epoch, held in memory by fetchers. Only the crawl process gets it."""
    answer = _ask("crawl_key", None)
    return CrawlKey(answer["epoch"], base64.b64decode(answer["key"]))


def is_answering() -> bool:
    """Whether the key process answers."""
    try:
        _ask("ping", None)
    except Unavailable:
        return False
    return True


def _sealed_place(place: dict[str, Any]) -> SealedPlace:
    fields = {name: base64.b64decode(value) for name, value in place.items() if name not in {"link_id", "error"}}
    return SealedPlace(link_id=UUID(place["link_id"]), error=place.get("error", ""), **fields)


def _ask(operation: str, actor: Actor | None, **fields: Any) -> dict[str, Any]:
    request = {
        "op": operation,
        "process": settings.PROCESS,
        "token": secret(f"keyd-{settings.PROCESS}.token"),
        **fields,
    }
    if actor is not None:
        request |= {"actor_id": str(actor.id), "actor_kind": actor.kind}
    answer = _exchange(json.dumps(request).encode() + b"\n")
    match answer.get("error"):
        case None:
            return answer
        case "keyd.refused":
            raise KeydRefused(operation)
        case "keyd.no_key":
            raise NoKey(operation)
        case "keyd.unavailable":
            raise KeydUnavailable(operation)
        case code:
            raise Invalid(operation, code=str(code))


def _exchange(line: bytes) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            connection.connect(str(settings.KEYD_SOCKET))
            connection.sendall(line)
            answer = connection.makefile("rb").readline()
        return dict(json.loads(answer))
    except (OSError, ValueError) as exc:
        raise KeydUnavailable() from exc
