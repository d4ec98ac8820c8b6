"""The live settings of each process of an installation in production, read in a process of its own."""

import json
import os
import re
import subprocess
import sys
from functools import cache

import pytest

from tests.conftest import clean_environment

WEB = ("public", "console", "partner", "wire")
STAFF = ("console", "partner")
WITH_FORMS = ("public", "console", "partner")
CHECKED = (*WEB, "worker")
EVERY = (*WEB, "worker", "crawl", "index", "stats", "keyd", "migrate")
DOMAIN = "hotline.example"
HOSTS = {"public": "report", "console": "console", "partner": "partner", "wire": "api"}
READER = """
import io, json, sys
import django
from django.conf import settings
names = [name for name in dir(settings) if name.isupper() and name != "SECRET_KEY"]
found = {"settings": {name: getattr(settings, name) for name in names}}
if sys.argv[1:]:
    django.setup()
    from django.core.management import call_command
    from django.test import Client
    said = io.StringIO()
    call_command("check", deploy=True, stdout=said, stderr=said)
    found["check"] = said.getvalue()
    ordinary = {"host": settings.ALLOWED_HOSTS[0], "sec-fetch-site": "same-origin", "accept": "application/json"}
    form = {"csrfmiddlewaretoken": "a" * 32, "language": "fr", "next": "/"}
    found["answers"] = {}
    for origin in sys.argv[2:]:
        client = Client(enforce_csrf_checks=True, headers=ordinary | {"origin": origin})
        client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
        found["answers"][origin] = client.post("/language/", form).status_code
print(json.dumps(found, default=str))
"""

# Warnings of `check --deploy` that stand, each with its reason.
EXPLAINED = {
    "security.W001": "our own middleware sets these headers on every answer, by origin; test_routes compares them",
    "security.W002": "our own middleware sets X-Frame-Options on every answer; test_routes compares it",
    "security.W003": "the protocol origin has no cookies and no forms: every request carries its own key",
    "security.W009": "the secret is 256 random bits in 43 characters, where the check counts characters",
    "axes.W006": "an address in the rule would store addresses, and let one name be tried from many",
    "urls.W005": "processes without a web server load all maps, in which the two staff origins repeat some",
}
ONLY_AT = {"security.W003": {"wire"}, "urls.W005": set(EVERY) - set(WEB)}


def production(process):
    """The environment of one process of an installation that is no demonstration and stands behind a proxy with TLS."""
    return clean_environment() | {
        "VIGIL_VAR": os.environ.get("VIGIL_VAR", ""),
        "VIGIL_PROCESS": process,
        "VIGIL_MANAGE_PROCESS": process,
        "VIGIL_BASE_DOMAIN": DOMAIN,
        "DJANGO_SETTINGS_MODULE": "vigil.settings",
    }


def output_of(process, *command):
    environment = {name: value for name, value in production(process).items() if value}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def origins(process):
    """A web process's own origin, and foreign ones that look like it."""
    own = f"https://{HOSTS[process]}.{DOMAIN}"
    others = [f"https://{host}.{DOMAIN}" for host in HOSTS.values() if host != HOSTS[process]]
    return own, [*others, "https://elsewhere.example", f"{own}.elsewhere.example", "null"]


@cache
def started(process):
    """What one process says of itself: its settings, Django's check, how it answers a form from each origin."""
    arguments = []
    if process in CHECKED:
        arguments = ["check"]
    if process in WITH_FORMS:
        own, foreign = origins(process)
        arguments += [own, *foreign]
    code, out, err = output_of(process, "-W", "ignore", "-c", READER, *arguments)
    assert code == 0, err[-1000:]
    return json.loads(out)


def live(process):
    """Every setting of one process, except the secret."""
    return started(process)["settings"]


