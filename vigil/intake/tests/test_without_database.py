"""PostgreSQL away: an honest page, the text still on it, nothing claimed to be kept."""

from __future__ import annotations

import pytest
from django.db import connection

from vigil.intake.models import Report
from vigil.intake.tests.conftest import ANSWERS, Browser, fill_in


@pytest.fixture
def no_database(transactional_db):
    """The database's socket is somewhere else: connecting fails as it does when the server is down."""

    class Away:
        def __enter__(self):
            connection.close()
            self.host = connection.settings_dict["HOST"]
            connection.settings_dict["HOST"] = "/nonexistent"

        def __exit__(self, *_):
            connection.close()
            connection.settings_dict["HOST"] = self.host

    return Away()


def test_a_page_that_cannot_be_kept_comes_back_with_its_text(public_settings, no_database):
    browser = Browser()
    browser.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        browser.post(f"/en/report/{step}", **ANSWERS[step])
    with no_database:
        browser.post("/en/report/details", **{**ANSWERS["details"], "narrative": "Kept on the page."})
        assert browser.page.status_code == 503
        assert "We could not keep this page just now." in browser.text
        assert "Kept on the page." in browser.text
        assert "https://pictures.example/page/7" in browser.text
        assert "Nothing was sent." in browser.text
    browser.post("/en/report/details", **ANSWERS["details"])
    assert browser.path == "/en/report/contact"


def test_a_report_that_cannot_be_sent_is_not_called_sent_and_arrives_once_later(public_settings, no_database):
    browser = fill_in(Browser())
    with no_database:
        browser.post("/en/report/check", action="send")
        assert browser.page.status_code == 503
        assert "We could not send your report just now" in browser.text
        assert "arrived and is safe" not in browser.text and 'id="number"' not in browser.text
        assert "1-800-668-6868" in browser.text
    browser.post("/en/report/check", action="send")
    assert browser.path == "/en/report/sent"
    assert Report.objects.count() == 1


def test_other_pages_say_that_a_part_does_not_answer(public_settings, no_database):
    browser = Browser()
    browser.client.cookies["__Host-s"] = "A" * 43
    with no_database:
        browser.get("/fr/signaler/verifier")
        assert browser.page.status_code == 503
        assert browser.page.headers["Retry-After"]
        assert "Cette partie n’est pas accessible en ce moment" in browser.text
        browser.get("/en/help")
        assert browser.page.status_code == 200
