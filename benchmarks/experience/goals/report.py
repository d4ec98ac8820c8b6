"""U1 to U4: how long the report is, what it asks for, and who can complete it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from benchmarks.experience.browsing import (
    PERSONAS,
    KeyboardWalk,
    TreeWalk,
    Walk,
    slow_network,
)
from benchmarks.experience.goal import Goal, all_of, at_most
from benchmarks.experience.rig import Rig, seconds_since

MOST_SCREENS = 6


def screens_of(names: list[str]) -> int:
    """Pages from the first question to the one with the send button."""
    return len([name for name in names if name not in {"home", "before", "sent"}])


def u1_length(rig: Rig) -> Iterator[Goal]:
    """The shortest honest path, and the same for somebody under 18; by keyboard on a slow line for the time."""
    for persona, what in ((PERSONAS[0], "a passer-by"), (PERSONAS[1], "under 18")):
        with rig.page(java_script_enabled=False) as page:
            walk = rig.walk(page, persona=persona)
            walk.whole()
            yield at_most(
                "U1", f"screens from the first question to sent, {what}", screens_of(walk.names), MOST_SCREENS
            )
            yield at_most("U1", f"page loads from home to receipt, {what}", len(walk.names), 9)
    with rig.page() as page:
        slow_network(page)
        keyboard = KeyboardWalk(page, rig.site, "en", PERSONAS[0])
        keyboard.key_pause = 150
        begun = time.monotonic()
        keyboard.whole()
        yield at_most("U1", "keys alone, 150 ms a key, slow 3G", seconds_since(begun), 90, " s")
        yield at_most("U1", "Tab stops on any screen", keyboard.most_stops, 25, note=keyboard.longest_screen)


def u2_always_there(rig: Rig) -> Iterator[Goal]:
    """Emergency number and way out, on a small telephone, before any scrolling."""
    good, bad = 0, []

    def look(page: Page, name: str) -> None:
        nonlocal good
        for selector in (".safety a[href^='tel:']", "#leave"):
            box = page.locator(selector).first.bounding_box()
            if box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 568 and box["x"] + box["width"] <= 320:
                good += 1
            else:
                bad.append(f"{name} {selector}")

    for language in rig.languages():
        for persona in PERSONAS:
            with rig.page(width=320, height=568, java_script_enabled=False) as page:
                rig.walk(page, language, persona, look=look).whole()
    yield all_of("U2", "emergency number and way out in the first 320 x 568 pixels", good, good + len(bad), bad)


def u3_required(rig: Rig) -> Iterator[Goal]:
    """Send every page empty and count what it insists on, then answer only that."""
    insisted: list[str] = []
    with rig.page() as page:
        walk = rig.walk(page)
        walk.to_first_question()
        while not page.locator("dl.check").count():
            here = page.url
            page.locator("form#step .actions button").first.click()
            page.wait_for_load_state("load")
            if page.url == here:
                insisted += page.locator(".error-summary a").evaluate_all(
                    "links => links.map(link => link.getAttribute('href'))"
                )
                walk.fill()
                page.locator("form#step .actions button").first.click()
                page.wait_for_load_state("load")
                assert page.url != here, page.locator(".error-summary").inner_text()
        walk.send()
    contact = [name for name in insisted if any(word in name for word in ("name", "mail", "phone", "contact"))]
    yield at_most("U3", "fields that a report insists on", len(insisted), 3, note=", ".join(insisted))
    yield at_most("U3", "of them name or mail", len(contact), 0)


WAYS: dict[str, tuple[type[Walk], dict[str, Any], str]] = {
    "keyboard alone": (KeyboardWalk, {}, "en"),
    "no JavaScript": (Walk, {"java_script_enabled": False}, "en"),
    "320 px": (Walk, {"width": 320, "height": 568}, "en"),
    "400 % zoom": (Walk, {"width": 320, "height": 256, "device_scale_factor": 4}, "en"),
    "French": (Walk, {"width": 320, "height": 568}, "fr"),
    "forced colours": (Walk, {"forced_colors": "active"}, "en"),
    "roles and names alone": (TreeWalk, {}, "en"),
}


def u4_everyone(rig: Rig) -> Iterator[Goal]:
    """Five people, seven ways each."""
    for way, (kind, options, language) in WAYS.items():
        good, bad = 0, []
        for persona in PERSONAS:
            with rig.page(**options) as page:
                try:
                    kind(page, rig.site, language, persona, look=_no_sideways_scrolling).whole()
                    good += 1
                except (AssertionError, BrowserError) as error:
                    bad.append(f"{persona.name}: {str(error).splitlines()[0][:80]}")
        yield all_of("U4", f"five people complete a report: {way}", good, len(PERSONAS), bad)


def _no_sideways_scrolling(page: Page, name: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
