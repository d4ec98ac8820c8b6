"""How passwords are kept and which are refused."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with t=3, m=64 MiB, p=4: the second choice of RFC 9106, about 0.4 s on the machines we know."""

    time_cost = 3
    memory_cost = 65_536
    parallelism = 4


class NotOurOwnWordsValidator:
    """Refuses a password built on the product's or the operator's name: the first words that a guesser tries."""

    _WORDS = ("vigil", "hotline", "cybertip", "arachnid")

    def validate(self, password: str, user: Any = None) -> None:
        operator = str(settings.OPERATOR.get("name_en", "")).lower().split()
        words = [*self._WORDS, *[word for word in operator if len(word) > 4]]
        if any(word in password.lower() for word in words):
            raise ValidationError(_("This password contains the name of this service."), code="password_own_words")

    def get_help_text(self) -> str:
        return _("Your password can’t contain the name of this service.")
