"""Constants of sign-in, which `vigil/settings.py` copies: allauth, axes, sessions, password hashing.

Reference: security.md, section e, and ASVS 5.0 chapters 6 and 7. Every way to sign in is listed in `SIGN_IN_WAYS`.
"""

from __future__ import annotations

from datetime import timedelta

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "vigil.accounts.backends.PersonBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

# ---- passwords: only ever the first of two factors ---------------------------------------------------------------------
PASSWORD_HASHERS = ["vigil.accounts.passwords.Argon2idHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 15}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "vigil.accounts.passwords.CommonInDisguiseValidator"},
    {"NAME": "vigil.accounts.passwords.NotOurOwnWordsValidator"},
]

# ---- allauth -------------------------------------------------------------------------------------------------------------
ACCOUNT_ADAPTER = "vigil.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up; the library reads here that there are passwords
# An administrator knows the address; the invitation that reaches it proves it.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = False
ACCOUNT_FORMS = {"login": "vigil.accounts.forms.LoginForm"}
ACCOUNT_CHANGE_EMAIL = False
# Counted by axes in the database instead: allauth counts by address of the caller, in one process's memory.
ACCOUNT_RATE_LIMITS = {"login": False, "login_failed": False, "reauthenticate": False}

MFA_ADAPTER = "vigil.accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_PASSKEY_SIGNUP_ENABLED = False
MFA_TRUST_ENABLED = False
MFA_TOTP_TOLERANCE = 0
MFA_TOTP_ISSUER = "Vigil"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_RECOVERY_CODE_COUNT = 10
MFA_RECOVERY_CODE_DIGITS = 10
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# The library knows secure contexts as "https or http://localhost" only, and its other setting is "any origin". Every form
# below therefore compares the origin itself, with the one origin of the process (`forms.SameOrigin`).
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "vigil.accounts.forms.AuthenticateForm",
    "reauthenticate": "vigil.accounts.forms.ReauthenticateForm",
    "activate_totp": "vigil.accounts.forms.ActivateCodesForm",
    "authenticate_webauthn": "vigil.accounts.forms.AuthenticatePasskeyForm",
    "reauthenticate_webauthn": "vigil.accounts.forms.ReauthenticatePasskeyForm",
    "login_webauthn": "vigil.accounts.forms.LoginPasskeyForm",
    "add_webauthn": "vigil.accounts.forms.AddPasskeyForm",
}
MFA_RATE_LIMITS = {"webauthn_login": False}

# ---- lock-out: by name, five failures in fifteen minutes; a passkey still opens -------------------------------------------
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_CALLABLE = "vigil.accounts.lockout.name_of"
AXES_LOCKOUT_CALLABLE = "vigil.accounts.lockout.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_SENSITIVE_PARAMETERS = ["password", "code", "credential"]
AXES_VERBOSE = False

# ---- sessions ---------------------------------------------------------------------------------------------------------------
SESSION_ENGINE = "vigil.accounts.sessions"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
SESSION_COOKIE_AGE = 15 * 60  # idle
SESSION_ABSOLUTE_SECONDS = 10 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_PARALLEL = 2  # two screens at one desk; the oldest session ends when a third begins
FRESH_SECONDS = ACCOUNT_REAUTHENTICATION_TIMEOUT

# ---- ours -------------------------------------------------------------------------------------------------------------------
INVITATION_SECONDS = 24 * 60 * 60
# Roles whose people may not use password and code at all (security.md, ASVS 6.3.3). A later issue fills it: the people
# concerned need a second passkey first.
PASSKEY_ONLY_ROLES: frozenset[str] = frozenset()
# URL names that can sign somebody in; a test compares this with the URL map.
SIGN_IN_WAYS = ("account_login", "mfa_authenticate", "mfa_login_webauthn", "accounts:invitation")
# Views that answer people who have not signed in. Each also carries Django's `login_not_required` mark; a test lists both maps.
OPEN_VIEWS: tuple[str, ...] = (
    *SIGN_IN_WAYS,
    "account_logout",  # also cancels a sign-in between its two steps
    "web:language",
    "web:csp_report",
    "removal_answer:answer",
    "removal_answer:page-en",
    "removal_answer:page-fr",
    "removal_answer:thanks-en",
    "removal_answer:thanks-fr",
    "vigil_demo:sign_in",
)
# What an invited person reaches before they have a passkey or a code.
SETUP_VIEWS: tuple[str, ...] = (
    "accounts:set_up",
    "accounts:password",
    "mfa_add_webauthn",
    "mfa_activate_totp",
    "account_logout",
    "web:language",
    "web:csp_report",
)
