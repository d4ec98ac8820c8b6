"""The HTTP door of sign-in: the library's views with our templates, invitations, set-up, one's own sign-in page."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal import auth as webauthn_auth
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from typing_extensions import override

from vigil.accounts import services
from vigil.accounts.adapters import AccountAdapter, is_passkey_only
from vigil.accounts.errors import InvitationUnusable
from vigil.accounts.forms import PasswordForm
from vigil.accounts.middleware import SETTING_UP
from vigil.accounts.policies import require_fresh
from vigil.accounts.selectors import actor_of, open_sessions_of
from vigil.core import clock
from vigil.web.http import require_get_or_post, require_post
from vigil.web.middleware import origin_of


def base_of(request: HttpRequest) -> str:
    """The base template of the origin that answers."""
    return "web/base_partner.html" if origin_of(request) == "partner" else "web/base_console.html"


def page(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """A page of this room in the origin's own frame."""
    return render(request, template, {"base": base_of(request), **(context or {})}, status=status)


def cleared(response: HttpResponseBase) -> HttpResponseBase:
    """After signing out, nothing of the session stays in the browser. Not "cookies": that would reach sibling origins."""
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response


class Framed:
    """A view of the library, in the origin's frame."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The library's context and the base template."""
        return {**super().get_context_data(**kwargs), "base": base_of(self.request)}  # type: ignore[misc]


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SignIn(Framed, account.LoginView):
    """Passkey first; password and code second."""

    template_name = "accounts/sign_in.html"

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "next": self.get_next_url() or ""}


class SignInByPasskey(webauthn.LoginWebAuthnView):
    """Options for the browser (GET, JSON) and its answer (POST)."""

    http_method_names = ["get", "post", "head", "options"]


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SecondFactor(Framed, mfa.AuthenticateView):
    """The code, or a passkey, after the password."""

    template_name = "accounts/second_factor.html"

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        options = context.get("js_data", {}).get("request_options", {})
        return {**context, "has_passkey": bool(options.get("publicKey", {}).get("allowCredentials"))}


class SignOut(Framed, account.LogoutView):
    """Sign out: asks on GET, acts on POST."""

    template_name = "accounts/sign_out.html"

    @override
    def post(self, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return cleared(super().post(*args, **kwargs))


@require_get_or_post
def confirm(request: HttpRequest) -> HttpResponse:
    """Where somebody confirms who they are: on to the first way they have, or a page that says there is none."""
    methods = AccountAdapter(request).get_reauthentication_methods(request.user)
    if not methods:
        return page(request, "accounts/no_way_to_confirm.html", status=403)
    query = request.GET.urlencode()
    return HttpResponseRedirect(methods[0]["url"] + (f"?{query}" if query else ""))


class ConfirmByPasskey(Framed, webauthn.ReauthenticateWebAuthnView):
    """Confirm who one is with a passkey."""

    template_name = "accounts/confirm_passkey.html"

    @override
    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "next": self.get_next_url() or "", "form": kwargs.get("form")}


@method_decorator(sensitive_post_parameters(), name="dispatch")
class ConfirmByCode(Framed, mfa.ReauthenticateView):
    """Confirm who one is with a code."""

    template_name = "accounts/confirm_code.html"

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "next": self.get_next_url() or ""}


class MySignIn(Framed, mfa.IndexView):
    """One's own passkeys, app, recovery codes and sessions."""

    template_name = "accounts/my_sign_in.html"

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person: Any = self.request.user
        return {
            **super().get_context_data(**kwargs),
            "sessions": open_sessions_of(person.pk, current_key=self.request.session.session_key),
            "passkey_only": is_passkey_only(person),
        }


class AddPasskey(Framed, webauthn.AddWebAuthnView):
    """Add a passkey that is stored in the authenticator and verifies the person."""

    template_name = "accounts/passkey_add.html"

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        # The library begins without "stored in the authenticator" and lets its script change it: ask for it from the start.
        context["js_data"] = {"creation_options": webauthn_auth.begin_registration(self.request.user, True)}  # type: ignore[arg-type]
        if "form" in kwargs:
            context["form"] = kwargs["form"]
        return context


class RemovePasskey(Framed, webauthn.RemoveWebAuthnView):
    """Remove a passkey, unless it is the last way to sign in."""

    template_name = "accounts/passkey_remove.html"

    @override
    def get_success_url(self) -> str:
        return reverse("mfa_index")

    @override
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "is_last": not _may_delete(self.object)}

    @override
    def form_valid(self, form: Any) -> HttpResponse:
        if not _may_delete(self.get_object()):
            return self.render_to_response(self.get_context_data(form=form), status=409)
        return super().form_valid(form)


class ActivateApp(Framed, totp.ActivateTOTPView):
    """Add an authenticator app: its key as text and as a picture made by us."""

    template_name = "accounts/app_add.html"

    @override
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_passkey_only(request.user):  # type: ignore[arg-type]
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class DeactivateApp(Framed, totp.DeactivateTOTPView):
    """Remove the authenticator app, unless it is the last way to sign in."""

    template_name = "accounts/app_remove.html"


class RecoveryCodes(Framed, recovery.ViewRecoveryCodesView):
    """Recovery codes, shown once."""

    template_name = "accounts/recovery_codes.html"


class NewRecoveryCodes(Framed, recovery.GenerateRecoveryCodesView):
    """New recovery codes instead of the old ones."""

    template_name = "accounts/recovery_codes_new.html"


def _may_delete(authenticator: Any) -> bool:
    from allauth.mfa.adapter import get_adapter

    return get_adapter().can_delete_authenticator(authenticator)


# ---- invitations and the first factor -----------------------------------------------------------------------------------------
@login_not_required
@require_get_or_post
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET shows whose invitation it is and a button; POST uses it up and begins the set-up. A scanner's GET changes nothing."""
    try:
        if request.method != "POST":
            found = services.invitation_of(token, at=clock.now())
            return page(request, "accounts/invitation.html", {"person": found.person})
        person = services.accept_invitation(token=token, at=clock.now())
    except InvitationUnusable:
        return page(request, "accounts/invitation_unusable.html", status=404)
    services.begin_session(request, person, method="invitation")
    return redirect("accounts:set_up", permanent=False)


def set_up(request: HttpRequest) -> HttpResponse:
    """The choice of the first factor: a passkey, or a password with an authenticator app."""
    if not request.session.get(SETTING_UP):
        return redirect("mfa_index")
    return page(request, "accounts/set_up.html", {"passkey_only": is_passkey_only(request.user)})  # type: ignore[arg-type]


@sensitive_post_parameters()
@require_get_or_post
def password(request: HttpRequest) -> HttpResponse:
    """Set or change the password: the first of two factors, useless alone."""
    person: Any = request.user
    if is_passkey_only(person):
        raise Http404
    require_fresh(actor_of(request))
    form = PasswordForm(person, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, person)
        adapter = AccountAdapter(request)
        adapter.add_message(request, 25, "account/messages/password_set.txt")
        adapter.send_notification_mail("account/email/password_set", person)
        services.record_password_change(actor=actor_of(request), at=clock.now())
        return redirect("mfa_activate_totp" if request.session.get(SETTING_UP) else "mfa_index")
    return page(request, "accounts/password.html", {"form": form})


@require_post
def end_my_sessions(request: HttpRequest) -> HttpResponseBase:
    """End every session of one's own, this one too."""
    services.end_sessions(actor=actor_of(request), person_id=actor_of(request).id, at=clock.now())
    logout(request)
    return cleared(redirect("account_login"))
