"""All settings. This file alone reads the environment; a missing or odd value stops the start and names the variable.

One Django project, several processes: `VIGIL_PROCESS` says which one this is, and with it the database role, the URL map,
the cookies and the middleware. The default of every switch is the closed choice.
"""

from __future__ import annotations

import hashlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf.locale import LANG_INFO

from vigil.accounts import signin_settings
from vigil.core.hotline import DEFAULT_DIR, STAFF_LANGUAGES, BadHotline, load
from vigil.environment import BadSetting, Environment

env = Environment(os.environ)

PROJECT_DIR = Path(__file__).resolve().parent.parent

# ---- which process this is -----------------------------------------------------------------------------------------
WEB_ORIGINS = ("public", "console", "partner", "wire")
ROLE_OF_PROCESS = {
    "public": "vigil_public",
    "console": "vigil_console",
    "partner": "vigil_partner",
    "wire": "vigil_wire",
    "mailroom": "vigil_wire",
    "worker": "vigil_worker",
    "crawl": "vigil_crawl",
    "index": "vigil_index",
    "stats": "vigil_stats",
    "auditor": "vigil_auditor",
    "keyd": "vigil_keyd",
    "trace": "vigil_console",
    "migrate": "vigil_migrate",
    "test": "vigil_migrate",
    "cli": "vigil_migrate",
}
PROCESS = env.choice("VIGIL_PROCESS", "cli", frozenset(ROLE_OF_PROCESS))
DATABASE_ROLE = ROLE_OF_PROCESS[PROCESS]
TESTING = PROCESS == "test"
IS_WEB = PROCESS in WEB_ORIGINS
IS_STAFF_ORIGIN = PROCESS in {"console", "partner"}


# ---- where things are kept -----------------------------------------------------------------------------------------
def _default_var() -> Path:
    """`var/` beside the code; for root a folder that the unprivileged database user can reach (a clone in /root cannot)."""
    if os.geteuid() == 0:
        return Path("/var/lib/vigil") / hashlib.sha256(str(PROJECT_DIR).encode()).hexdigest()[:12]
    return PROJECT_DIR / "var"


VAR = env.path("VIGIL_VAR", _default_var())
# Sockets: a socket's path may have 107 bytes at most, so they do not live under VAR.
RUN_DIR = env.path(
    "VIGIL_RUN_DIR", Path("/tmp") / f"vigil-{os.geteuid()}-{hashlib.sha256(str(VAR).encode()).hexdigest()[:12]}"
)
SECRETS_DIR = env.path("VIGIL_SECRETS_DIR", VAR / "secrets")
KEYD_DIR = env.path("VIGIL_KEYD_DIR", VAR / "keyd")
KEYD_SOCKET = RUN_DIR / "keyd.sock"
SEALING_KEY_FILE = env.path("VIGIL_SEALING_KEY_FILE", VAR / "keyd-public" / "sealing.json")
AUDIT_HEADS_DIR = env.path("VIGIL_AUDIT_HEADS_DIR", VAR / "audit-heads")
AUDIT_HEAD_SECONDS = env.decimal("VIGIL_AUDIT_HEAD_SECONDS", 60.0, minimum=0.2)
LOG_DIR = VAR / "log"


def secret(name: str) -> str:
    """The content of one secret file, or an empty text before `vigil db` has made it."""
    path = SECRETS_DIR / name
    return path.read_text().strip() if path.exists() else ""


# ---- the operator's own facts: languages, country, help lines, who answers -------------------------------------------
HOTLINE_DIR = env.path("VIGIL_HOTLINE_DIR", DEFAULT_DIR)
try:
    _hotline = load(HOTLINE_DIR)
except BadHotline as _error:
    raise BadSetting("VIGIL_HOTLINE_DIR", f"`vigil hotline check` finds:\n{_error}") from None

# ---- the demonstration ----------------------------------------------------------------------------------------------
VIGIL_DEMO = env.flag("VIGIL_DEMO")
CLOCK_MAY_DRIFT = VIGIL_DEMO or TESTING

# ---- the report form -----------------------------------------------------------------------------------------------
# How long a report that somebody saved for later can be taken up again with its code.
SAVED_DRAFT_DAYS = env.integer("VIGIL_SAVED_DRAFT_DAYS", 7, minimum=1)

