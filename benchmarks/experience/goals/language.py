"""U11 and U12: both languages alike, and words that people understand."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

from benchmarks.experience.browsing import FIRST_QUESTION, PERSONAS
from benchmarks.experience.goal import Goal, all_of, at_most, none_of
from benchmarks.experience.rig import Rig
from benchmarks.experience.scripts import script
from benchmarks.experience.site import ROOT


def u11_parity(rig: Rig) -> Iterator[Goal]:
    """Missing messages; the same fields in the same order; the same state after switching in the middle."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.translations", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    problems = [line for line in done.stdout.splitlines() if not line.startswith("translations: complete")]
    yield none_of("U11", "missing, empty or ill-typeset messages", problems)
    good, bad = 0, []
    for persona in PERSONAS:
        shapes = {}
        for language in rig.languages():
            with rig.page(java_script_enabled=False) as page:
                seen: list[tuple[str, Any]] = []

                def look(page: Page, name: str, seen: list[tuple[str, Any]] = seen) -> None:
                    seen.append(
                        (
                            str(len(seen)),
                            [*page.evaluate(script("form_shape")), page.locator("main :is(h2, legend, dt)").count()],
                        )
                    )

                rig.walk(page, language, persona, look=look).whole()
                shapes[language] = seen
        first, *others = shapes.values()
        for other in others:
            for here, there in zip(first, other, strict=True):
                good += here == there
                bad += [] if here == there else [f"{persona.name}, page {here[0]}"]
    yield all_of("U11", "pages with the same fields in the same order in both languages", good, good + len(bad), bad)
    yield from _switching(rig)


def _switching(rig: Rig) -> Iterator[Goal]:
    good, bad = 0, []
    for persona in PERSONAS:
        with rig.page(java_script_enabled=False) as page:
            walk = rig.walk(page, "en", persona)
            page.goto(rig.site.url("public", FIRST_QUESTION["en"]))
            for _ in range(14):
                walk.fill()
                before = page.evaluate(script("form_state"))
                rows = page.locator("dl.check dd.check__answer").count()
                for language in ("fr", "en"):
                    page.locator(".language").first.click()
                    page.wait_for_load_state("load")
                    same = (
                        page.evaluate(script("form_state")) == before
                        and page.locator("dl.check dd.check__answer").count() == rows
                    )
                    if same and page.locator("html").get_attribute("lang") == language:
                        good += 1
                    else:
                        bad.append(f"{persona.name}, {walk.here()}, to {language}")
                if page.locator("dl.check").count():
                    break
                walk.press(page.locator("form#step .actions button").first)
    for path in rig.public_pages().values():
        with rig.page(java_script_enabled=False) as page:
            page.goto(rig.site.url("public", path))
            link = page.locator("a.language")
            if path == "/" or not link.count():
                continue
            level = page.locator("h1, main h2").count()
            link.first.click()
            page.wait_for_load_state("load")
            back = page.locator("a.language").first.get_attribute("href") or ""
            if page.locator("h1, main h2").count() == level and back.split("?")[0].endswith(path):
                good += 1
            else:
                bad.append(path)
    yield all_of("U11", "same page and state after switching the language", good, good + len(bad), bad)


def u12_readability(_rig: Rig) -> Iterator[Goal]:
    """Grades, long sentences, words of blame, French typography: as `tools/readability.py` finds them."""
    from tools import readability

    for line in readability.goals():
        yield at_most("U12", line.what, line.value, line.threshold, note=line.note)
