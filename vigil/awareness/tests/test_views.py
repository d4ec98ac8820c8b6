"""The pages at the public door: every one in both languages, with its date and its other language."""

import re

import pytest
from django.conf import settings as django_settings

from vigil.awareness.pages import all_pages
from vigil.web.http import page_url

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
