"""The key process's own store: a file apart from the main database, so that a backup of one does not carry the other.

Wrapped data keys (AES key wrap under a key per class), sealing key pairs by week, the crawl's epoch key, the signing key of the
audit heads. Everything is wrapped under keys derived from the root key, which is a file of its own (or an operator's KMS later).
"""

from __future__ import annotations

import base64
import os
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from vigil.core.crypto import SUITE, CrawlKey, derive, encrypt, envelope_info, public_key_document
from vigil.core.crypto import decrypt as open_blob

SCHEMA = """
CREATE TABLE IF NOT EXISTS wrapped_key (record_id TEXT, klass TEXT, wrapped BLOB NOT NULL, PRIMARY KEY (record_id, klass));
CREATE TABLE IF NOT EXISTS named_key (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL, made_at TEXT NOT NULL);
"""


class KeyStore:
    """Reads and writes the store. Safe for several threads; every write is on the disk before the call returns."""

    def __init__(self, folder: Path, root_key: bytes) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._root = root_key
        self._lock = threading.Lock()
        self._database = sqlite3.connect(folder / "keys.sqlite", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(SCHEMA)
        (folder / "keys.sqlite").chmod(0o600)

    # ---- data keys -------------------------------------------------------------------------------------------------
    def put(self, record_id: UUID, klass: str, secret: bytes) -> None:
        """Keep a data key; keeping it twice changes nothing."""
        wrapped = aes_key_wrap(self._class_key(klass, record_id), secret)
        with self._lock:
            self._database.execute(
                "INSERT OR IGNORE INTO wrapped_key VALUES (?, ?, ?)", (str(record_id), klass, wrapped)
            )

    def get(self, record_id: UUID, klass: str) -> bytes | None:
        """A data key, or None when there is none (or it was destroyed)."""
        with self._lock:
            row = self._database.execute(
                "SELECT wrapped FROM wrapped_key WHERE record_id = ? AND klass = ?", (str(record_id), klass)
            ).fetchone()
        return None if row is None else aes_key_unwrap(self._class_key(klass, record_id), row[0])

    def unseal(self, key_id: str, sealed: bytes, record_id: UUID, klass: str) -> bytes:
        """Open an envelope with the private half of the sealing pair `key_id`."""
        private = self._sealing_private(key_id)
        return SUITE.decrypt(bytes(sealed), private, envelope_info(record_id, klass, key_id))

    def _class_key(self, klass: str, record_id: UUID) -> bytes:
        return derive(self._root, purpose=f"kek {klass} {record_id}")

    # ---- the sealing pair of the week --------------------------------------------------------------------------------
    def publish_sealing_key(self, path: Path) -> str:
        """Make this week's pair when it is missing and publish its public half; returns the key's id."""
        key_id = datetime.now(UTC).strftime("intake-%G-W%V")
        private = self._named(f"sealing {key_id}", _new_sealing_secret)
        mlkem_key, x25519_key = _sealing_keys(private)
        document = public_key_document(
            key_id, mlkem_key.public_key().public_bytes_raw(), x25519_key.public_key().public_bytes_raw()
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != document:
            partial = path.with_suffix(".new")
            partial.write_text(document)
            partial.replace(path)
        return key_id

    def _sealing_private(self, key_id: str) -> MLKEM768X25519PrivateKey:
        secret = self._read_named(f"sealing {key_id}")
        if secret is None:
            raise KeyError(key_id)
        return MLKEM768X25519PrivateKey(*_sealing_keys(secret))

    # ---- single keys ------------------------------------------------------------------------------------------------------
    def crawl_key(self) -> CrawlKey:
        """The crawl's key. One epoch for now: re-encrypting the frontier for the next one is work of its own."""
        return CrawlKey("1", self._named("crawl 1", lambda: os.urandom(32)))

    def blind_index_key(self) -> bytes:
        """The key of the blind index on links, used inside the key process only."""
        return derive(self._root, purpose="blind index link duplicate-search")

    def head_signing_key(self) -> ed25519.Ed25519PrivateKey:
        """The key that signs the heads of the audit chains."""
        return ed25519.Ed25519PrivateKey.from_private_bytes(self._named("audit heads", lambda: os.urandom(32)))

    def _named(self, name: str, make: Callable[[], bytes]) -> bytes:
        existing = self._read_named(name)
        if existing is not None:
            return existing
        blob = encrypt(derive(self._root, purpose="named keys"), make(), context=f"named:{name}")
        with self._lock:
            made_at = datetime.now(UTC).isoformat()
            self._database.execute("INSERT OR IGNORE INTO named_key VALUES (?, ?, ?)", (name, blob, made_at))
        kept = self._read_named(name)
        assert kept is not None
        return kept

    def _read_named(self, name: str) -> bytes | None:
        with self._lock:
            row = self._database.execute("SELECT wrapped FROM named_key WHERE name = ?", (name,)).fetchone()
        return (
            None
            if row is None
            else open_blob(derive(self._root, purpose="named keys"), row[0], context=f"named:{name}")
        )


def _new_sealing_secret() -> bytes:
    # The hybrid key has no serialiser: the ML-KEM seed (64 bytes) and the X25519 key (32) are kept side by side.
    return (
        mlkem.MLKEM768PrivateKey.generate().private_bytes_raw() + x25519.X25519PrivateKey.generate().private_bytes_raw()
    )


def _sealing_keys(secret: bytes) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
    return mlkem.MLKEM768PrivateKey.from_seed_bytes(secret[:64]), x25519.X25519PrivateKey.from_private_bytes(
        secret[64:]
    )


def root_key_from(text: str) -> bytes:
    """The 32-byte root key of the secret file's text."""
    return derive(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), purpose="vigil root")
