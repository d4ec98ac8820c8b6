"""U8 to U10: what assistive technology finds, contrast, and the size of what is pressed."""

from __future__ import annotations

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from benchmarks.experience.goal import Goal, at_least, none_of
from benchmarks.experience.goals.states import look_at_everything
from benchmarks.experience.markup import SentMarkup
from benchmarks.experience.rig import Rig
from benchmarks.experience.scripts import script
from tests.browser.conftest import AXE_OPTIONS


def u8_to_u10_access(rig: Rig) -> Iterator[Goal]:
    """Every page and state, both languages, light and dark."""
    violations: list[str] = []
    markup: list[str] = []
    small: list[str] = []
    seen = 0
    text, control = 99.0, 99.0

    def look(page: Page, name: str) -> None:
        nonlocal seen, text, control
        seen += 1
        found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
        violations.extend(f"{name}: {item['id']}" for item in found)
        markup.extend(f"{name}: {mistake}" for mistake in sent.mistakes())
        small.extend(f"{name}: {part}" for part in page.evaluate(script("small_targets")))
        here_text, here_control = page.evaluate(script("contrast"))
        text, control = min(text, here_text), min(control, here_control)

    for language in rig.languages():
        for scheme in ("light", "dark"):
            with rig.page(width=320, height=568, color_scheme=scheme) as page:
                sent = SentMarkup(page)
                look_at_everything(rig, page, language, look)
    yield none_of("U8", f"axe (WCAG 2.2 A, AA) violations on {seen} pages and states", violations)
    yield none_of("U8", "mistakes in the markup", markup)
    yield at_least("U9", "least contrast of text, light and dark", text, 4.5)
    yield at_least("U9", "least contrast of a field's edge, light and dark", control, 3)
    yield none_of("U10", "targets under 44 px", small)
