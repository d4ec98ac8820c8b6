"""The key process: a Unix socket, a grants table, the audit row before anything is opened. No Django, no network.

Protocol: one JSON object a line in, one out. Requests carry the process's token, an operation, actor, purpose and ticket.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import socketserver
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag

from vigil import settings
from vigil.core import keyd_grants
from vigil.core.actors import process_actor
from vigil.core.addresses import host_of, normalise
from vigil.core.crypto import decrypt, field_context
from vigil.core.errors import Invalid, NotFound, NotPermitted, Unavailable, VigilError
from vigil.core.keyd_store import KeyStore, root_key_from

MAX_REQUEST_BYTES = 4 * 1024 * 1024
ENVELOPE_SWEEP_SECONDS = 2.0
BLIND_INDEX_BYTES = 4  # 32 bits: false hits are the cover (security.md, section d.5)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Keyd:
    """What the key process does, one method an operation. Each takes the request and returns the answer's fields."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._tokens = {
            process: token
            for process in settings.ROLE_OF_PROCESS
            if (token := settings.secret(f"keyd-{process}.token"))
        }
        self._database_lock = threading.Lock()
        self._database: psycopg.Connection | None = None
        self._operations: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
            "open_key": self._open_key,
            "seal_places": self._seal_places,
            "open_place": self._open_place,
            "crawl_key": self._crawl_key,
            "ping": lambda _process, _request: {},
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request: fields of the answer, or `error` with a stable code. Nothing is opened on any error."""
        try:
            process = self._process_of(str(request.get("token", "")), str(request.get("process", "")))
            operation = self._operations.get(str(request.get("op")))
            if operation is None:
                raise Invalid(code="keyd.unknown_operation")
            return operation(process, request)
        except VigilError as exc:
            return {"error": exc.code}
        except (KeyError, ValueError, InvalidTag, TypeError):
            return {"error": "keyd.bad_request"}
        except psycopg.Error:
            self._drop_connection()
            return {"error": "keyd.unavailable"}

    def _process_of(self, token: str, process: str) -> str:
        expected = self._tokens.get(process, "")
        if not expected or not hmac.compare_digest(token, expected):
            raise NotPermitted(code="keyd.refused")
        return process

    # ---- operations ----------------------------------------------------------------------------------------------------
    def _open_key(self, process: str, request: dict[str, Any]) -> dict[str, Any]:
        record_id, klass, purpose = UUID(request["record_id"]), str(request["klass"]), str(request["purpose"])
        if (process, klass, purpose) not in keyd_grants.OPEN:
            self._audit_refusal(process, request, klass=klass, purpose=purpose)
            raise NotPermitted(code="keyd.refused")
        self._audit(request, "key.open", record_id, process=process, klass=klass, purpose=purpose)
        return {"key": _b64(self._key(record_id, klass))}

    def _seal_places(self, process: str, request: dict[str, Any]) -> dict[str, Any]:
        record_id, purpose = UUID(request["record_id"]), str(request["purpose"])
        self._require_place_grant(process, "seal_places", purpose, request)
        self._audit(
            request, "link.seal_for_crawl", record_id, process=process, purpose=purpose, count=len(request["items"])
        )
        key, sealed = self._key(record_id, "link"), []
        for item in request["items"]:
            context = field_context(item["table"], item["column"], UUID(item["link_id"]), record_id, "link")
            text = decrypt(key, base64.b64decode(item["blob"]), context=context).decode()
            sealed.append({"link_id": item["link_id"], **self._sealed_place(text)})
        return {"places": sealed}

    def _sealed_place(self, text: str) -> dict[str, Any]:
        try:
            url = normalise(text)
        except Invalid as exc:
            return {"error": exc.code}
        crawl_key, host = self._store.crawl_key(), host_of(url)
        index = hmac.digest(self._store.blind_index_key(), f"link|{url}".encode(), "sha256")[:BLIND_INDEX_BYTES]
        return {
            "blind_index": _b64(index),
            "url_digest": _b64(crawl_key.digest(url)), "url_sealed": _b64(crawl_key.seal(url)),
            "host_digest": _b64(crawl_key.host_digest(host)), "host_sealed": _b64(crawl_key.seal(host)),
        }  # fmt: skip

    def _open_place(self, process: str, request: dict[str, Any]) -> dict[str, Any]:
        place_id, purpose = UUID(request["place_id"]), str(request["purpose"])
        self._require_place_grant(process, "open_place", purpose, request)
        self._audit(request, "place.open", place_id, process=process, purpose=purpose)
        return {"url": self._store.crawl_key().open(base64.b64decode(request["url_sealed"]))}

    def _crawl_key(self, process: str, request: dict[str, Any]) -> dict[str, Any]:
        self._require_place_grant(process, "crawl_key", "crawl", request)
        key = self._store.crawl_key()
        self._audit(
            {**request, "actor_id": str(process_actor(process).id)},
            "key.crawl",
            process_actor(process).id,
            process=process,
        )
        return {"epoch": key.epoch, "key": _b64(key.secret)}

    def _require_place_grant(self, process: str, operation: str, purpose: str, request: dict[str, Any]) -> None:
        if (process, operation, purpose) not in keyd_grants.PLACES:
            self._audit_refusal(process, request, klass=operation, purpose=purpose)
            raise NotPermitted(code="keyd.refused")

    # ---- data keys: own store first, then the envelope in transit ---------------------------------------------------------
    def _key(self, record_id: UUID, klass: str) -> bytes:
        secret = self._store.get(record_id, klass)
        if secret is None:
            self._take_envelopes("record_id = %s AND klass = %s", [record_id, klass])
            secret = self._store.get(record_id, klass)
        if secret is None:
            raise NotFound(code="keyd.no_key")
        return secret

    def sweep_envelopes(self) -> int:
        """Move every envelope in transit into the own store and clear it; the number moved."""
        return self._take_envelopes("true", [])

    def _take_envelopes(self, condition: str, values: list[Any]) -> int:
        with self._database_lock, self._connection().transaction():
            connection = self._connection()
            rows = connection.execute(
                f"SELECT id, record_id, klass, key_id, sealed FROM core_envelope WHERE {condition} LIMIT 500",  # noqa: S608
                values,
            ).fetchall()
            for _, record_id, klass, key_id, sealed in rows:
                # On our disk before it is cleared there: a crash in between leaves it in both, and put() is idempotent.
                self._store.put(record_id, klass, self._store.unseal(key_id, sealed, record_id, klass))
            if rows:
                connection.execute("DELETE FROM core_envelope WHERE id = ANY(%s)", [[row[0] for row in rows]])
        return len(rows)

    # ---- audit: on an own connection, committed before anything is opened ---------------------------------------------------
    def _audit(self, request: dict[str, Any], action: str, subject_id: UUID, **data: Any) -> None:
        body = {
            "at": datetime.now(UTC).isoformat(timespec="microseconds"),
            "actor": request["actor_id"], "actor_kind": request.get("actor_kind", "person"),
            "action": action, "subject_kind": "key", "subject": str(subject_id),
            "data": {**data, "ticket": str(request.get("ticket", ""))[:64]},
        }  # fmt: skip
        with self._database_lock:
            self._connection().execute(
                "SELECT audit.append(%s, %s)", ["keyd", json.dumps(body, sort_keys=True, separators=(",", ":"))]
            )

    def _audit_refusal(self, process: str, request: dict[str, Any], *, klass: str, purpose: str) -> None:
        subject = UUID(str(request.get("record_id") or request.get("place_id") or process_actor(process).id))
        actor_id = str(UUID(str(request.get("actor_id") or process_actor(process).id)))
        self._audit(
            {**request, "actor_id": actor_id}, "key.refused", subject, process=process, klass=klass, purpose=purpose
        )

    def _connection(self) -> psycopg.Connection:
        if self._database is None or self._database.closed:
            self._database = psycopg.connect(**connection_arguments(), autocommit=True)
        return self._database

    def _drop_connection(self) -> None:
        with self._database_lock:
            if self._database is not None:
                self._database.close()
            self._database = None

    # ---- heads of the audit chains, signed and kept outside the database ------------------------------------------------------
    def sign_heads(self) -> None:
        """Append the present heads of all chains, signed, to the heads file; nothing when no chain has moved."""
        with self._database_lock:
            rows = self._connection().execute("SELECT chain, n, hash FROM audit.heads() ORDER BY chain").fetchall()
        heads = [[chain, n, bytes(digest).hex()] for chain, n, digest in rows]
        path = settings.AUDIT_HEADS_DIR / "heads.jsonl"
        if not heads or heads == _last_heads(path):
            return
        key = self._store.head_signing_key()
        settings.AUDIT_HEADS_DIR.mkdir(parents=True, exist_ok=True)
        (settings.AUDIT_HEADS_DIR / "public.key").write_text(key.public_key().public_bytes_raw().hex() + "\n")
        body = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "heads": heads}
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        with path.open("a") as handle:
            handle.write(json.dumps({"body": text, "signature": key.sign(text.encode()).hex()}) + "\n")
            handle.flush()
            os.fsync(handle.fileno())


def _last_heads(path: Path) -> list[list[Any]] | None:
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - 65_536))
            last = handle.read().splitlines()[-1]
        return list(json.loads(json.loads(last)["body"])["heads"])
    except (OSError, IndexError, ValueError):
        return None


def connection_arguments() -> dict[str, Any]:
    """psycopg arguments of this process's own role, taken from the one place that knows: the settings."""
    database = settings._database()
    return {
        "host": database["HOST"], "port": database["PORT"], "dbname": os.environ.get("VIGIL_KEYD_DATABASE") or database["NAME"],
        "user": "vigil_keyd", "password": settings.secret("vigil_keyd.password"), "connect_timeout": 5,
        "application_name": "vigil-keyd",
    }  # fmt: skip


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while line := self.rfile.readline(MAX_REQUEST_BYTES):
            try:
                request = json.loads(line)
            except ValueError:
                request = {}
            answer = self.server.keyd.answer(request if isinstance(request, dict) else {})  # type: ignore[attr-defined]
            self.wfile.write(json.dumps(answer).encode() + b"\n")
            self.wfile.flush()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    allow_reuse_address = True
    keyd: Keyd


