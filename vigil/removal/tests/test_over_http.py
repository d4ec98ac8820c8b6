"""The provider of the demonstration follows the link over HTTP, with cookies and the form's token, as a person would."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest
from django.db.backends.signals import connection_created

from vigil.removal.models import Answer, AnswerToken
from vigil_demo import provider
from vigil_demo.browser import Browser, Stuck


@pytest.fixture
def as_partner():
    """Connections of other threads than the test's own (the server's) work as the partner process does."""

    def become(connection, **_):
        if threading.current_thread() is not threading.main_thread():
            with connection.cursor() as cursor:
                cursor.execute("SET ROLE vigil_partner")

    connection_created.connect(become)
    yield
    connection_created.disconnect(become)


@pytest.fixture
def link(transactional_db, settings, as_partner, live_server, sent, mail_server):
    """The mail's link, at the port where this test's server listens."""
    settings.ROOT_URLCONF, settings.PROCESS = "vigil.removal.tests.urls_partner", "partner"
    port = urlsplit(live_server.url).port

    def of(language="en"):
        path = urlsplit(provider.read_notice(mail_server.mails[0], language).link).path
        return f"http://partner.localhost:{port}{path}"

    return of


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_provider_answers_in_two_screens_without_an_account(link, sent, language):
    page = provider.answer(link(language), "removed", kept_evidence="yes")

    assert page.status == 200
    assert ("Your answer is kept" if language == "en" else "Votre réponse est conservée") in page.words()
    (kept,) = Answer.objects.all()
    assert (kept.notice_id, kept.kind, kept.kept_evidence) == (sent.id, "removed", "yes")


def test_a_link_used_twice_has_a_clear_outcome(link):
    provider.answer(link(), "removed")
    with pytest.raises(Stuck, match="answered 404: This link cannot be used"):
        provider.answer(link(), "removed")
    assert Answer.objects.count() == 1


def test_a_post_without_the_forms_token_is_refused_and_changes_nothing(link):
    parts = urlsplit(link())
    browser = Browser(f"{parts.scheme}://{parts.netloc}")
    browser.post(parts.path, {"step": ["confirm"]})
    assert browser.status == 403
    assert AnswerToken.objects.get().confirmed_at is None


def test_a_page_says_no_store_and_names_nothing_in_its_title(link):
    parts = urlsplit(link())
    browser = Browser(f"{parts.scheme}://{parts.netloc}").get(parts.path).expect(200)
    assert browser.headers["cache-control"] == "no-store"
    title = browser.tree.css_first("title")
    assert title is not None and title.text().startswith("Answer to a notice")
