"""Walks through a report in a real browser, whatever the questions are: by the marks every question page carries."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, CDPSession, Locator, Page

from tests.browser.conftest import Installation

Look = Callable[[Page, str], None]

START = {"en": "/en/", "fr": "/fr/"}
BEFORE = {"en": "/en/before-you-start", "fr": "/fr/avant-de-commencer"}
FIRST_QUESTION = {"en": "/en/report/danger", "fr": "/fr/signaler/danger"}
SLOW_3G = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 400_000 / 8,
    "uploadThroughput": 400_000 / 8,
}


@dataclass(frozen=True)
class Persona:
    """Somebody who comes, and what they answer. A question they have no answer to is left blank."""

    name: str
    choices: dict[str, str]
    texts: dict[str, str] = field(default_factory=dict)


PERSONAS = (
    Persona(
        "a passer-by",
        {"danger": "no", "who": "saw", "situations": "seen_material"},
        {"link_0": "https://pictures.example/page/7"},
    ),
    Persona(
        "a teenager",
        {"danger": "no", "who": "me", "age_band": "13_15", "situations": "threat"},
        {"narrative": "Someone I met in a game wants more pictures."},
    ),
    Persona(
        "a parent",
        {"danger": "unsure", "who": "known", "situations": "enticement"},
        {"narrative": "A stranger writes to my child.", "handle_0": "stranger-in-a-game"},
    ),
    Persona(
        "a teacher",
        {"danger": "no", "who": "professional", "situations": "shared_image"},
        {"narrative": "A picture goes round at school."},
    ),
    Persona(
        "a child under 13",
        {"danger": "no", "who": "me", "age_band": "under_13", "situations": "not_sure"},
        {"narrative": "Something feels wrong."},
    ),
)


class Walk:
    """One way through the report. `fill` answers the page on screen, `press` goes on; both can be overridden by a way of input."""

    def __init__(
        self, page: Page, site: Installation, language: str, persona: Persona, look: Look | None = None
    ) -> None:
        self.page, self.site, self.language, self.persona = page, site, language, persona
        self.look = look or (lambda page, name: None)
        self.names: list[str] = []

    # ---- what a way of input overrides ----
    def choose(self, box: Locator) -> None:
        """Tick one answer."""
        box.check()

    def type(self, line: Locator, text: str) -> None:
        """Fill one line."""
        line.fill(text)

    def press(self, button: Locator) -> None:
        """Press a button or follow a link, and wait for the page behind it."""
        button.click()
        self.page.wait_for_load_state("load")

    # ---- the path ----
    def to_first_question(self) -> None:
        """Home, what is coming, first question."""
        self.page.goto(self.site.url("public", START[self.language]))
        self._seen("home")
        self.press(self.page.locator(f"main a[href='{BEFORE[self.language]}']").first)
        self._seen("before")
        self.press(self.page.locator(f"main a[href='{FIRST_QUESTION[self.language]}']").first)

    def to_check(self) -> None:
        """Answer page after page until the last one before sending."""
        for _ in range(14):
            name = self.here()
            self._seen(name)
            if self.page.locator("dl.check").count():
                return
            self.fill()
            self.press(self.page.locator("form#step .actions button").first)
            assert self.page.locator(".error-summary").count() == 0, (
                name,
                self.page.locator(".error-summary").inner_text(),
            )
        raise AssertionError("no check page")

    def send(self) -> tuple[str, str]:
        """Send; number and secret of the receipt."""
        self.press(self.page.locator("form#step .actions button").first)
        self.page.locator("#number").wait_for()
        self._seen("sent")
        return self.page.locator("#number").inner_text(), self.page.locator("#secret").inner_text()

    def whole(self) -> tuple[str, str]:
        """Home to receipt."""
        self.to_first_question()
        self.to_check()
        return self.send()

    def here(self) -> str:
        """The last part of the address."""
        return self.page.url.split("#")[0].rstrip("/").rsplit("/", 1)[-1]

    def fill(self) -> None:
        """Answer what this persona has an answer to."""
        form = self.page.locator("form#step")
        for name, value in self.persona.choices.items():
            box = form.locator(f"input[name={name}][value='{value}']")
            if box.count() and not box.is_checked():
                self.choose(box)
        for name, text in self.persona.texts.items():
            line = form.locator(f"input[name={name}], textarea[name={name}]")
            if line.count():
                self.type(line, text)

    def _seen(self, name: str) -> None:
        self.names.append(name)
        self.look(self.page, name)


class KeyboardWalk(Walk):
    """The same with nothing but keys. Counts the Tab stops of every page."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.most_stops, self.longest_screen = 0, ""
        self.keys = 0
        self.key_pause = 0  # milliseconds before each key

    def _to(self, target: Locator) -> None:
        handle = target.element_handle()
        stops = 0
        while not self.page.evaluate(
            "part => document.activeElement === part || (part.type === 'radio' && document.activeElement.name === part.name"
            " && document.activeElement.type === 'radio')",
            handle,
        ):
            self._key("Tab")
            stops += 1
            assert stops <= 60, f"no way to {target} by keyboard"
        if stops > self.most_stops:
            self.most_stops, self.longest_screen = stops, self.here()

    def _key(self, key: str) -> None:
        self.keys += 1
        if self.key_pause:
            self.page.wait_for_timeout(self.key_pause)
        self.page.keyboard.press(key)

    def choose(self, box: Locator) -> None:
        """Tab to the group, then the arrows, or Space."""
        self._to(box)
        if box.get_attribute("type") == "checkbox":
            self._key("Space")
            return
        for _ in range(20):
            if box.is_checked():
                return
            self._key("Space" if not self.page.evaluate("document.activeElement.checked") else "ArrowDown")
        raise AssertionError("the arrows do not reach an answer")

    def type(self, line: Locator, text: str) -> None:
        """Tab to the line and type."""
        self._to(line)
        self.keys += len(text)
        self.page.keyboard.type(text, delay=self.key_pause)

    def press(self, button: Locator) -> None:
        """Tab to it and press Enter."""
        self._to(button)
        with self.page.expect_navigation():
            self._key("Enter")


class TreeWalk(Walk):
    """Finds everything as a screen reader does: what is used must have its role, and a name."""

    NAMED = re.compile(r"\S")

    def choose(self, box: Locator) -> None:
        """A named radio button or box, inside a named group."""
        role: Literal["checkbox", "radio"] = "checkbox" if box.get_attribute("type") == "checkbox" else "radio"
        groups = self.page.get_by_role("group", name=self.NAMED).filter(has=box)
        assert groups.count(), "a group without a name"
        self.page.get_by_role(role, name=self.NAMED).and_(box).check()

    def type(self, line: Locator, text: str) -> None:
        """A named text field."""
        self.page.get_by_role("textbox", name=self.NAMED).and_(line).fill(text)

    def press(self, button: Locator) -> None:
        """A named button or link in the main part of the page."""
        role: Literal["link", "button"] = "link" if button.evaluate("part => part.tagName") == "A" else "button"
        self.page.get_by_role("main").get_by_role(role, name=self.NAMED).and_(button).click()
        self.page.wait_for_load_state("load")


def new_context(browser: Browser, *, width: int = 1280, height: int = 900, **options: Any) -> BrowserContext:
    """A fresh profile."""
    options.setdefault("locale", "en-CA")
    return browser.new_context(viewport={"width": width, "height": height}, **options)


def slow_network(page: Page) -> CDPSession:
    """Make this page's network a slow 3G one: 400 kb/s, 400 ms."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_3G)
    return session