@pytest.mark.parametrize("process", EVERY)
def test_no_process_debugs_mails_errors_or_trusts_a_forwarded_name(process):
    settings = live(process)
    assert settings["DEBUG"] is False and settings["ADMINS"] == [] and settings["VIGIL_DEMO"] is False
    assert settings["USE_X_FORWARDED_HOST"] is False and settings["USE_X_FORWARDED_PORT"] is False
    assert settings["SECURE_PROXY_SSL_HEADER"] is None
    assert settings["CLOCK_MAY_DRIFT"] is False and settings["CRAWL_ALLOW_PRIVATE"] is False
    assert "vigil_demo" not in settings["INSTALLED_APPS"]
    assert [app for app in settings["INSTALLED_APPS"] if "admin" in app or "debug" in app] == []
    assert settings["DATA_UPLOAD_MAX_MEMORY_SIZE"] == 262_144
    assert settings["DATA_UPLOAD_MAX_NUMBER_FIELDS"] == 200
    # Staff may hand in one list of links, which is read in memory. Nobody else hands in any file.
    assert settings["DATA_UPLOAD_MAX_NUMBER_FILES"] == (1 if process == "console" else 0)
    assert settings["FILE_UPLOAD_HANDLERS"] == ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
    assert settings["EMAIL_TIMEOUT"] == 20
    assert "context_processors.debug" not in json.dumps(settings["TEMPLATES"])


@pytest.mark.parametrize("process", WEB)
def test_each_origin_answers_to_its_own_name_with_its_own_map(process):
    settings = live(process)
    own = {f"{HOSTS[process]}.{DOMAIN}"}
    assert set(settings["ALLOWED_HOSTS"]) == (own | {"127.0.0.1", "localhost"} if process == "wire" else own)
    assert settings["ROOT_URLCONF"] == f"vigil.urls.{process}"
    assert settings["MIDDLEWARE"][0] == "vigil.web.middleware.SecurityHeadersMiddleware"
    assert set(settings["CSRF_TRUSTED_ORIGINS"]) <= {f"https://{HOSTS[process]}.{DOMAIN}"}


@pytest.mark.parametrize("process", WEB)
def test_cookies_stay_with_their_origin_and_end_with_the_browser(process):
    settings = live(process)
    assert settings["SESSION_COOKIE_NAME"] == "__Host-s" and settings["CSRF_COOKIE_NAME"] == "__Host-c"
    for kind in ("SESSION", "CSRF"):
        assert settings[f"{kind}_COOKIE_SECURE"] is True and settings[f"{kind}_COOKIE_HTTPONLY"] is True
        assert settings[f"{kind}_COOKIE_SAMESITE"] == ("Strict" if process == "public" else "Lax")
        assert settings[f"{kind}_COOKIE_PATH"] == "/" and settings[f"{kind}_COOKIE_DOMAIN"] is None
    assert settings["CSRF_COOKIE_AGE"] is None and settings["SESSION_EXPIRE_AT_BROWSER_CLOSE"] is True
    assert settings["SESSION_COOKIE_AGE"] == 900
    assert settings["MESSAGE_STORAGE"].endswith("session.SessionStorage")


@pytest.mark.parametrize("process", WEB)
def test_the_security_headers_are_on_for_https(process):
    settings = live(process)
    assert settings["SCHEME"] == "https" and settings["SECURE_HSTS_SECONDS"] == 63_072_000
    assert settings["SECURE_HSTS_INCLUDE_SUBDOMAINS"] is True and settings["SECURE_HSTS_PRELOAD"] is True
    assert settings["X_FRAME_OPTIONS"] == "DENY" and settings["SECURE_CONTENT_TYPE_NOSNIFF"] is True
    assert settings["SECURE_REFERRER_POLICY"] == settings["SECURE_CROSS_ORIGIN_OPENER_POLICY"] == "same-origin"
    assert not any("gzip" in name.lower() for name in settings["MIDDLEWARE"])


@pytest.mark.parametrize("process", ["public", "wire"])
def test_where_nobody_signs_in_nothing_of_signing_in_is_there(process):
    settings = live(process)
    assert [app for app in settings["INSTALLED_APPS"] if app.startswith(("allauth", "axes"))] == []
    words = ("session", "authentication", "axes", "allauth", "message")
    assert [name for name in settings["MIDDLEWARE"] if any(word in name.lower() for word in words)] == []
    assert settings["SESSION_SAVE_EVERY_REQUEST"] is False


