"""Forms of sign-in: the library's, with what it leaves out (origin of a passkey, codes that count once, lock-out of codes)."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from typing import Any

from allauth.account.forms import LoginForm as LibraryLoginForm
from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as passkeys
from axes.handlers.proxy import AxesProxyHandler
from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from typing_extensions import override

from vigil.accounts.adapters import is_passkey_only


# ---- passkeys ----------------------------------------------------------------------------------------------------------------
def origin_of_credential(credential: Any) -> str:
    """The origin that the browser signed, or an empty text."""
    try:
        data = str(credential["response"]["clientDataJSON"])
        return str(json.loads(urlsafe_b64decode(data + "=" * (-len(data) % 4)))["origin"])
    except (KeyError, TypeError, ValueError):
        return ""


class SameOrigin(forms.Form):
    """A passkey's answer must have been made on the origin that receives it, scheme and port included."""

    def clean_credential(self) -> Any:
        """The credential, when its origin is ours."""
        credential = self.cleaned_data["credential"]
        request: HttpRequest = context.request
        if origin_of_credential(credential) != f"{settings.SCHEME}://{request.get_host()}":
            raise get_adapter().validation_error("incorrect_code")
        parent = getattr(super(), "clean_credential", None)
        return parent() if parent else credential


class LoginPasskeyForm(SameOrigin, passkeys.LoginWebAuthnForm):
    """Sign in with a passkey alone."""


class AuthenticatePasskeyForm(SameOrigin, passkeys.AuthenticateWebAuthnForm):
    """A passkey as the second factor after the password."""


class ReauthenticatePasskeyForm(SameOrigin, passkeys.ReauthenticateWebAuthnForm):
    """Confirm who one is with a passkey."""


class AddPasskeyForm(SameOrigin, passkeys.AddWebAuthnForm):
    """A new passkey: always one that is stored in the authenticator and verifies the person."""

    passwordless = None  # type: ignore[assignment]  # not a choice here
    name = forms.CharField(
        label=_("Name of this passkey"),
        max_length=60,
        required=False,
        help_text=_("So that you can tell your keys apart, for example “office key”."),
    )

    @override
    def clean(self) -> Any:
        self.cleaned_data["passwordless"] = True
        return super().clean()


# ---- codes -------------------------------------------------------------------------------------------------------------------
class CountedOnce(forms.Form):
    """A code of an authenticator app counts once, in whichever process; wrong codes count towards the lock-out."""

    user: Any

    def clean_code(self) -> str:
        """The code, when it is right, unused and the name is not locked."""
        request: HttpRequest = context.request
        if is_passkey_only(self.user):
            raise get_adapter().validation_error("incorrect_code")
        if not AxesProxyHandler.is_allowed(request, {"email": self.user.email}):
            request.axes_locked_out = True  # type: ignore[attr-defined]
            raise get_adapter().validation_error("incorrect_code")
        code = super().clean_code()  # type: ignore[misc]
        authenticator: Authenticator = self.authenticator  # type: ignore[attr-defined]
        if authenticator.type == Authenticator.Type.TOTP and not _use_up(authenticator):
            raise get_adapter().validation_error("incorrect_code")
        return code


def _use_up(authenticator: Authenticator) -> bool:
    """Remember the time step of an accepted code; False when this step was used before (RFC 6238, section 5.2)."""
    step = int(time.time()) // app_settings.TOTP_PERIOD
    row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
    if row.data.get("last_step", 0) >= step:
        return False
    row.data["last_step"] = step
    row.save(update_fields=["data"])
    authenticator.data = row.data
    return True


class AuthenticateForm(CountedOnce, codes.AuthenticateForm):
    """The second factor after the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress_code(self.fields["code"])


class ReauthenticateForm(CountedOnce, codes.ReauthenticateForm):
    """Confirm who one is with a code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress_code(self.fields["code"])


class ActivateCodesForm(totp.ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress_code(self.fields["code"])
        self.fields["code"].label = _("The six digits that the app shows")
        self.fields["code"].help_text = ""

    @property
    def secret_in_groups(self) -> str:
        """The key as a person types it: groups of four."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))


def _dress_code(field: forms.Field) -> None:
    field.label = _("Code")
    field.error_messages["required"] = _("Enter the code.")
    field.help_text = _("Six digits from your authenticator app, or one of your recovery codes.")
    field.widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "short"})


# ---- passwords ---------------------------------------------------------------------------------------------------------------
class LoginForm(LibraryLoginForm):
    """E-mail address and password: the first of two factors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, password.label = _("E-mail address"), _("Password")
        login.widget = forms.EmailInput(attrs={"autocomplete": "username", "maxlength": "254"})
        password.widget = forms.PasswordInput(attrs={"autocomplete": "current-password", "maxlength": "128"})
        password.help_text = ""
        login.error_messages["required"] = _("Enter your e-mail address.")
        login.error_messages["invalid"] = _("Enter an e-mail address, for example name@example.org.")
        password.error_messages["required"] = _("Enter your password.")


class PasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """A new password, with what it must be."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = _("New password")
        self.fields["new_password1"].help_text = _("At least 15 characters. A few words in a row are easy to remember.")
        self.fields["new_password2"].label = _("The same password again")
        self.fields["new_password2"].help_text = ""
        self.fields["new_password1"].error_messages["required"] = _("Enter a new password.")
        self.fields["new_password2"].error_messages["required"] = _("Enter the same password again.")
