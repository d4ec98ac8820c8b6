"""One network that sends too much, in a real browser: scripts do the work, without scripts one waits, and nothing is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_accessible, assert_reflows, new_installation, take_screenshot

HEADER = {"X-Client-Address": "203.0.113.77"}


@pytest.fixture(scope="module")
def narrow_site(pytestconfig):
    with new_installation(
        pytestconfig.rootpath,
        "flood",
        VIGIL_CLIENT_ADDRESS_HEADER="X-Client-Address",
        VIGIL_FORMS_PER_NETWORK="1",
    ) as site:
        site.start("keyd")
        site.start("web", "public")
        yield site


def send_wrong_pair(page, site, language):
    page.goto(site.url("public", {"en": "/en/status", "fr": "/fr/suivi"}[language]))
    page.locator("input[name=number]").fill("7K3M-9Q2-X4A")
    page.locator("input[name=secret]").fill("ABCD-EFGH-JKMN-PQRS")
    page.locator("form#status .actions button").click()


def test_scripts_do_the_work_and_the_form_goes_on(narrow_site, new_page):
    page = new_page(extra_http_headers=HEADER)
    for _ in range(2):  # the first one passes, the second one works
        send_wrong_pair(page, narrow_site, "en")
        expect(page.locator(".error-summary")).to_be_visible(timeout=60_000)
        expect(page.locator("input[name=number]")).to_have_value("7K3M-9Q2-X4A")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_without_scripts_one_waits_and_presses_again(narrow_site, new_page, language):
    page = new_page(scripts=False, width=320, height=568, extra_http_headers=HEADER)
    for _ in range(2):
        send_wrong_pair(page, narrow_site, language)
        if page.locator("form#moment").count():
            break
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator("form#moment input[name=number]").get_attribute("value") == "7K3M-9Q2-X4A"
    assert_reflows(page)
    take_screenshot(page, f"{language}-320-one-moment")
    page.locator("form#moment button").click()
    expect(page.locator("form#moment")).to_be_visible()  # too soon
    page.wait_for_timeout(15_500)
    page.locator("form#moment button").click()
    expect(page.locator(".error-summary")).to_be_visible()


def test_nobody_else_is_held_back(narrow_site, new_page):
    page = new_page(extra_http_headers={"X-Client-Address": "198.51.100.9"})
    page.goto(narrow_site.url("public", "/en/status"))
    assert_accessible(page)
    page.locator("form#status .actions button").click()
    expect(page.locator(".error-summary")).to_be_visible()