# ---- floods of forms (vigil/web/flood.py) --------------------------------------------------------------------------------
# The field in which the proxy in front names the client's address; it must overwrite what a client sends in it. Empty: none.
CLIENT_ADDRESS_HEADER = env.text("VIGIL_CLIENT_ADDRESS_HEADER")
# In ten minutes; then the browser does a little work. And of all networks together, in ten seconds.
FORMS_PER_NETWORK = env.integer("VIGIL_FORMS_PER_NETWORK", 120, minimum=1)
FORMS_BEFORE_FLOOD = env.integer("VIGIL_FORMS_BEFORE_FLOOD", 3000, minimum=1)

# ---- the four origins ----------------------------------------------------------------------------------------------
PORT_BASE = env.integer("VIGIL_PORT_BASE", 8000, minimum=1024)
BASE_DOMAIN = env.text("VIGIL_BASE_DOMAIN", "localhost")
SCHEME = env.choice("VIGIL_SCHEME", "http" if BASE_DOMAIN == "localhost" else "https", frozenset({"http", "https"}))
HOST_OF_ORIGIN = {
    "public": f"report.{BASE_DOMAIN}",
    "console": f"console.{BASE_DOMAIN}",
    "partner": f"partner.{BASE_DOMAIN}",
    "wire": f"api.{BASE_DOMAIN}",
}
PORT_OF_ORIGIN = {origin: PORT_BASE + offset for offset, origin in enumerate(WEB_ORIGINS)}


def origin_url(origin: str) -> str:
    """Address of one origin, without a slash at the end: `http://report.localhost:8000`."""
    port = f":{PORT_OF_ORIGIN[origin]}" if BASE_DOMAIN == "localhost" else ""
    return f"{SCHEME}://{HOST_OF_ORIGIN[origin]}{port}"


ALLOWED_HOSTS = [HOST_OF_ORIGIN[PROCESS]] if IS_WEB else [*HOST_OF_ORIGIN.values(), "testserver"]
if PROCESS == "wire" or TESTING:
    # Resolvers of protocol clients do not know *.localhost.
    ALLOWED_HOSTS += ["127.0.0.1", "localhost"]
# A proxy that ends TLS speaks plain HTTP to us: the browser's Origin then says https where Django expects http, and no form
# could be sent. Each origin trusts its own https name, and no header of the proxy is believed.
CSRF_TRUSTED_ORIGINS = [origin_url(PROCESS)] if IS_WEB and SCHEME == "https" else []
ROOT_URLCONF = f"vigil.urls.{PROCESS}" if IS_WEB else "vigil.urls.all"

# ---- database ------------------------------------------------------------------------------------------------------
# host and database only, for example postgresql://db.internal:5432/vigil ; empty = the embedded server.
DATABASE_URL = env.text("DATABASE_URL")
PGBIN = env.text("VIGIL_PGBIN")
POSTGRES_DIR = VAR / "postgres"
POSTGRES_SOCKET_DIR = RUN_DIR / "pg"
DATABASE_NAME = "vigil"
STATEMENT_TIMEOUT_MS = {"public": 2000, "wire": 2000, "console": 5000, "partner": 5000, "trace": 5000}.get(
    PROCESS, 60000
)


