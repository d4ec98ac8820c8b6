"""Identifiers: UUIDv7 inside, ten characters of Crockford base 32 outside.

A public number has nine random characters (45 bits) and a check character (Luhn modulo 32), so that one wrong character,
and nearly every swap of neighbours, is noticed when a number is read out on the telephone. Source: D. Crockford, "Base 32".
"""

from __future__ import annotations

import re
import secrets
from uuid import UUID

import uuid_utils.compat as uuid_utils
from django.db import IntegrityError, transaction
from stdnum import luhn

from vigil.core.errors import Invalid, NotFound
from vigil.core.models import Number

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KINDS = ("report", "incident", "case", "entry", "sighting", "notice", "removal", "referral", "outcome", "image_help")
_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_id() -> UUID:
    """A new UUID, version 7: sorts by time of making."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def number_from_bits(bits: int) -> str:
    """The public number whose nine leading characters are the lowest 45 bits of `bits`."""
    payload = "".join(ALPHABET[(bits >> shift) & 31] for shift in range(40, -5, -5))
    return payload + luhn.calc_check_digit(payload, ALPHABET)


def random_number() -> str:
    """A fresh public number: ten characters, not grouped."""
    return number_from_bits(secrets.randbits(45))


def format_number(number: str) -> str:
    """`7K3M9Q2X4A` -> `7K3M-9Q2-X4A`: grouped for reading aloud."""
    return f"{number[:4]}-{number[4:7]}-{number[7:]}"


def parse_number(text: str) -> str:
    """What somebody typed -> the canonical ten characters. Raises Invalid `number.unreadable`."""
    compact = re.sub(r"[\s\-\u2010-\u2015.]", "", text or "").upper().translate(_LOOK_ALIKES)
    if len(compact) != 10 or set(compact) - set(ALPHABET) or not luhn.is_valid(compact, ALPHABET):
        raise Invalid(code="number.unreadable", fields={"number": "number.unreadable"})
    return compact


def issue_number(kind: str, subject_id: UUID, number: str | None = None) -> str:
    """Give a thing on the chain its public number, in this transaction. A given `number` (receipts) is taken as it is."""
    if kind not in KINDS:
        raise ValueError(f"no numbers are issued for {kind!r}")
    for _ in range(8):
        candidate = number or random_number()
        try:
            with transaction.atomic():
                # bulk_create: roles that may INSERT only cannot read the row back.
                Number.objects.bulk_create([Number(number=candidate, kind=kind, subject_id=subject_id)])
        except IntegrityError:
            if number is not None:
                raise
            continue
        return candidate
    raise RuntimeError("no free number in eight tries")


def resolve_number(number: str) -> tuple[str, UUID]:
    """What a public number stands for: (kind, id). Raises NotFound `number.unknown`, Invalid `number.unreadable`."""
    row = Number.objects.filter(number=parse_number(number)).values_list("kind", "subject_id").first()
    if row is None:
        raise NotFound(code="number.unknown")
    return row
