"""The chain, played through the real doors: forms over HTTP as different people, mail over SMTP, the crawler's own visits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from vigil import settings
from vigil.core import clock
from vigil_demo.browser import Browser, Form, Stuck
from vigil_demo.mail import MailServer
from vigil_demo.progress import Progress
from vigil_demo.staff import PEOPLE, make_link
from vigil_demo.world import World

LINKS = (
    "report",
    "incident",
    "case",
    "entry",
    "sighting",
    "notice",
    "removal",
    "referral",
    "outcome",
    "audit",
    "statistics",
)
NUMBER = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{3}-[0-9A-HJKMNP-TV-Z]{3}\b")
POLL_SECONDS = 0.3


@dataclass
class Stage:
    """What surrounds the hotline in the demonstration."""

    world: World
    mail: MailServer
    abuse_mailbox: str


@dataclass
class Receipt:
    """What a reporter takes away."""

    number: str
    secret: str


@dataclass
class Player:
    """Plays the links of the chain in order and keeps what the next link needs."""

    stage: Stage
    progress: Progress
    deadline: float = 0.0
    receipts: list[Receipt] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)

    def play(self, *, deadline: float) -> dict[str, dict[str, Any]]:
        """Play every link. A link that fails says why; those after it that need it say so too."""
        self.deadline = deadline
        steps: dict[str, dict[str, Any]] = {}
        for link in LINKS:
            self.progress.doing(link)
            action: Callable[[], dict[str, Any]] | None = getattr(self, f"_{link}", None)
            steps[link] = self._step(action)
            self.progress.done(
                link,
                ok=steps[link]["ok"],
                number=steps[link].get("number", ""),
                note=steps[link].get("reason", steps[link].get("note", "")),
            )
        return steps

    def _step(self, action: Callable[[], dict[str, Any]] | None) -> dict[str, Any]:
        if action is None:
            return {"ok": False, "reason": "this link is not built yet"}
        try:
            return {"ok": True, **action()}
        except Stuck as exc:
            return {"ok": False, "reason": str(exc)}

    def wait_until(self, what: str, condition: Callable[[], Any]) -> Any:
        """Look again and again until something is true, at most to the deadline. Raises Stuck."""
        while True:
            if found := condition():
                return found
            if time.monotonic() > self.deadline:
                raise Stuck(f"waited in vain: {what}")
            time.sleep(POLL_SECONDS)

    def person(self, key: str) -> Browser:
        """The browser of a member of staff, signed in through the demonstration's one-use link."""
        if key not in self.browsers:
            person = next(person for person in PEOPLE if person.key == key)
            browser = Browser(settings.origin_url(person.origin))
            browser.get(make_link(key, clock.now())).expect()
            browser.submit(browser.form(having="csrfmiddlewaretoken")).expect()
            self.browsers[key] = browser
        return self.browsers[key]

    # ---- the public -----------------------------------------------------------------------------------------------------
    def _report(self) -> dict[str, Any]:
        for position, url in enumerate(self.stage.world.report_urls):
            self.receipts.append(self._send_report(url, language="fr" if position % 2 else "en", is_me=position == 0))
        return {"number": self.receipts[0].number, "note": f"{len(self.receipts)} reports, in English and French"}

    def _send_report(self, url: str, *, language: str, is_me: bool) -> Receipt:
        browser = Browser(settings.origin_url("public"))
        browser.get(f"/{language}/").expect()
        browser.get(browser.links("before-you-start" if language == "en" else "avant-de-commencer")[0]).expect()
        browser.get(browser.links("danger" if language == "en" else "/signaler/")[0]).expect()
        _next(browser, danger="no")
        _next(browser, **({"who": "me", "age_band": "18_plus"} if is_me else {"who": "saw"}))
        _next(browser, situations=["seen_material"])
        _next(browser, link_1=url)
        _next(browser)
        browser.submit(browser.form(having="action"), press=("action", "send")).expect()
        number = NUMBER.search(browser.words())
        secret = re.search(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}[-\s]){3}[0-9A-HJKMNP-TV-Z]{4}\b", browser.words())
        if number is None or secret is None:
            raise Stuck(f"no receipt on the page: {browser.words()[:300]}")
        return Receipt(number.group(), secret.group())

    # ---- the analyst: incidents, cases, proposals --------------------------------------------------------------------------
    def _incident(self) -> dict[str, Any]:
        analyst = self.person("analyst")
        count = len(self.receipts)
        self.wait_until(
            "every report becomes an incident",
            lambda: len(_numbers(analyst.get("/queue").links("/incidents/"))) >= count,
        )
        self.incidents = _numbers(analyst.links("/incidents/"))[:count]
        for number in self.incidents:
            analyst.get(f"/incidents/{number}").expect()
            analyst.submit(analyst.form(action="/claim")).expect()
            analyst.submit(analyst.form(action="/fetch")).expect()
        return {"number": self.incidents[0], "note": f"{count} claimed, their places handed to the crawler"}

    def _case(self) -> dict[str, Any]:
        analyst = self.person("analyst")
        for number in self.incidents:
            analyst.get(f"/incidents/{number}").expect()
            analyst.submit(analyst.form(action=f"/incidents/{number}/case")).expect()
            self.cases.append(_numbers(analyst.links("/cases/"))[0])
        return {"number": self.cases[0], "note": f"{len(self.cases)} cases"}

    def _entry(self) -> dict[str, Any]:
        analyst = self.person("analyst")
        wanted = {original.sha256 for original in self.stage.world.originals}
        for number in self.incidents:
            self.wait_until(
                f"candidates of incident {number}",
                lambda number=number: wanted & set(_hashes(analyst.get(f"/incidents/{number}"))),
            )
            form = next(form for form in _forms(analyst, "/propose") if _card_hash(form) in wanted)
            analyst.submit(form, classification="baseline").expect()
            self.entries.append(_numbers(analyst.links("/entries/"))[-1])
            analyst.submit(analyst.form(having="decision"), decision="actionable", reason="material_online").expect()
        for key in ("assessor-1", "assessor-2"):
            self._assess_all(self.person(key))
        return {"number": self.entries[0], "note": f"{len(self.entries)} entries, each seen once by two assessors"}

    def _assess_all(self, assessor: Browser) -> None:
        for number in _numbers(assessor.get("/assess").expect().links("/assess/")):
            assessor.get(f"/assess/{number}").expect()
            assessor.submit(assessor.form(action="/look")).expect()
            page_url, page = assessor.url, assessor.body
            address = (assessor.tree.css_first("img.preview") or _missing("no preview on the page")).attributes["src"]
            if not assessor.get(str(address)).expect().body.startswith(b"\x89PNG"):
                raise Stuck("the preview is not a picture")
            assessor.url, assessor.body = page_url, page
            assessor.submit(assessor.form(having="verdict"), verdict="illegal").expect()

    # ---- the crawler, the provider -------------------------------------------------------------------------------------------
    def _sighting(self) -> dict[str, Any]:
        officer = self.person("removal")
        expected = len(self.stage.world.expected_sightings())
        self.wait_until("every copy is found", lambda: self._sightings_seen(officer) >= expected)
        numbers = _numbers(officer.get("/sightings").links("/sightings/"))
        for number in numbers:
            officer.get(f"/sightings/{number}").expect()
            officer.submit(officer.form(action="/confirm")).expect()
        return {
            "number": self.first_sighting,
            "note": f"{expected} places found, {len(numbers)} near matches confirmed by a person",
        }


def _next(browser: Browser, **answers: str | list[str]) -> None:
    browser.submit(browser.form(having="action"), press=("action", "next"), **answers).expect()


def _missing(what: str) -> NoReturn:
    raise Stuck(what)


def _numbers(addresses: list[str]) -> list[str]:
    """The public numbers in a page's addresses, each once, in order."""
    found = [match.group() for address in addresses if (match := NUMBER.search(address))]
    return list(dict.fromkeys(found))


def _hashes(browser: Browser) -> list[str]:
    return re.findall(r"\b[0-9a-f]{64}\b", browser.words())


def _forms(browser: Browser, action: str) -> list[Form]:
    return [form for form in browser.forms() if action in form.action]


def _card_hash(form: Form) -> str:
    """The SHA-256 that stands on the card around a form."""
    node = form.node.parent
    while node is not None:
        if found := re.search(r"\b[0-9a-f]{64}\b", node.text()):
            return found.group()
        node = node.parent
    return ""
