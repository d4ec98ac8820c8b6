"""The crawl process's socket: it makes one fleeting preview for each ticket. Nothing of it is stored, cached or logged."""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import close_old_connections

from vigil.core.crypto import CrawlKey
from vigil.core.errors import VigilError
from vigil.core.logs import log
from vigil.crawl import selectors
from vigil.crawl.errors import PreviewAlreadyGiven, PreviewChanged, PreviewUnavailable
from vigil.crawl.fetch import ABSENT
from vigil.crawl.looking import Expected, Lookout
from vigil.matching import services as matching

REQUEST_MAX_BYTES = 4096
READ_SECONDS = 5.0
TICKETS_REMEMBERED = 10_000


class Previews:
    """Makes previews. Remembers the tickets that were served, so that none is served twice."""

    def __init__(self, key: CrawlKey, lookout: Lookout) -> None:
        self._key, self._lookout = key, lookout
        self._given: OrderedDict[UUID, None] = OrderedDict()
        self._lock = threading.Lock()

    def make(self, *, place_id: UUID, expected: Expected, ticket: UUID) -> bytes:
        """Fetch the place anew and blur what it shows. Raises PreviewAlreadyGiven, PreviewChanged, PreviewUnavailable."""
        self._reserve(ticket)
        try:
            return self._fetched_and_blurred(place_id, expected)
        except BaseException:
            # Nothing was shown: the ticket is good for another try.
            with self._lock:
                self._given.pop(ticket, None)
            raise

    def _reserve(self, ticket: UUID) -> None:
        with self._lock:
            if ticket in self._given:
                raise PreviewAlreadyGiven()
            self._given[ticket] = None
            while len(self._given) > TICKETS_REMEMBERED:
                self._given.popitem(last=False)

    def _fetched_and_blurred(self, place_id: UUID, expected: Expected) -> bytes:
        url = self._key.open(selectors.place(place_id).url_sealed)
        look = self._lookout.look(url)
        if look.outcome in ABSENT or look.kind == "page":
            raise PreviewChanged(str(look.outcome))
        if look.picture is None:
            raise PreviewUnavailable(str(look.outcome))
        if not expected.is_shown_by(look.picture):
            raise PreviewChanged("other_picture")
        return matching.blurred_preview(look.fetched.body)


class _Door(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, path: Path, previews: Previews) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        before = os.umask(0o177)
        try:
            super().__init__(str(path), _Conversation)
        finally:
            os.umask(before)
        self.previews = previews

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say that something failed, without a word of what was asked."""
        log.warning("preview_failed")


class _Conversation(socketserver.StreamRequestHandler):
    timeout = READ_SECONDS
    server: _Door

    def handle(self) -> None:
        close_old_connections()
        try:
            body = self._preview(self.rfile.readline(REQUEST_MAX_BYTES))
        except VigilError as exc:
            self._answer({"error": exc.code, "reason": str(exc.args[0]) if exc.args else ""})
            return
        except (ValueError, KeyError, TypeError):
            self._answer({"error": "crawl.preview_unreadable"})
            return
        finally:
            from django.db import connection

            connection.close()
        self._answer({"size": len(body)}, body)

    def _preview(self, line: bytes) -> bytes:
        asked = json.loads(line)
        if not isinstance(asked, dict):
            raise ValueError("request")
        if asked.get("op") == "ping":
            return b""
        expected = Expected(bytes.fromhex(asked["sha256"]), bytes.fromhex(asked["pdq"]))
        if len(expected.sha256) != 32 or len(expected.pdq) != 32:
            raise ValueError("hashes")
        return self.server.previews.make(
            place_id=UUID(asked["place_id"]), expected=expected, ticket=UUID(asked["ticket"])
        )

    def _answer(self, head: dict[str, object], body: bytes = b"") -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(json.dumps(head).encode() + b"\n" + body)


@contextlib.contextmanager
def open_door(path: Path, previews: Previews) -> Iterator[None]:
    """Answer on the socket at `path` (this user only) while the block runs."""
    door = _Door(path, previews)
    thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.2}, name="previews", daemon=True)
    thread.start()
    try:
        yield
    finally:
        door.shutdown()
        door.server_close()
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
