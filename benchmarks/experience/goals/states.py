"""Every page and state that somebody can meet: all addresses, errors, both registers, the receipt, the thread."""

from __future__ import annotations

from playwright.sync_api import Page

from benchmarks.experience.browsing import FIRST_QUESTION, PERSONAS, Look, Persona
from benchmarks.experience.rig import Rig


def look_at_everything(rig: Rig, page: Page, language: str, look: Look) -> None:
    """Call `look(page, name)` in each state of the report site in one language."""
    for name, path in rig.public_pages().items():
        if path == "/" or path.startswith(f"/{language}/"):
            page.goto(rig.site.url("public", path))
            look(page, name)
    page.goto(rig.site.url("public", f"/{language}/nowhere"))
    look(page, "not found")
    for persona in PERSONAS:
        page.context.clear_cookies()
        number, secret = _report(rig, page, language, persona, look)
        _thread(rig, page, language, persona.name, number, secret, look)


def _report(rig: Rig, page: Page, language: str, persona: Persona, look: Look) -> tuple[str, str]:
    walk = rig.walk(page, language, persona)
    name = walk.persona.name
    page.goto(rig.site.url("public", FIRST_QUESTION[language]))
    while not page.locator("dl.check").count():
        look(page, f"{name}, {walk.here()}")
        before = page.url
        page.locator("form#step .actions button").first.click()
        page.wait_for_load_state("load")
        if page.url == before:
            look(page, f"{name}, {walk.here()}, error")
            walk.fill()
            walk.press(page.locator("form#step .actions button").first)
        else:  # nothing on this page is needed: go back and answer
            page.goto(before)
            walk.fill()
            walk.press(page.locator("form#step .actions button").first)
        assert page.url != before, page.locator(".error-summary").inner_text()
    look(page, f"{name}, check")
    sent = walk.send()
    look(page, f"{name}, receipt")
    return sent


def _thread(rig: Rig, page: Page, language: str, name: str, number: str, secret: str, look: Look) -> None:
    status = rig.public_pages()[f"intake:status-{language}"]

    def ask(typed_secret: str) -> None:
        page.goto(rig.site.url("public", status))
        page.locator("input[name=number]").fill(number)
        page.locator("input[name=secret]").fill(typed_secret)
        page.locator("input[name=secret]").press("Enter")
        page.wait_for_load_state("load")

    ask("0" * 16)
    look(page, f"{name}, wrong secret")
    for state in ("received", "read", "question", "closed"):
        rig.site.sql(
            f"UPDATE intake_thread SET state = '{state}' FROM intake_report r"  # noqa: S608 - two texts of our own
            f" WHERE r.id = report_id AND r.number = '{number.replace('-', '')}'"
        )
        ask(secret)
        look(page, f"{name}, thread {state}")
