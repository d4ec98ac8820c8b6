"""What a reporter takes away (vigil/core/receipts.py), the thread's key that the secret unwraps, and the code of a report
that is kept for later: 16 characters (75 random bits and a check character), stored nowhere."""

from __future__ import annotations

import re
from uuid import UUID

from stdnum import luhn

from vigil.core import receipts
from vigil.core.crypto import derive
from vigil.core.ids import ALPHABET
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
    "NO_CODE",
    "SECRET_CHARACTERS",
    "TOKEN_BYTES",
    "Receipt",
    "code_of",
    "draft_key",
    "grouped",
    "new_token",
    "parse_code",
    "parse_secret",
    "read_out",
    "receipt_of",
    "token_from",
    "token_hash",
    "token_of_code",
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


# ---- the code of a report that is kept for later ---------------------------------------------------------------------------
#: Looked up in place of a code that cannot be one, so that a miss takes the same time. Its check character is wrong.
NO_CODE = "0000000000000001"


def code_of(token: bytes) -> str:
    """The code under which this token's draft is kept for later: asking twice gives the same."""
    bits = int.from_bytes(derive(token, purpose="vigil saved code 1", length=10), "big")
    payload = "".join(ALPHABET[(bits >> shift) & 31] for shift in range(70, -5, -5))
    return payload + luhn.calc_check_digit(payload, ALPHABET)


def parse_code(text: str) -> str:
    """What somebody typed, in canonical form; an empty text when it cannot be a code (length, characters, check)."""
    compact = parse_secret(text)
    return compact if compact and luhn.is_valid(compact, ALPHABET) else ""


def token_of_code(code: str) -> bytes:
    """The token of the draft that lies under a code: it names the row and decrypts it, and only the code gives it."""
    return derive(code.encode(), purpose="vigil saved draft 1")


def grouped(text: str) -> str:
    """16 characters grouped by four, for reading aloud."""
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


#: The spelling alphabet of radio and aviation, the same in English and French (ICAO).
_SPOKEN = {
    word[0]: word
    for word in (
        *("Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "Juliett", "Kilo", "Mike"),
        *("November", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Victor", "Whiskey", "Xray", "Yankee", "Zulu"),
    )
}


def read_out(text: str) -> list[str]:
    """Characters for the telephone: digits as they are, letters with their word ("K Kilo")."""
    compact = re.sub(r"[^0-9A-Z]", "", text)
    return [f"{char} {_SPOKEN[char]}" if char in _SPOKEN else char for char in compact]
