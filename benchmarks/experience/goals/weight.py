"""U6 and U7: what a page weighs, whom it asks, and how soon it is there."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

from benchmarks.experience import load
from benchmarks.experience.browsing import BEFORE, FIRST_QUESTION, START, slow_network
from benchmarks.experience.goal import Goal, at_least, at_most, none_of
from benchmarks.experience.rig import Rig
from benchmarks.experience.scripts import script
from benchmarks.experience.site import measured_site
from tests.browser.conftest import Installation

MOST_PAGE, MOST_HOME, MOST_TEXT, MOST_REQUESTS = 100, 60, 45, 6


class Weighed:
    """What one page loads: bytes as transferred, by kind, and every address it asks for."""

    def __init__(self, page: Page) -> None:
        self.kinds: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.asked: list[str] = []
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._note_kind)
        session.on("Network.loadingFinished", self._note_size)
        page.on("request", lambda request: self.asked.append(request.url))

    def _note_kind(self, event: dict[str, Any]) -> None:
        self.kinds[event["requestId"]] = event["type"]

    def _note_size(self, event: dict[str, Any]) -> None:
        self.sizes[event["requestId"]] = int(event["encodedDataLength"])

    def kilobytes(self, *kinds: str) -> float:
        """All, or what is of these kinds."""
        return sum(size for key, size in self.sizes.items() if not kinds or self.kinds.get(key) in kinds) / 1000


def u6_weight(rig: Rig) -> Iterator[Goal]:
    """Every page, cold: bytes transferred, requests, hosts, fonts."""
    own = urlsplit(rig.site.url("public")).netloc
    pages: dict[str, Weighed] = {}
    for path in rig.public_pages().values():
        with rig.page() as page:
            pages[path] = Weighed(page)
            page.goto(rig.site.url("public", path))
            page.wait_for_load_state("networkidle")
    foreign = [url for seen in pages.values() for url in seen.asked if urlsplit(url).netloc != own]
    fonts = [path for path, seen in pages.items() if "Font" in seen.kinds.values()]
    heaviest = max((seen.kilobytes(), path) for path, seen in pages.items())
    longest = max((seen.kilobytes("Document", "Stylesheet"), path) for path, seen in pages.items())
    most = max((len(seen.asked), path) for path, seen in pages.items())
    home = max(seen.kilobytes() for path, seen in pages.items() if path in START.values())
    yield at_most("U6", f"heaviest of {len(pages)} pages, all it loads", heaviest[0], MOST_PAGE, " kB", heaviest[1])
    yield at_most("U6", "home page, all it loads", home, MOST_HOME, " kB")
    yield at_most("U6", "heaviest HTML + CSS", longest[0], MOST_TEXT, " kB", longest[1])
    yield at_most("U6", "most requests of a page", most[0], MOST_REQUESTS, note=most[1])
    yield none_of("U6", "requests to anybody else", foreign)
    yield none_of("U6", "web fonts", fonts)


def u7_speed(rig: Rig) -> Iterator[Goal]:
    """Largest paint on slow 3G, layout shift, and the slowest reaction to a key or a click."""
    largest, shift, reaction = (0.0, ""), (0.0, ""), (0.0, "")
    paths = {f"{what} {language}": path[language] for what, path in
             {"home": START, "before": BEFORE, "question": FIRST_QUESTION}.items() for language in rig.languages()}  # fmt: skip
    for name, path in paths.items():
        with rig.page(width=360, height=640) as page:
            page.add_init_script(script("watch"))
            slow_network(page)
            page.goto(rig.site.url("public", path))
            page.wait_for_load_state("load")
            page.wait_for_timeout(300)
            seen = page.evaluate("window.seen")
            largest = max(largest, (seen["lcp"] / 1000, name))
            shift = max(shift, (seen["cls"], name))

    def look(page: Page, name: str) -> None:
        nonlocal reaction, shift
        for box in page.locator("form#step input:not([type=hidden]):not([name=trap]), form#step textarea").all()[:6]:
            if box.is_visible():
                box.focus()
                page.keyboard.press("Space" if box.get_attribute("type") in {"radio", "checkbox"} else "a")
        page.wait_for_timeout(100)
        seen = page.evaluate("window.seen")
        reaction = max(reaction, (seen["slow"], name))
        shift = max(shift, (seen["cls"], name))

    with rig.page(width=360, height=640) as page:
        page.add_init_script(script("watch"))
        walk = rig.walk(page, look=look)
        walk.to_first_question()
        for _ in range(2):
            look(page, walk.here())
            walk.fill()
            walk.press(page.locator("form#step .actions button").first)
    yield at_most("U7", "largest paint, slow 3G", largest[0], 2.0, " s", largest[1])
    yield at_most("U7", "layout shift", shift[0], 0.02, note=shift[1])
    yield at_most("U7", "slowest reaction to a key", reaction[0], 100, " ms", reaction[1])


def u7_load(_rig: Rig, seconds: int = 20) -> Iterator[Goal]:
    """Fifty reports sent a second beside five whole journeys a second; then again with the web process killed in the middle."""
    with measured_site("load", "up") as site:
        host, port = "report.localhost", site.base
        calm = load.measure(host, port, seconds=seconds)
        yield from _load_goals(calm, "")
        yield Goal("U7", "acknowledged reports missing in the database", *_missing(site, calm))

        async def kill_the_web_process() -> None:
            os.kill(site.pid_of("web-public"), signal.SIGKILL)

        rough = load.measure(host, port, seconds=max(6, seconds // 2), disturb=kill_the_web_process)
        what = "with the web process killed in the middle: acknowledged reports missing in the database"
        yield Goal("U7", what, *_missing(site, rough))
        yield at_most(
            "U7", "with the web process killed in the middle: people who never got a receipt", rough.refused, 0
        )


def _load_goals(run: load.Load, what: str) -> Iterator[Goal]:
    yield at_least("U7", f"reports sent a second, journeys beside{what}", run.rate(), 50)
    yield at_most("U7", f"server, 95th percentile of all answers{what}", run.p95() * 1000, 200, " ms")
    yield at_most("U7", f"people who never got a receipt{what}", run.refused, 0)
    yield at_most("U7", f"the load's own lateness{what}", run.late, 1.0, " s")


def _missing(site: Installation, run: load.Load) -> tuple[str, str, bool]:
    there = set(site.sql("SELECT string_agg(number, ',') FROM intake_report").split(","))
    missing = len(set(run.acknowledged) - there)
    return f"{missing} of {len(set(run.acknowledged))}", "0", missing == 0 < len(run.acknowledged)
