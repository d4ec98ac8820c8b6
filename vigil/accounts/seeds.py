"""Seeds of authenticator apps and recovery codes, sealed before they reach the database.

The key is derived from the secret file `mfa-key`, which the database's backups do not hold.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from django.conf import settings

from vigil.core import crypto
from vigil.core.errors import Unavailable

_CONTEXT = "mfa_authenticator.data"


class SeedKeyMissing(Unavailable):
    """The secret file for seeds is not there: codes cannot be checked."""

    code = "accounts.seed_key_missing"


def _key() -> bytes:
    path = settings.SECRETS_DIR / "mfa-key"
    if not path.exists():
        raise SeedKeyMissing()
    return crypto.derive(path.read_text().strip().encode(), purpose="vigil mfa seeds")


def seal(text: str) -> str:
    """Seal a seed."""
    return b64encode(crypto.encrypt(_key(), text.encode(), context=_CONTEXT)).decode()


def open_sealed(sealed: str) -> str:
    """Open a sealed seed. Raises Undecryptable, SeedKeyMissing."""
    return crypto.decrypt(_key(), b64decode(sealed), context=_CONTEXT).decode()
