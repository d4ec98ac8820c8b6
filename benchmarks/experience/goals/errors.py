"""U13: a mistake costs nothing, and nothing that was typed is lost."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from benchmarks.experience.browsing import FIRST_QUESTION, PERSONAS
from benchmarks.experience.goal import Goal, all_of, none_of
from benchmarks.experience.rig import Rig

MOST_PAGES = 12
WORDS = "Words that must not be lost, été compris."


def u13_errors(rig: Rig) -> Iterator[Goal]:
    """Every page sent empty and with too much; then back, reload, double send, and a server that dies meanwhile."""
    good, bad = 0, []
    for language in rig.languages():
        with rig.page() as page:
            walk = rig.walk(page, language)
            page.goto(rig.site.url("public", FIRST_QUESTION[language]))
            for _ in range(MOST_PAGES):
                if page.locator("dl.check").count():
                    break
                address = page.url.split("#")[0]  # a link of the summary has left its mark
                here = walk.here()
                for wrong in _wrong_inputs(page):
                    wrong(page)
                    kept = _typed(page)
                    _press(page)
                    if walk.here() != here:
                        page.goto(address)
                        continue
                    problem = _problem_of(page, kept)
                    good += not problem
                    bad += [f"{language} {here}: {problem}"] if problem else []
                    page.goto("about:blank")
                    page.goto(address)
                walk.fill()
                _press(page)
            else:
                bad.append(f"{language}: the last page was not reached")
    yield all_of(
        "U13", "wrong inputs: summary with focus, words beside the field, answers kept", good, good + len(bad), bad
    )
    yield none_of("U13", "words lost on back, reload, double send or a dying server", list(_losses(rig)))


def _press(page: Page) -> None:
    page.locator("form#step .actions button").first.click()
    page.wait_for_load_state("load")


def _wrong_inputs(page: Page) -> list[Callable[[Page], None]]:
    def nothing(page: Page) -> None:
        for box in page.locator("form#step input[type=checkbox]:checked").all():
            box.uncheck()

    def too_long(page: Page) -> None:
        for line in page.locator("form#step input[type=text]:not([name=trap]), form#step textarea").all():
            if line.is_visible():
                line.fill("x" * 6000)

    def unreadable_link(page: Page) -> None:
        page.locator("input[name=link_0]").fill("http://")

    wrong: list[Callable[[Page], None]] = [nothing]
    if page.locator("form#step input[type=text]:not([name=trap]), form#step textarea").count():
        wrong.append(too_long)
    if page.locator("input[name=link_0]").count():
        wrong.append(unreadable_link)
    return wrong


def _typed(page: Page) -> list[str]:
    return page.locator("form#step input[type=text]:not([name=trap]), form#step textarea").evaluate_all(
        "parts => parts.map(part => part.value)"
    )


def _problem_of(page: Page, kept: list[str]) -> str:
    summary = page.locator(".error-summary")
    if not summary.count():
        return "no summary"
    if not page.evaluate("document.activeElement.closest('.error-summary') !== null"):
        return "the summary has no focus"
    targets = summary.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    if not targets or not all(page.locator(target).count() == 1 for target in targets):
        return "a link of the summary leads nowhere"
    if page.locator("form#step .field__error").count() < len(targets):
        return "no words beside the field"
    if _typed(page) != kept:
        return "answers changed"
    summary.locator("a").first.click()
    return (
        "" if page.evaluate("document.activeElement.matches('input, textarea, select')") else "the link gives no focus"
    )


def _losses(rig: Rig) -> Iterator[str]:
    with rig.page() as page:
        walk = rig.walk(page, persona=PERSONAS[1])
        page.goto(rig.site.url("public", FIRST_QUESTION["en"]))
        while not page.locator("textarea[name=narrative]").count():
            walk.fill()
            _press(page)
        details = page.url
        walk.fill()
        page.locator("textarea[name=narrative]").fill(WORDS)
        _press(page)
        page.go_back()
        yield from _lost(page, "back")
        page.goto(details)
        page.reload()
        yield from _lost(page, "reload")
        page.locator("textarea[name=narrative]").fill(WORDS + " More.")
        _kill_the_web_process(rig)
        _press_until_taken(page)
        page.goto(details)
        if page.locator("textarea[name=narrative]").input_value() != WORDS + " More.":
            yield "a dying server"
        while not page.locator("dl.check").count():
            _press(page)
        before = int(rig.site.sql("SELECT count(*) FROM intake_report"))
        page.evaluate(
            "document.querySelector('form#step .actions button')"
            ".addEventListener('click', event => setTimeout(() => event.target.click()), {once: true})"
        )
        page.locator("form#step .actions button").first.click()
        page.locator("#number").wait_for()
        if int(rig.site.sql("SELECT count(*) FROM intake_report")) != before + 1:
            yield "double send"


def _lost(page: Page, how: str) -> Iterator[str]:
    if page.locator("textarea[name=narrative]").input_value() != WORDS:
        yield how


def _kill_the_web_process(rig: Rig) -> None:
    """Kill it; `vigil up` starts another one."""
    os.kill(rig.site.pid_of("web-public"), signal.SIGKILL)


def _press_until_taken(page: Page) -> None:
    """Press as a person does: when the browser says that nobody answered, reload, which sends the page again."""
    page.locator("form#step .actions button").first.click(no_wait_after=True)
    for _ in range(30):
        page.wait_for_timeout(1000)
        if page.locator(".masthead").count():
            return
        with contextlib.suppress(BrowserError):
            page.reload()
    raise AssertionError("the server did not come back")
