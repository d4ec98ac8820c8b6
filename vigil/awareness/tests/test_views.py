"""The pages at the public door: every one in both languages, with its date and its other language."""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.utils.translation import override

from vigil.awareness.pages import all_pages
from vigil.core import clock
from vigil.core.hotline import hotline
from vigil.web.http import page_url
from vigil.web.views import error_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def public(client, settings):
    settings.ROOT_URLCONF = "vigil.urls.public"
    settings.MIDDLEWARE = [
        "vigil.web.middleware.SecurityHeadersMiddleware",
        "vigil.web.middleware.ErrorPagesMiddleware",
        "vigil.web.middleware.LanguageInPathMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    host = django_settings.HOST_OF_ORIGIN["public"]
    return lambda path: client.get(path, headers={"host": host})


@pytest.mark.parametrize("code", sorted(all_pages()))
def test_a_page_is_there_in_both_languages(public, code):
    for language, other in (("en", "fr"), ("fr", "en")):
        text = all_pages()[code].texts[language]
        answer = public(page_url(f"awareness:{code}", language))
        page = answer.content.decode()
        assert answer.status_code == 200, page
        assert page.count("<h1") == 1 and f'<html lang="{language}"' in page
        assert f'href="{page_url(f"awareness:{code}", other)}"' in page
        assert f"<title>{text.title} - " in page
        assert '<time datetime="2026-' in page
        assert {"en": "Date modified:", "fr": "Date de modification\u00a0:"}[language] in page
        assert len(answer.content) < 30_000
        assert not answer.cookies


def test_the_index_leads_to_every_page(public):
    for language in ("en", "fr"):
        page = public(page_url("awareness:learn", language)).content.decode()
        wanted = {
            page_url(f"awareness:{code}", language) for code, one in all_pages().items() if one.audience != "site"
        }
        assert wanted <= set(re.findall(r'href="([^"]+)"', page)) | {page_url("awareness:learn", language)}


def test_a_page_that_does_not_exist_keeps_the_numbers_to_call(public):
    for path in ("/en/learn/nothing", "/fr/apprendre/rien"):
        answer = public(path)
        assert answer.status_code == 404 and 'href="tel:911"' in answer.content.decode()
        assert "1-800-668-6868" in answer.content.decode()


def test_security_txt_names_the_mailbox_of_the_hotline_and_a_date_within_a_year(public):
    answer = public("/.well-known/security.txt")
    assert answer.status_code == 200 and answer["Content-Type"] == "text/plain; charset=utf-8"
    fields = [line.split(": ", 1) for line in answer.content.decode().splitlines()]
    assert [name for name, _value in fields] == [
        "Contact",
        "Expires",
        "Policy",
        "Policy",
        "Preferred-Languages",
        "Canonical",
    ]
    values = dict(fields)
    assert values["Contact"] == f"mailto:{hotline().operator.email}"
    left = datetime.fromisoformat(values["Expires"]) - clock.now()
    assert timedelta(days=170) < left < timedelta(days=365)
    assert values["Canonical"] == f"{django_settings.SCHEME}://report.localhost/.well-known/security.txt"
    policies = [value for name, value in fields if name == "Policy"]
    assert [public(urlsplit(policy).path).status_code for policy in policies] == [200, 200]


def test_a_demonstration_has_no_security_txt_since_nobody_reads_its_mail(public, settings):
    settings.VIGIL_DEMO = True
    assert public("/.well-known/security.txt").status_code == 404


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500, 503])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_error_keeps_the_numbers_to_call(rf, status, language):
    with override(language):
        page = error_page(rf.get(f"/{language}/"), status).content.decode()
    assert 'href="tel:911"' in page
    assert {line.phone_target for line in hotline().help_lines_for(language, audience="child")} <= set(
        re.findall(r'href="tel:([^"]+)"', page)
    )
