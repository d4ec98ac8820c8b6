"""The operator's own words for where a report stands, and the limit by network."""

from __future__ import annotations

import pytest

from tests.hotlines import OPEN
from vigil.core.limiter import TRY_WINDOW, WindowLimiter
from vigil.intake.tests.conftest import Browser, fill_in, receipt_on
from vigil.intake.views import status

FINISHED = """
extends = "{open}"

[status_words]
read = {{ en = "Arrived", fr = "Arrivé" }}
received = {{ en = "Arrived", fr = "Arrivé" }}
question = {{ en = "Arrived", fr = "Arrivé" }}
closed = {{ en = "Finished", fr = "Terminé" }}
"""


def open_thread(number: str, secret: str, language: str = "en") -> str:
    browser = Browser(language)
    path = {"en": "/en/status", "fr": "/fr/suivi"}[language]
    browser.get(path)
    browser.post(path, action="open", number=number, secret=secret)
    return browser.text


@pytest.mark.parametrize(("language", "word"), [("en", "Arrived"), ("fr", "Arrivé")])
def test_an_operator_gives_states_other_words(public, settings, tmp_path, language, word):
    fill_in(public)
    public.post("/en/report/check", action="send")
    number, secret = receipt_on(public.text)
    assert "Received" in open_thread(number, secret)
    (tmp_path / "hotline.toml").write_text(FINISHED.format(open=OPEN))
    settings.HOTLINE_DIR = tmp_path
    shown = open_thread(number, secret, language)
    assert word in shown
    assert "Received" not in shown and "Reçu<" not in shown


def test_a_network_that_goes_through_numbers_is_stopped_and_learns_nothing(public, settings, monkeypatch):
    settings.CLIENT_ADDRESS_HEADER = "X-Client-Address"
    monkeypatch.setattr(status, "network_limiter", WindowLimiter(3, TRY_WINDOW))
    fill_in(public)
    public.post("/en/report/check", action="send")
    number, secret = receipt_on(public.text)

    def ask(address: str, number: str, secret: str) -> str:
        browser = Browser()
        browser.client.defaults["HTTP_X_CLIENT_ADDRESS"] = address
        browser.get("/en/status")
        browser.post("/en/status", action="open", number=number, secret=secret)
        return browser.text

    for wrong in ("7K3M9Q2X4A", "0000000000", number):
        assert "Check both and try again" in ask("203.0.113.5", wrong, "0" * 16)
    assert "Check both and try again" in ask("203.0.113.99", number, secret)
    assert "Received" in ask("198.51.100.5", number, secret)
