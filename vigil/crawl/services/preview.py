"""The fleeting preview, asked of the crawl process over its socket: made from memory, answered once, kept nowhere."""

from __future__ import annotations

import json
import socket
from uuid import UUID

from django.conf import settings

from vigil.core.errors import Conflict, NotFound, Unavailable, VigilError
from vigil.crawl.errors import PlaceNotFound, PreviewAlreadyGiven, PreviewChanged, PreviewUnavailable

TIMEOUT_SECONDS = 45.0
PREVIEW_MAX_BYTES = 2_000_000
_BY_CODE: dict[str, type[VigilError]] = {
    error.code: error for error in (PlaceNotFound, PreviewAlreadyGiven, PreviewChanged, PreviewUnavailable)
}


def preview(*, place_id: UUID, expected_sha256: bytes, expected_pdq: bytes, ticket: UUID) -> bytes:
    """Fetch a place anew and return a small grey blurred PNG of what it shows, once for each ticket.

    Raises PreviewUnavailable (the place or the crawl process does not answer now), PreviewChanged (it shows something else),
    PreviewAlreadyGiven, PlaceNotFound. The caller has checked and audited that this person may look.
    """
    request = {
        "op": "preview", "place_id": str(place_id), "sha256": expected_sha256.hex(), "pdq": expected_pdq.hex(),
        "ticket": str(ticket),
    }  # fmt: skip
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(TIMEOUT_SECONDS)
            connection.connect(str(settings.CRAWL_SOCKET))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                head = json.loads(stream.readline(4096))
                body = stream.read(min(int(head.get("size", 0)), PREVIEW_MAX_BYTES))
    except (OSError, ValueError) as exc:
        raise PreviewUnavailable() from exc
    if head.get("error") is not None:
        raise _error_of(str(head["error"]), str(head.get("reason", "")))
    if not body.startswith(b"\x89PNG") or len(body) != head.get("size"):
        raise PreviewUnavailable()
    return body


def _error_of(code: str, reason: str) -> Conflict | NotFound | Unavailable | VigilError:
    return _BY_CODE.get(code, PreviewUnavailable)(reason)
