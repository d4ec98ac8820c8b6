"""What a person takes away from a public form: a number and a secret, derived from the draft's token, so that asking twice
gives the same.

A secret is 16 characters of Crockford base 32 (80 bits). It is stored nowhere: it unwraps a key, or it does not.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from vigil.core.crypto import Undecryptable, decrypt, derive, encrypt
from vigil.core.ids import ALPHABET, format_number, number_from_bits

TOKEN_BYTES = 32
SECRET_CHARACTERS = 16
_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True)
class Receipt:
    """A number and its secret. Never logged, never stored."""

    number: str
    secret: str

    def __repr__(self) -> str:
        return "Receipt(...)"

    @property
    def shown_number(self) -> str:
        """Grouped for reading aloud."""
        return format_number(self.number)

    @property
    def shown_secret(self) -> str:
        """Grouped by four."""
        return "-".join(self.secret[start : start + 4] for start in range(0, SECRET_CHARACTERS, 4))


def new_token() -> bytes:
    """A token for a new draft."""
    return secrets.token_bytes(TOKEN_BYTES)


def token_text(token: bytes) -> str:
    """A token as the value of a cookie."""
    return urlsafe_b64encode(token).decode().rstrip("=")


def token_from(text: str) -> bytes | None:
    """The token in a cookie's value, or None when it is not one of ours."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text or ""):
        return None
    return urlsafe_b64decode(text + "=")


def token_hash(token: bytes) -> str:
    """What the database knows of a token."""
    return hashlib.sha256(token).hexdigest()


def receipt_of(token: bytes, *, purpose: str, attempt: int = 0) -> Receipt:
    """Number and secret of one token for one purpose. `attempt` counts numbers that were taken already."""
    number = number_from_bits(int.from_bytes(derive(token, purpose=f"{purpose} number 1:{attempt}", length=8), "big"))
    bits = int.from_bytes(derive(token, purpose=f"{purpose} secret 1", length=10), "big")
    secret = "".join(ALPHABET[(bits >> shift) & 31] for shift in range(75, -5, -5))
    return Receipt(number, secret)


def parse_secret(text: str) -> str:
    """What somebody typed, in canonical form: 16 characters, or an empty text when it cannot be a secret."""
    compact = re.sub(r"[\s\-\u2010-\u2015.]", "", text or "").upper().translate(_LOOK_ALIKES)
    return compact if len(compact) == SECRET_CHARACTERS and not set(compact) - set(ALPHABET) else ""


def wrap(key: bytes, *, secret: str, salt: bytes, context: str) -> bytes:
    """Encrypt a key under a person's secret, bound to `context` (`thread:...`), whose first word is the purpose."""
    return encrypt(_wrapping_key(secret, salt, context), key, context=context)


def unwrap(blob: bytes, *, secret: str, salt: bytes, context: str) -> bytes | None:
    """The key, or None when the secret is wrong."""
    try:
        return decrypt(_wrapping_key(secret, salt, context), blob, context=context)
    except Undecryptable:
        return None


def _wrapping_key(secret: str, salt: bytes, context: str) -> bytes:
    return derive(secret.encode(), purpose=f"vigil {context.partition(':')[0]} 1", salt=salt)


_DUMMY_BLOB = encrypt(bytes(32), bytes(32), context="nothing:")


def unwrap_nothing(secret: str) -> None:
    """Do the work of an unwrap on a miss, so that a miss takes the time of a wrong secret."""
    unwrap(_DUMMY_BLOB, secret=secret, salt=bytes(16), context="nothing:")
