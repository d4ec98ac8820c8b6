"""The report site in a real browser, at its real process and database role."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    Installation,
    assert_accessible,
    assert_reflows,
    new_installation,
    take_screenshot,
)

PAGES = {
    "en": ["/en/", "/en/before-you-start", "/en/help", "/en/privacy", "/en/status", "/en/report/danger", "/en/nowhere"],
    "fr": ["/fr/", "/fr/avant-de-commencer", "/fr/aide", "/fr/vie-privee", "/fr/suivi", "/fr/signaler/danger", "/fr/nulle-part"],
}  # fmt: skip
START = {"en": "/en/", "fr": "/fr/"}
DOOR = {"en": "Report something", "fr": "Faire un signalement"}
BEGIN = {"en": "Start", "fr": "Commencer"}
NEXT = {"en": "Continue", "fr": "Continuer"}
SEND = {"en": "Send report", "fr": "Envoyer le signalement"}
SENT = {"en": "Your report has arrived", "fr": "Votre signalement est arrivé"}

TARGETS = (
    "a.button, button:not(.visually-hidden), .choice, input[type=text]:not([name=trap]), textarea, a.back, .language, .brand, "
    ".help__list a, .footer__links a, .check__change a, .doors a"
)

Each = Callable[[Page, str], None]


def press_next(page: Page, language: str) -> None:
    page.locator(".actions").get_by_role("button", name=NEXT[language]).click()


def whole_report(
    page: Page, site: Installation, language: str, each: Each = lambda page, name: None
) -> tuple[str, str]:
    """Home to receipt on the shortest honest path; `each` looks at every page on the way."""
    page.goto(site.url("public", START[language]))
    each(page, "home")
    page.get_by_role("link", name=re.compile(DOOR[language])).click()
    each(page, "before")
    page.get_by_role("link", name=BEGIN[language], exact=True).click()
    each(page, "danger")
    page.locator("input[name=danger][value=no]").check()
    press_next(page, language)
    each(page, "who")
    page.locator("input[name=who][value=saw]").check()
    press_next(page, language)
    each(page, "about")
    page.locator("input[value=seen_material]").check()
    press_next(page, language)
    each(page, "details")
    page.locator("input[name=link_0]").fill("https://pictures.example/page/7")
    page.locator("textarea[name=narrative]").fill("A page with pictures was reported.")
    press_next(page, language)
    each(page, "contact")
    press_next(page, language)
    each(page, "check")
    page.get_by_role("button", name=SEND[language]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SENT[language])
    each(page, "sent")
    return page.locator("#number").inner_text(), page.locator("#secret").inner_text()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_whole_report_without_scripts_at_320_pixels(public_site, new_page, language):
    page = new_page(width=320, height=568, scripts=False)
    seen: list[str] = []

    def look(page: Page, name: str) -> None:
        seen.append(name)
        assert_reflows(page)
        assert page.locator("h1").count() == 1
        assert page.locator("html").get_attribute("lang") == language
        for way_out in (page.locator(".safety a[href='tel:911']"), page.locator("#leave")):
            box = way_out.bounding_box()
            assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 568, name
        take_screenshot(page, f"{language}-320-{name}")

    number, secret = whole_report(page, public_site, language, look)
    assert len(seen) == 9  # Home, start, six questions with check, receipt
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{3}-[0-9A-Z]{3}", number)

    page.goto(public_site.url("public", PAGES[language][4]))
    page.locator("input[name=number]").fill(number)
    page.locator("input[name=secret]").fill(secret)
    page.locator("main").get_by_role("button").click()
    expect(page.locator(".badge")).to_have_text({"en": "Received", "fr": "Reçu"}[language])
    assert_reflows(page)
    take_screenshot(page, f"{language}-320-thread")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_nothing_on_any_page_of_the_report(public_site, new_page, language, scheme):
    page = new_page(color_scheme=scheme)

    def look(page: Page, name: str) -> None:
        assert_accessible(page)
        take_screenshot(page, f"{language}-1280-{scheme}-{name}")

    whole_report(page, public_site, language, look)


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_nothing_on_the_other_pages_and_states(public_site, new_page, language, width):
    page = new_page(width=width)

    def look(name: str) -> None:
        assert_accessible(page)
        assert_reflows(page)
        take_screenshot(page, f"{language}-{width}-state-{name}")

    for path in ["/", *PAGES[language]]:
        page.goto(public_site.url("public", path))
        look("page-" + path.strip("/").replace("/", "-"))
    # Errors, the young register, rows, the notice of danger.
    page.goto(public_site.url("public", PAGES[language][5]))
    press_next(page, language)
    expect(page.locator(".error-summary")).to_be_focused()
    look("danger-error")
    page.locator("input[name=danger][value=yes]").check()
    press_next(page, language)
    expect(page.locator(".notice--danger")).to_be_visible()
    expect(page.locator("input[name=age_band]").first).to_be_hidden()
    page.locator("input[name=who][value=me]").check()
    expect(page.locator("input[name=age_band]").first).to_be_visible()
    look("who-me")
    page.locator("input[value='13_15']").check()
    press_next(page, language)
    look("about-young")
    for code in ("enticement", "threat", "shared_image"):
        page.locator(f"input[value={code}]").check()
    press_next(page, language)
    page.locator("input[name=link_0]").fill("http://")
    page.locator("button[value=add_link]").click()
    look("details-rows")
    press_next(page, language)
    assert page.title().startswith({"en": "Error: ", "fr": "Erreur\u00a0: "}[language])
    look("details-error")
    page.locator(".error-summary a").first.click()
    expect(page.locator("input[name=link_0]")).to_be_focused()
    page.locator("input[name=link_0]").fill("pictures.example/page/8")
    page.locator("textarea").fill("Quelques mots.\nDeux lignes.")
    press_next(page, language)
    page.locator("input[name=contact_way]").fill("someone@mail.example")
    press_next(page, language)
    look("check-young")
    page.get_by_role("button", name=SEND[language]).click()
    look("sent-young")
    number, secret = page.locator("#number").inner_text(), page.locator("#secret").inner_text()
    page.goto(public_site.url("public", PAGES[language][4]))
    press = page.locator("form#status button.visually-hidden, form#status .actions button").last
    press.click()
    look("status-empty")
    page.locator("input[name=number]").fill(number)
    page.locator("input[name=secret]").fill("0" * 16)
    press.click()
    look("status-wrong")
    page.locator("input[name=secret]").fill(secret)
    press.click()
    look("thread-received")
    page.locator("button[value=add]").click()
    look("thread-error")
    page.locator("textarea").fill("One more thing.")
    page.locator("button[value=add]").click()
    look("thread-added")
    for state in ("read", "question", "closed"):
        public_site.sql(
            f"UPDATE intake_thread SET state = '{state}' FROM intake_report r"
            f" WHERE r.id = report_id AND r.number = '{number.replace('-', '')}'"
        )
        page.goto(public_site.url("public", PAGES[language][4]))
        page.locator("input[name=number]").fill(number)
        page.locator("input[name=secret]").fill(secret)
        press.click()
        look(f"thread-{state}")
    page.locator("button[value=withdraw]").click()
    look("thread-withdrawn")


def test_a_whole_report_with_the_keyboard_alone(public_site, new_page):
    page = new_page()
    page.goto(public_site.url("public", "/en/"))

    def tab_to(selector: str) -> None:
        for stop in range(1, 40):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert stop <= 25, f"{stop} Tab stops to {selector}"
                return
        raise AssertionError(f"no way to {selector}")

    def enter(then: str) -> None:
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(f"{then}$"))

    tab_to("a[href='/en/before-you-start']")
    enter("/before-you-start")
    tab_to("a[href='/en/report/danger']")
    enter("/danger")
    for choose, then in {"danger": "/for-whom", "who": "/about", "situations": "/details"}.items():
        tab_to(f"input[name={choose}]")
        page.keyboard.press("Space")
        if choose == "who":
            page.keyboard.press("ArrowDown")
        tab_to(".actions button")
        enter(then)
    tab_to("input[name=link_0]")
    page.keyboard.type("https://pictures.example/9")
    enter("/contact")  # the button that Enter presses is "continue", not "add another" and not the language
    tab_to(".actions button")
    enter("/check")
    tab_to(".actions button")
    enter("/sent")
    expect(page.get_by_role("heading", level=1)).to_have_text(SENT["en"])


def test_targets_are_large_enough_and_a_page_is_light(public_site, new_page):
    page = new_page(width=320, height=568)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    def look(page: Page, name: str) -> None:
        small = page.evaluate(
            """selector => [...document.querySelectorAll(selector)]
                .filter(part => part.offsetParent && (part.offsetHeight < 44 || part.offsetWidth < 44))
                .map(part => part.outerHTML.slice(0, 80))""",
            TARGETS,
        )
        assert small == [], (name, small)
        weight = page.evaluate(
            """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
                .reduce((sum, part) => sum + part.decodedBodySize, 0)"""
        )
        assert weight <= (60_000 if name == "home" else 100_000), (name, weight)
        assert len(set(requests)) <= 6, requests
        assert all(request.startswith(public_site.url("public", "/")) for request in requests)
        requests.clear()

    whole_report(page, public_site, "fr", look)
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_a_double_click_on_send_gives_one_report(public_site, new_page):
    page = new_page()
    before = int(public_site.sql("SELECT count(*) FROM intake_report"))

    def look(page: Page, name: str) -> None:
        if name == "check":
            page.evaluate(
                "document.querySelector('.actions button')"
                ".addEventListener('click', event => setTimeout(() => event.target.click()), {once: true})"
            )

    first = whole_report(page, public_site, "en", look)
    page.reload()
    assert (page.locator("#number").inner_text(), page.locator("#secret").inner_text()) == first
    page.go_back()
    page.go_forward()
    assert page.locator("#secret").inner_text() == first[1]
    assert int(public_site.sql("SELECT count(*) FROM intake_report")) == before + 1


@pytest.mark.parametrize("way", ["click", "shift", "no scripts"])
def test_leaving_quickly_leaves_nothing_to_go_back_to(public_site, new_page, way):
    page = new_page(scripts=way != "no scripts")

    def leave_from_details(page: Page, name: str) -> None:
        if name == "details":
            page.locator("textarea").fill("zebra words")
            with page.expect_request("https://weather.gc.ca/**"):
                if way == "shift":
                    for _ in range(3):
                        page.keyboard.press("Shift")
                else:
                    page.locator("#leave").click(no_wait_after=True)
            raise StopIteration

    with pytest.raises(StopIteration):
        whole_report(page, public_site, "en", leave_from_details)
    for _ in range(200):  # the destination does not exist for this browser: wait until it has given up
        if "/report/" not in page.url and "/leave" not in page.url:
            break
        page.wait_for_timeout(100)
    assert [cookie["name"] for cookie in page.context.cookies()] == []
    page.go_back()
    assert "zebra" not in page.content()
    assert page.locator("textarea").count() == 0


def test_the_language_button_keeps_what_is_being_typed(public_site, new_page):
    page = new_page(scripts=False)

    def switch(page: Page, name: str) -> None:
        if name == "details":
            page.locator("textarea").fill("half a sentence")
            page.get_by_role("button", name="Français").click()
            expect(page.locator("html")).to_have_attribute("lang", "fr")
            expect(page.locator("textarea")).to_have_value("half a sentence")
            page.get_by_role("button", name="English").click()
            expect(page.locator("textarea")).to_have_value("half a sentence")

    whole_report(page, public_site, "en", switch)


def test_the_live_process_is_the_public_role_and_can_read_no_report(public_site):
    roles = public_site.sql("SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'vigil-public'")
    assert roles.split() in (["vigil_public"], [])
    granted = public_site.sql(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = 'vigil_public'"
        " AND table_name LIKE 'intake\\_%' AND table_name <> 'intake_draft' ORDER BY 1, 2"
    )
    assert granted.split() == [
        "intake_askedquestions|INSERT", "intake_askedquestions|SELECT",
        "intake_report|INSERT", "intake_reportlink|INSERT", "intake_thread|INSERT",
    ]  # fmt: skip


def test_a_demonstration_says_so_and_still_shows_the_way_out(pytestconfig, new_page):
    with new_installation(pytestconfig.rootpath, "public-demo", VIGIL_DEMO="1") as site:
        site.start("web", "public")
        page = new_page(width=320, height=568)
        for path in ["/", *PAGES["en"], *PAGES["fr"]]:
            page.goto(site.url("public", path))
            assert "Nobody reads what is sent here." in page.inner_text(".demo")
            assert "Personne ne lit ce qui est envoyé ici." in page.inner_text(".demo")
            assert_accessible(page)
            assert_reflows(page)
            if path in {"/en/report/danger", "/fr/signaler/danger"}:
                for way_out in (".safety a[href='tel:911']", "#leave"):
                    box = page.locator(way_out).bounding_box()
                    assert box is not None and box["y"] + box["height"] <= 568
            take_screenshot(page, "demo-320-" + (path.strip("/").replace("/", "-") or "choose"))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_report_that_was_saved_is_taken_up_on_another_device_without_scripts(public_site, new_page, language):
    page = new_page(width=320, height=568, scripts=False)
    stop = {"en": "Stop and come back later", "fr": "Arrêter et revenir plus tard"}[language]

    def save(page: Page, name: str) -> None:
        if name == "details":
            page.locator("textarea").fill("half a sentence")
            page.get_by_role("button", name=stop).click()
            raise StopIteration

    with pytest.raises(StopIteration):
        whole_report(page, public_site, language, save)
    code = page.locator("#code").inner_text()
    assert_reflows(page)
    take_screenshot(page, f"{language}-320-saved")
    page.locator("main form button").first.click()
    assert page.context.cookies() == []

    other = new_page()
    other.goto(public_site.url("public", {"en": "/en/come-back", "fr": "/fr/reprendre"}[language]))
    assert_accessible(other)
    other.locator("input[name=code]").fill("7K3M")
    other.locator("main form button[value=open]").click()
    assert_accessible(other)
    take_screenshot(other, f"{language}-1280-resume-error")
    other.locator("input[name=code]").fill(code)
    other.locator("main form button[value=open]").click()
    expect(other.locator("textarea")).to_have_value("half a sentence")
    other.get_by_role("button", name=stop).click()
    expect(other.locator("#code")).not_to_have_text(code)
    assert_accessible(other)
    take_screenshot(other, f"{language}-1280-saved")
    other.goto(
        public_site.url(
            "public", {"en": "/en/before-you-start/traces", "fr": "/fr/avant-de-commencer/traces"}[language]
        )
    )
    assert_accessible(other)
    take_screenshot(other, f"{language}-1280-traces")