def _database() -> dict[str, Any]:
    session = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=30000"
    if DATABASE_ROLE == "vigil_migrate":
        session = "-c role=vigil_owner"
    else:
        session += " -c lock_timeout=2000" if IS_WEB else " -c lock_timeout=10000"
    options: dict[str, Any] = {"application_name": f"vigil-{PROCESS}", "options": session, "connect_timeout": 5}
    if DATABASE_ROLE != "vigil_migrate":
        # Values travel apart from the text: otherwise they stand in pg_stat_activity and in logs.
        options["server_side_binding"] = True
    host, port, name = str(POSTGRES_SOCKET_DIR), "5432", DATABASE_NAME
    if DATABASE_URL:
        from urllib.parse import urlsplit

        parts = urlsplit(DATABASE_URL)
        if parts.username or parts.password:
            raise BadSetting("DATABASE_URL", "names host and database only; passwords are read from files")
        host, port, name = (
            parts.hostname or "localhost",
            str(parts.port or 5432),
            parts.path.lstrip("/") or DATABASE_NAME,
        )
        options["sslmode"] = env.text("VIGIL_DATABASE_SSLMODE", "verify-full")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host,
        "PORT": port,
        "NAME": name,
        "USER": DATABASE_ROLE,
        "PASSWORD": secret(f"{DATABASE_ROLE}.password"),
        "OPTIONS": options,
        "CONN_MAX_AGE": 60 if IS_WEB else None,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": f"test_{DATABASE_NAME}"},
    }


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---- applications --------------------------------------------------------------------------------------------------
ROOMS = [
    "core",
    "audit",
    "accounts",
    "lists",
    "matching",
    "intake",
    "crawl",
    "imagehelp",
    "casework",
    "removal",
    "referral",
    "oversight",
    "awareness",
    "web",
]
INSTALLED_APPS = [
    # Rooms first: their templates and words win over a library's.
    *[f"vigil.{room}" for room in ROOMS],
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    # Nobody signs in on these origins, and the lock-out (which notes addresses) is never there.
    *([] if PROCESS in {"public", "wire"} else ["allauth", "allauth.account", "allauth.mfa", "axes"]),
    "procrastinate.contrib.django",
]
if VIGIL_DEMO or TESTING:
    if find_spec("vigil_demo") is None:
        raise BadSetting("VIGIL_DEMO", "this installation has no demo package (wheels never contain it)")
    INSTALLED_APPS.append("vigil_demo")
PROCRASTINATE_IMPORT_PATHS = ["vigil.core.jobs"]
PROCRASTINATE_ON_APP_READY = None

_COMMON = [
    "vigil.web.middleware.SecurityHeadersMiddleware",
    "vigil.web.middleware.ErrorPagesMiddleware",
]
_BY_ORIGIN = {
    "public": [
        "vigil.web.middleware.LanguageInPathMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "vigil.web.flood.FloodMiddleware",
    ],
    "wire": [],
    "staff": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "vigil.web.middleware.LanguageOfPersonMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "vigil.accounts.middleware.ActorTransactionMiddleware",
        "vigil.accounts.middleware.SignInRequiredMiddleware",
        "axes.middleware.AxesMiddleware",
    ],
}
MIDDLEWARE = [*_COMMON, "whitenoise.middleware.WhiteNoiseMiddleware"]
MIDDLEWARE += _BY_ORIGIN["public" if PROCESS == "public" else "wire" if PROCESS == "wire" else "staff"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csrf",
                *(["django.contrib.auth.context_processors.auth"] if PROCESS != "public" else []),
                "django.contrib.messages.context_processors.messages",
                "vigil.web.context.installation",
                *(["vigil.awareness.context.pages_of_prose"] if PROCESS in {"public", "test"} else []),
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "vigil.web.templatetags.vigil"],
        },
    }
]
if PROCESS in {"public", "wire"}:
    TEMPLATES[0]["OPTIONS"]["context_processors"].remove("django.contrib.messages.context_processors.messages")  # type: ignore[index]
WSGI_APPLICATION = "vigil.web.wsgi.application"

# ---- languages: the hotline's for the public, English and French for staff and documents --------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [(language.code, language.name) for language in _hotline.languages]
LANGUAGES += [(code, LANG_INFO[code]["name_local"]) for code in STAFF_LANGUAGES if code not in dict(LANGUAGES)]
for _language in _hotline.languages:
    # Django asks here for the name and direction of every language, and does not know all of them.
    _known = {"bidi": _language.direction == "rtl", "code": _language.code, "name": _language.name}
    LANG_INFO.setdefault(_language.code, {**_known, "name_local": _language.name})
LOCALE_PATHS = [folder / "locale" for folder in _hotline.folders if (folder / "locale").is_dir()]
USE_I18N = True
USE_TZ = True
TIME_ZONE = _hotline.time_zone

# ---- static files: collected by `make setup`, hashed names, served by whitenoise --------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = TESTING