def _every(seconds: float, function: Callable[[], object], stop: threading.Event, keyd: Keyd) -> None:
    while not stop.wait(seconds):
        try:
            function()
        except psycopg.Error:
            keyd._drop_connection()  # the database is away: the next round tries again


def serve(stop: threading.Event | None = None) -> None:
    """Run the key process until `stop` is set (or for ever)."""
    stop = stop or threading.Event()
    store = KeyStore(settings.KEYD_DIR, root_key_from(settings.secret("keyd-root-key")))
    keyd = Keyd(store)
    store.publish_sealing_key(settings.SEALING_KEY_FILE)
    settings.KEYD_SOCKET.parent.mkdir(parents=True, exist_ok=True)
    settings.KEYD_SOCKET.unlink(missing_ok=True)
    with _Server(str(settings.KEYD_SOCKET), _Handler) as server:
        settings.KEYD_SOCKET.chmod(0o600)
        server.keyd = keyd
        loops: list[tuple[float, Callable[[], object]]] = [
            (ENVELOPE_SWEEP_SECONDS, keyd.sweep_envelopes),
            (settings.AUDIT_HEAD_SECONDS, keyd.sign_heads),
            (3600.0, lambda: store.publish_sealing_key(settings.SEALING_KEY_FILE)),
        ]
        for seconds, function in loops:
            threading.Thread(target=_every, args=(seconds, function, stop, keyd), daemon=True).start()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
        while not stop.wait(0.5):
            time.sleep(0)
        server.shutdown()
    settings.KEYD_SOCKET.unlink(missing_ok=True)


__all__ = ["Keyd", "Unavailable", "serve"]
