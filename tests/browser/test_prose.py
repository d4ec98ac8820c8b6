"""The pages of prose in a real browser: help for each audience, and the pages about the site."""

from __future__ import annotations

import pytest
from django.conf import settings

from tests.browser.conftest import assert_accessible, assert_reflows, take_screenshot
from vigil.awareness.pages import Page, read_pages

PAGES: dict[str, Page] = read_pages(["en", "fr"])


def address(code: str, language: str) -> str:
    return f"/{language}/{PAGES[code].texts[language].path}"


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_page_is_accessible_light_and_fits_without_scripts_or_anybody_elses_server(
    public_site, new_page, language, width
):
    page = new_page(width=width, height=568 if width == 320 else 900, color_scheme="dark" if width == 1280 else "light")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for code in PAGES:
        requests.clear()
        page.goto(public_site.url("public", address(code, language)))
        assert_accessible(page)
        assert_reflows(page)
        assert page.locator("h1").count() == 1
        weight = page.evaluate(
            """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
                .reduce((sum, part) => sum + part.decodedBodySize, 0)"""
        )
        assert weight <= 100_000 and len(set(requests)) <= 6, (code, weight, requests)
        assert all(request.startswith(public_site.url("public", "/")) for request in requests)
        for way_out in (page.locator(".safety a[href='tel:911']"), page.locator("#leave")):
            box = way_out.bounding_box()
            assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 568, code
        small = page.evaluate(
            """() => [...document.querySelectorAll("main a")]
                .filter(part => part.offsetParent && !part.closest(".prose > p, .prose > ul:not([class]) > li, .notice"))
                .filter(part => part.offsetHeight < 44).map(part => part.outerHTML.slice(0, 80))"""
        )
        assert small == [], (code, small)
        take_screenshot(page, f"{language}-{width}-prose-{code}")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_from_the_start_page_to_a_report_by_way_of_a_page_for_teens_without_scripts(public_site, new_page, language):
    page = new_page(width=320, height=568, scripts=False)
    page.goto(public_site.url("public", f"/{language}/"))
    page.locator(f"main .links a[href='{address('learn', language)}#teens']").click()
    page.locator(f"main a[href='{address('threats', language)}']").click()
    assert page.locator("h1").inner_text() == PAGES["threats"].texts[language].title
    page.locator(f"a.language[href='{address('threats', 'fr' if language == 'en' else 'en')}']").click()
    page.locator("a.language").click()
    page.locator("main .actions a.button").first.click()
    assert page.url.endswith(("/en/before-you-start", "/fr/avant-de-commencer"))


def test_a_printed_page_holds_the_text_and_the_numbers_and_nothing_to_press(public_site, new_page):
    page = new_page()
    page.goto(public_site.url("public", address("first_hours", "en")))
    page.emulate_media(media="print")
    for hidden in (".safety .leave", ".language", ".actions", ".footer__links", ".skip"):
        assert not page.locator(hidden).first.is_visible(), hidden
    for shown in ("h1", "blockquote", ".lines", ".help", ".modified"):
        assert page.locator(shown).first.is_visible(), shown
    assert page.locator("body").evaluate("body => getComputedStyle(body).color") == "rgb(0, 0, 0)"
    take_screenshot(page, "print-first-hours")


@pytest.mark.parametrize("path", ["/en/learn/nothing", "/fr/apprendre/rien"])
def test_a_page_that_does_not_exist_still_says_whom_to_call(public_site, new_page, path):
    page = new_page(width=320)
    answer = page.goto(public_site.url("public", path))
    assert answer is not None and answer.status == 404
    assert page.locator(".help a[href='tel:911']").is_visible()
    assert page.locator(".help a[href^='tel:+1800']").first.is_visible()
    assert_accessible(page)


def test_security_txt_is_served_by_the_real_process(public_site, new_page):
    answer = new_page().goto(public_site.url("public", "/.well-known/security.txt"))
    assert answer is not None and answer.status == 200
    assert answer.text().startswith("Contact: mailto:")
    assert f"Canonical: {settings.SCHEME}://report.localhost" in answer.text()
