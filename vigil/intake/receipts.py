"""What a reporter takes away (vigil/core/receipts.py), and the thread's key that the secret unwraps."""

from __future__ import annotations

from uuid import UUID

from vigil.core import receipts
from vigil.core.crypto import derive
from vigil.core.receipts import (
    SECRET_CHARACTERS,
    TOKEN_BYTES,
    Receipt,
    new_token,
    parse_secret,
    token_from,
    token_hash,
    token_text,
    unwrap_nothing,
)

__all__ = [
    "SECRET_CHARACTERS",
    "TOKEN_BYTES",
    "Receipt",
    "draft_key",
    "new_token",
    "parse_secret",
    "receipt_of",
    "token_from",
    "token_hash",
    "token_text",
    "unwrap_nothing",
    "unwrap_thread_key",
    "wrap_thread_key",
]


def draft_key(token: bytes) -> bytes:
    """The key of a draft's body."""
    return derive(token, purpose="vigil intake draft 1")


def receipt_of(token: bytes, attempt: int = 0) -> Receipt:
    """Number and secret of a draft. `attempt` counts numbers that were taken by another report."""
    return receipts.receipt_of(token, purpose="vigil receipt", attempt=attempt)


def wrap_thread_key(key: bytes, *, secret: str, salt: bytes, report_id: UUID) -> bytes:
    """Encrypt a thread's key under the reporter's secret, bound to the report."""
    return receipts.wrap(key, secret=secret, salt=salt, context=f"thread:{report_id}")


def unwrap_thread_key(blob: bytes, *, secret: str, salt: bytes, report_id: UUID) -> bytes | None:
    """The thread's key, or None when the secret is wrong."""
    return receipts.unwrap(blob, secret=secret, salt=salt, context=f"thread:{report_id}")
