"""Who may be signed in, and where."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import verify_password
from django.http import HttpRequest
from typing_extensions import override

from vigil.accounts import signin_settings
from vigil.accounts.models import Person
from vigil.accounts.policies import belongs_to_partner


def may_enter(person: Any, origin: str) -> bool:
    """Whether an account belongs to this origin: staff to the console, police and providers to the partner origin."""
    if not getattr(person, "is_active", False):
        return False
    if origin in ("console", "partner"):
        return belongs_to_partner(person.roles) == (origin == "partner")
    return True


def _has_second_factor(person: Person) -> bool:
    """A password counts only beside another factor, and not at all for roles that use passkeys alone. The answer to somebody
    who has none is the one to a wrong password."""
    from allauth.mfa.models import Authenticator

    if not signin_settings.PASSKEY_ONLY_ROLES.isdisjoint(person.roles):
        return False
    return Authenticator.objects.filter(user=person, type__in=("webauthn", "totp")).exists()


class PersonBackend(ModelBackend):
    """Password by e-mail address (never enough alone), and the person behind a session. Django asks again at every request,
    so a disabled account, or one that became a partner's, is out at once. Not allauth's own backend: that one shows a page of
    its own for a right password on a closed account, which confirms the password."""

    @override
    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, email: str | None = None, password: str | None = None, **credentials: Any
    ) -> Person | None:
        if not email or not password:
            return None
        person = Person.objects.filter(email=email.strip().lower()).first()
        if person is None or not person.has_usable_password():
            # The same work on a miss, so that time does not tell who has an account.
            Person().set_password(password)
            return None
        is_correct, _must_update = verify_password(password, person.password)
        if is_correct and self.user_can_authenticate(person) and _has_second_factor(person):
            return person
        return None

    @override
    def user_can_authenticate(self, user: Any) -> bool:
        return may_enter(user, settings.PROCESS)
