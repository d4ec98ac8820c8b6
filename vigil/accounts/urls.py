"""Routes of sign-in, at both staff origins. The library's names, and only those of its views that we offer."""

from __future__ import annotations

from django.urls import include, path

from vigil.accounts import views

own = (
    [
        path("invitation/<str:token>", views.invitation, name="invitation"),
        path("sign-in/set-up", views.set_up, name="set_up"),
        path("sign-in/password", views.password, name="password"),
        path("sign-in/end-sessions", views.end_my_sessions, name="end_sessions"),
    ],
    "accounts",
)

urlpatterns = [
    path("", include(own)),
    path("sign-in/", views.SignIn.as_view(), name="account_login"),
    path("sign-in/passkey", views.SignInByPasskey.as_view(), name="mfa_login_webauthn"),
    path("sign-in/code", views.SecondFactor.as_view(), name="mfa_authenticate"),
    path("sign-out", views.SignOut.as_view(), name="account_logout"),
    path("sign-in/confirm", views.confirm, name="account_reauthenticate"),
    path("sign-in/confirm/passkey", views.ConfirmByPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("sign-in/confirm/code", views.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("sign-in/mine", views.MySignIn.as_view(), name="mfa_index"),
    path("sign-in/mine/", views.MySignIn.as_view(), name="mfa_list_webauthn"),
    path("sign-in/passkeys/add", views.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("sign-in/passkeys/<int:pk>/remove", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("sign-in/app/add", views.ActivateApp.as_view(), name="mfa_activate_totp"),
    path("sign-in/app/remove", views.DeactivateApp.as_view(), name="mfa_deactivate_totp"),
    path("sign-in/recovery-codes", views.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path("sign-in/recovery-codes/new", views.NewRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"),
]
