"""How passwords are kept and which are refused."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from typing_extensions import override

from vigil.core.hotline import hotline


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id with t=3, m=64 MiB, p=4: the second choice of RFC 9106, about 0.4 s on the machines we know."""

    time_cost = 3
    memory_cost = 65_536
    parallelism = 4


class CommonInDisguiseValidator(CommonPasswordValidator):
    """Refuses a common password made long: with digits and marks around it, repeated, or digits alone."""

    @override
    def validate(self, password: str, user: Any = None) -> None:
        letters = re.sub(r"[\W\d_]+", "", password.lower())
        if letters in self.passwords or len(set(password.lower())) < 6 or not letters:
            raise ValidationError(_("This password is too easy to guess."), code="password_too_common")

    @override
    def get_help_text(self) -> str:
        return _("Your password can’t be a common one with something added.")


class NotOurOwnWordsValidator:
    """Refuses a password built on the product's or the operator's name: the first words that a guesser tries."""

    _WORDS = ("vigil", "hotline", "cybertip", "arachnid")

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError when one of our own words is in the password."""
        operator = " ".join(hotline().operator.names.values()).lower().split()
        words = [*self._WORDS, *[word for word in operator if len(word) > 4]]
        if any(word in password.lower() for word in words):
            raise ValidationError(_("This password contains the name of this service."), code="password_own_words")

    def get_help_text(self) -> str:
        """What the form says about it."""
        return _("Your password can’t contain the name of this service.")