@pytest.mark.parametrize("process", STAFF)
def test_staff_sign_in_with_hashed_sessions_one_slow_hasher_and_a_second_factor(process):
    settings = live(process)
    order = settings["MIDDLEWARE"]
    assert "vigil.accounts.middleware.SignInRequiredMiddleware" in order
    assert order.index("vigil.accounts.middleware.ActorTransactionMiddleware") < order.index(
        "vigil.accounts.middleware.SignInRequiredMiddleware"
    )
    assert settings["PASSWORD_HASHERS"] == ["vigil.accounts.passwords.Argon2idHasher"]
    assert settings["SESSION_ENGINE"] == "vigil.accounts.sessions" and settings["SESSION_SAVE_EVERY_REQUEST"] is True
    assert settings["SESSION_SERIALIZER"].endswith("JSONSerializer")
    assert settings["MFA_SUPPORTED_TYPES"] == ["webauthn", "totp", "recovery_codes"]
    assert settings["MFA_TRUST_ENABLED"] is False and settings["MFA_PASSKEY_SIGNUP_ENABLED"] is False
    assert settings["MFA_TOTP_TOLERANCE"] == 0 and settings["MFA_RECOVERY_CODES_SHOW_ONCE"] is True
    assert settings["ACCOUNT_REAUTHENTICATION_TIMEOUT"] == 300
    assert settings["ACCOUNT_PREVENT_ENUMERATION"] == "strict" and settings["ACCOUNT_EMAIL_NOTIFICATIONS"] is True
    assert settings["AXES_FAILURE_LIMIT"] == 5 and settings["AXES_COOLOFF_TIME"] == "0:15:00"
    validators = {row["NAME"].rsplit(".", 1)[1]: row.get("OPTIONS", {}) for row in settings["AUTH_PASSWORD_VALIDATORS"]}
    assert validators["MinimumLengthValidator"] == {"min_length": 15} and "CommonPasswordValidator" in validators


@pytest.mark.parametrize("process", EVERY)
def test_each_process_has_its_own_database_role_and_keeps_values_out_of_statements(process):
    settings = live(process)
    database = settings["DATABASES"]["default"]
    assert database["USER"] == f"vigil_{process}"
    assert database["OPTIONS"].get("server_side_binding", process == "migrate") is True
    if process in WEB:
        limit = 2000 if process in {"public", "wire"} else 5000
        wanted = {f"statement_timeout={limit}", "lock_timeout=2000", "idle_in_transaction_session_timeout=30000"}
        assert wanted <= set(database["OPTIONS"]["options"].replace("-c ", "").split())


def test_a_password_in_the_databases_address_stops_the_start():
    program = "import os; os.environ['DATABASE_URL'] = 'postgresql://u:pass-word@h/d'; import vigil.settings"
    code, out, err = output_of("console", "-c", program)
    assert code != 0 and "DATABASE_URL" in err and "pass-word@" not in out + err.replace(program, "")


@pytest.mark.parametrize("process", WITH_FORMS)
def test_a_form_posts_behind_a_proxy_that_ends_tls_and_no_foreign_one_does(process):
    """The proxy speaks plain HTTP to us while the browser's Origin says https: without its own name nothing could be sent."""
    own, foreign = origins(process)
    assert started(process)["answers"] == {own: 303} | dict.fromkeys(foreign, 403)


@pytest.mark.parametrize("process", CHECKED)
def test_djangos_own_check_finds_nothing_that_is_not_explained(process):
    found = set(re.findall(r"\(([a-z_]+\.[EWI]\d+)\)", started(process)["check"]))
    assert "security.W001" in found, "the check for deployment ran"
    assert {name for name in found if name not in EXPLAINED or process not in ONLY_AT.get(name, EVERY)} == set()


def test_secrets_are_in_files_and_not_in_the_environment():
    settings = live("public")
    program = "import os, vigil.settings as s; print(s.SECRET_KEY in os.environ.values(), len(s.SECRET_KEY))"
    code, out, _ = output_of("public", "-c", program)
    assert code == 0 and out.split()[0] == "False" and int(out.split()[1]) >= 43
    assert "SECRET" not in " ".join(name for name in os.environ if name.startswith("VIGIL_"))
    assert settings["SECRETS_DIR"].endswith("secrets")