# ---- security (reference: security.md, section e) --------------------------------------------------------------------
DEBUG = False
ADMINS: list[tuple[str, str]] = []
SECRET_KEY = (
    secret("django-secret-key")
    or "only-until-vigil-db-has-made-the-secrets-" + hashlib.sha256(os.urandom(32)).hexdigest()
)
USE_X_FORWARDED_HOST = False
SECURE_HSTS_SECONDS = 63_072_000 if SCHEME == "https" else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SCHEME == "https"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-s", "__Host-c"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict" if PROCESS == "public" else "Lax"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = "/"
CSRF_COOKIE_AGE = None
CSRF_FAILURE_VIEW = "vigil.web.views.csrf_failure"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 900
SESSION_SAVE_EVERY_REQUEST = IS_STAFF_ORIGIN
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
# Nobody uploads anything, except staff a list of links; it is read in memory and never touches a disk.
DATA_UPLOAD_MAX_NUMBER_FILES = 1 if PROCESS == "console" or TESTING else 0
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 524_288
AUTH_USER_MODEL = "accounts.Person"
for _name in dir(signin_settings):
    if _name.isupper():
        globals()[_name] = getattr(signin_settings, _name)

# ---- mail ------------------------------------------------------------------------------------------------------------
SMTP_HOST = env.text("VIGIL_SMTP_HOST", "127.0.0.1")
SMTP_PORT = env.integer("VIGIL_SMTP_PORT", 25, minimum=1)
# The partners' mailbox. Without a certificate it stands on loopback, behind something that ends TLS.
MAILROOM_HOST = env.text("VIGIL_MAILROOM_HOST", "127.0.0.1")
MAILROOM_PORT = env.integer("VIGIL_MAILROOM_PORT", PORT_BASE + 25, minimum=1)
MAILROOM_CERTIFICATE = env.text("VIGIL_MAILROOM_CERTIFICATE")
MAILROOM_CERTIFICATE_KEY = env.text("VIGIL_MAILROOM_CERTIFICATE_KEY")
if not MAILROOM_CERTIFICATE and MAILROOM_HOST not in {"127.0.0.1", "::1", "localhost"}:
    raise BadSetting("VIGIL_MAILROOM_HOST", "needs VIGIL_MAILROOM_CERTIFICATE: keys are never sent in clear")
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = SMTP_HOST, SMTP_PORT, 20
DEFAULT_FROM_EMAIL = _hotline.operator.email

# ---- crawl, removal --------------------------------------------------------------------------------------------------
CRAWL_ALLOW_PRIVATE = env.flag("VIGIL_CRAWL_ALLOW_PRIVATE")
CRAWL_MIN_DELAY_SECONDS = env.decimal("VIGIL_CRAWL_MIN_DELAY_SECONDS", 5.0, minimum=0.0)
CRAWL_MAX_DEPTH = env.integer("VIGIL_CRAWL_MAX_DEPTH", 3)
CRAWL_REVISIT_SECONDS = env.integer("VIGIL_CRAWL_REVISIT_SECONDS", 86_400, minimum=1)
CRAWL_LEASE_SECONDS = env.integer("VIGIL_CRAWL_LEASE_SECONDS", 60, minimum=1)
CRAWL_SOCKET = RUN_DIR / "crawl.sock"
_crawler_page = {"en": "en/crawler", "fr": "fr/robot"}.get(
    _hotline.default_language, f"{_hotline.default_language}/{_hotline.languages[0].slug('crawler')}"
)
CRAWL_CONTACT_URL = env.text("VIGIL_CRAWL_CONTACT_URL", f"{SCHEME}://{HOST_OF_ORIGIN['public']}/{_crawler_page}")
RDAP_BASE_URL = env.text("VIGIL_RDAP_BASE_URL")
REMOVAL_VISITS_APART_SECONDS = env.integer("VIGIL_REMOVAL_VISITS_APART_SECONDS", 21_600, minimum=1)
REMOVAL_REMINDER_SECONDS = env.integer("VIGIL_REMOVAL_REMINDER_SECONDS", 86_400, minimum=60)
TICK_SECONDS = env.decimal("VIGIL_TICK_SECONDS", 2.0, minimum=0.1)
STALLED_JOB_SECONDS = env.integer("VIGIL_STALLED_JOB_SECONDS", 30, minimum=1)
INDEX_DIR = VAR / "index"

# ---- logging: an allow-list of keys (vigil/core/logs.py) ---------------------------------------------------------------
LOGGING_CONFIG = "vigil.core.logs.configure"
LOGGING: dict[str, Any] = {"version": 1}  # Django calls the function above only when this is not empty
