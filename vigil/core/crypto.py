"""Field encryption and sealing. Reference: security.md section d.

A record's sensitive text is encrypted with a data key of its own (one per record and class). The key is sealed to the key
process's public key and left in `core_envelope`; whoever writes can encrypt, only the key process can open later.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vigil.core.errors import Invalid, Unavailable

CLASSES = ("contact", "narrative", "link", "thread", "note", "referral", "evidence")
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
FORMAT = b"\x01"
PADDING_STEP_BYTES = 256


class Undecryptable(Invalid):
    """The ciphertext was changed, moved to another row or column, or belongs to another key."""

    code = "crypto.undecryptable"


class NoSealingKey(Unavailable):
    """The key process has not published its public key yet."""

    code = "crypto.no_sealing_key"


def derive(key: bytes, *, purpose: str, salt: bytes | None = None, length: int = 32) -> bytes:
    """HKDF-SHA-256 of `key` for one named purpose."""
    return HKDF(hashes.SHA256(), length, salt, purpose.encode()).derive(key)


def encrypt(key: bytes, plaintext: bytes, *, context: str) -> bytes:
    """AES-256-GCM, format byte and nonce in front, padded to steps of 256 bytes, bound to `context`."""
    framed = len(plaintext).to_bytes(4, "big") + plaintext
    framed += bytes(-len(framed) % PADDING_STEP_BYTES)
    nonce = os.urandom(12)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, framed, FORMAT + context.encode())


def decrypt(key: bytes, blob: bytes, *, context: str) -> bytes:
    """The opposite of `encrypt`. Raises Undecryptable; never returns part of a text."""
    blob = bytes(blob)
    if blob[:1] != FORMAT:
        raise Undecryptable("format")
    try:
        framed = AESGCM(key).decrypt(blob[1:13], blob[13:], FORMAT + context.encode())
    except InvalidTag as exc:
        raise Undecryptable("tag") from exc
    size = int.from_bytes(framed[:4], "big")
    return framed[4 : 4 + size]


def field_context(table: str, column: str, row_id: UUID, record_id: UUID, klass: str) -> str:
    """What a field's ciphertext is bound to: swapped rows, columns or keys do not decrypt."""
    return f"{table}.{column}:{row_id}:{record_id}:{klass}:1"


@dataclass(frozen=True)
class DataKey:
    """The key of one record and class, in memory for as long as it is needed. Never printed, pickled or logged."""

    record_id: UUID
    klass: str
    secret: bytes

    def __repr__(self) -> str:
        return f"DataKey({self.record_id}, {self.klass})"

    def __reduce__(self) -> str:
        raise TypeError("a data key is not pickled")

    def encrypt(self, text: str, *, table: str, column: str, row_id: UUID) -> bytes:
        """Encrypt one field's text, bound to its table, column and row."""
        return encrypt(
            self.secret, text.encode(), context=field_context(table, column, row_id, self.record_id, self.klass)
        )

    def decrypt(self, blob: bytes, *, table: str, column: str, row_id: UUID) -> str:
        """Decrypt one field's text. Raises Undecryptable."""
        return decrypt(
            self.secret, blob, context=field_context(table, column, row_id, self.record_id, self.klass)
        ).decode()

    def encrypt_bytes(self, data: bytes, *, table: str, column: str, row_id: UUID) -> bytes:
        """As `encrypt`, for a document."""
        return encrypt(self.secret, data, context=field_context(table, column, row_id, self.record_id, self.klass))

    def decrypt_bytes(self, blob: bytes, *, table: str, column: str, row_id: UUID) -> bytes:
        """As `decrypt`, for a document. Raises Undecryptable."""
        return decrypt(self.secret, blob, context=field_context(table, column, row_id, self.record_id, self.klass))


# ---- sealing a data key to the key process ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class SealingKey:
    """The key process's public key of an epoch."""

    key_id: str
    public: hpke.MLKEM768X25519PublicKey


def envelope_info(record_id: UUID, klass: str, key_id: str) -> bytes:
    """What a sealed key is bound to. HPKE's public interface takes no associated data, so it goes into `info`."""
    return f"vigil envelope 1:{record_id}:{klass}:{key_id}".encode()


def public_key_document(key_id: str, mlkem_public: bytes, x25519_public: bytes) -> str:
    """The published form of a sealing key: JSON with base64."""
    encoded = {
        "key_id": key_id,
        "mlkem768": base64.b64encode(mlkem_public).decode(),
        "x25519": base64.b64encode(x25519_public).decode(),
    }
    return json.dumps(encoded, sort_keys=True)


@lru_cache(maxsize=2)
def _load_sealing_key(path: Path, _modified_ns: int) -> SealingKey:
    document = json.loads(path.read_text())
    public = hpke.MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(base64.b64decode(document["mlkem768"])),
        x25519.X25519PublicKey.from_public_bytes(base64.b64decode(document["x25519"])),
    )
    return SealingKey(document["key_id"], public)


def sealing_key() -> SealingKey:
    """The present public key. Raises NoSealingKey while the key process has not published one."""
    from django.conf import settings

    path: Path = settings.SEALING_KEY_FILE
    try:
        return _load_sealing_key(path, path.stat().st_mtime_ns)
    except OSError as exc:
        raise NoSealingKey() from exc


def new_data_key(*, record_id: UUID, klass: str) -> DataKey:
    """Make a record's key of one class and leave its sealed copy in `core_envelope`, in this transaction.

    Raises NoSealingKey when the key process has never run here.
    """
    return new_data_keys(record_id=record_id, classes=[klass])[klass]


def new_data_keys(*, record_id: UUID, classes: Sequence[str]) -> dict[str, DataKey]:
    """As `new_data_key` for several classes of one record at once, with one statement."""
    from vigil.core.ids import new_id
    from vigil.core.models import Envelope

    if unknown := set(classes) - set(CLASSES):
        raise ValueError(f"no key class {sorted(unknown)[0]!r}")
    target, keys, envelopes = sealing_key(), {}, []
    for klass in classes:
        secret = os.urandom(32)
        sealed = SUITE.encrypt(secret, target.public, envelope_info(record_id, klass, target.key_id))
        envelopes.append(Envelope(id=new_id(), record_id=record_id, klass=klass, key_id=target.key_id, sealed=sealed))
        keys[klass] = DataKey(record_id, klass, secret)
    Envelope.objects.bulk_create(envelopes)
    return keys


# ---- the crawl's key of the epoch ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class CrawlKey:
    """Encrypts the crawl's many addresses, and digests them for look-up, under the epoch's key."""

    epoch: str
    secret: bytes

    def __repr__(self) -> str:
        return f"CrawlKey({self.epoch})"

    def seal(self, url: str) -> bytes:
        """Encrypt one address."""
        return encrypt(derive(self.secret, purpose="crawl seal"), url.encode(), context=f"crawl:{self.epoch}")

    def open(self, blob: bytes) -> str:
        """Decrypt one address. Raises Undecryptable."""
        return decrypt(derive(self.secret, purpose="crawl seal"), blob, context=f"crawl:{self.epoch}").decode()

    def digest(self, url: str) -> bytes:
        """Keyed digest (32 bytes) of a normalised address: equal for equal addresses, says nothing without the key."""
        return self._mac("crawl url", url)

    def host_digest(self, host: str) -> bytes:
        """Keyed digest (32 bytes) of a host name."""
        return self._mac("crawl host", host)

    def _mac(self, purpose: str, text: str) -> bytes:
        import hmac

        return hmac.digest(derive(self.secret, purpose=purpose), text.encode(), "sha256")
