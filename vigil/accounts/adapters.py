"""Where the sign-in library asks us: messages, mail, what is sealed, what counts as confirming who one is."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from typing_extensions import override

from vigil.accounts import seeds, signin_settings
from vigil.accounts.middleware import become
from vigil.accounts.models import Person, SecurityNotice
from vigil.core import clock
from vigil.core.hotline import hotline

# Message templates of the library -> our sentence; what is not here is not shown.
_MESSAGES = {
    "mfa/messages/webauthn_added.txt": lambda: _("Your passkey was added."),
    "mfa/messages/webauthn_removed.txt": lambda: _("Your passkey was removed."),
    "mfa/messages/totp_activated.txt": lambda: _("Your authenticator app was added."),
    "mfa/messages/totp_deactivated.txt": lambda: _("Your authenticator app was removed."),
    "mfa/messages/recovery_codes_generated.txt": lambda: _("New recovery codes were made. They are shown once."),
    "account/messages/password_changed.txt": lambda: _("Your password was changed."),
    "account/messages/password_set.txt": lambda: _("Your password was set."),
}

# Mail templates of the library -> the kind of our notice.
_NOTICES = {
    "mfa/email/webauthn_added": "passkey_added",
    "mfa/email/webauthn_removed": "passkey_removed",
    "mfa/email/totp_activated": "app_added",
    "mfa/email/totp_deactivated": "app_removed",
    "mfa/email/recovery_codes_generated": "codes_made",
    "account/email/password_changed": "password_changed",
    "account/email/password_set": "password_changed",
}


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up; changes are told by mail through an outbox; a password alone never confirms who one is."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("The e-mail address, the password or both are not right.")
    }

    @override
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    @override
    def login(self, request: HttpRequest, user: Any) -> None:
        # Before Django writes last_login: row policies ask who acts.
        become(request, user, fresh=True)
        super().login(request, user)

    @override
    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        if not user.is_authenticated:
            return []
        types = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        methods = []
        if Authenticator.Type.WEBAUTHN in types:
            methods.append(_method("mfa_reauthenticate:webauthn", _("Use your passkey"), "mfa_reauthenticate_webauthn"))
        if types & {Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES} and not is_passkey_only(user):
            methods.append(_method("mfa_reauthenticate", _("Use a code"), "mfa_reauthenticate"))
        return methods

    @override
    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        text = message or (_MESSAGES[message_template]() if message_template in _MESSAGES else "")
        if text:
            messages.add_message(request, level, text, extra_tags=extra_tags)

    @override
    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        kind = _NOTICES.get(template_prefix)
        if kind:
            now = clock.now()
            SecurityNotice.objects.bulk_create([SecurityNotice(person_id=user.pk, kind=kind, at=now, due_at=now)])

    @override
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        # Every mail of this room goes through the outbox; the library's own (resets, confirmations) are switched off.
        raise NotImplementedError(template_prefix)


class MfaAdapter(DefaultMFAAdapter):
    """Seeds of codes are sealed in the database; the authenticator shows the operator's name."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("The code is not right, or was used already.")
    }

    @override
    def encrypt(self, text: str) -> str:
        return seeds.seal(text)

    @override
    def decrypt(self, encrypted_text: str) -> str:
        return seeds.open_sealed(encrypted_text)

    @override
    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity = super().get_public_key_credential_rp_entity()
        return {**entity, "name": hotline().operator.name("en")}

    @override
    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)d") % {"number": count + 1}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last way to sign in cannot be taken away from the inside."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=("webauthn", "totp")).exclude(
            pk=authenticator.pk
        )
        return others.exists()


def is_passkey_only(person: Person) -> bool:
    """Whether this person's roles refuse codes altogether."""
    return not signin_settings.PASSKEY_ONLY_ROLES.isdisjoint(person.roles)


def _method(id: str, description: str, url_name: str) -> dict[str, str]:
    return {"id": id, "description": description, "url": reverse(url_name)}
