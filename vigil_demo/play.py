"""The chain, played through the real doors: forms over HTTP as different people, mail over SMTP, the crawler's own visits."""

from __future__ import annotations

import re
import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, TypeVar

from django.db import InterfaceError, OperationalError, connection

from vigil import settings
from vigil.core import clock
from vigil.core.supervisor import own_command
from vigil_demo.browser import Browser, Form, Stuck
from vigil_demo.mail import MailServer
from vigil_demo.progress import Progress
from vigil_demo.provider import read_notice, take_down_and_answer
from vigil_demo.staff import PEOPLE, make_link
from vigil_demo.trouble import Trouble
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
Result = TypeVar("Result")


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
    trouble: Trouble | None = None
    receipts: list[Receipt] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    incidents: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    taken_down: list[str] = field(default_factory=list)

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

    def counts(self) -> dict[str, int]:
        """How much of everything there is, and how many mails with a Message-ID of their own were received."""
        tables = {
            "reports": "intake_report", "incidents": "casework_incident", "cases": "casework_case", "entries": "lists_entry",
            "sightings": "crawl_sighting", "notices": "removal_notice", "removals": "removal_removal",
            "referrals": "referral_package", "outcomes": "referral_outcome", "feed": "lists_feedrow",
        }  # fmt: skip
        counts = {name: _facts_count(table) for name, table in tables.items()}
        mails = self.stage.mail.mails_to(self.stage.abuse_mailbox)
        return {
            **counts,
            "expected_sightings": len(self.stage.world.expected_sightings()),
            "mails": len({m.message_id for m in mails}),
        }

    def _step(self, action: Callable[[], dict[str, Any]] | None) -> dict[str, Any]:
        if action is None:
            return {"ok": False, "reason": "this link is not built yet"}
        try:
            return {"ok": True, **action()}
        except Stuck as exc:
            return {"ok": False, "reason": str(exc)}
        except Exception as exc:
            place = traceback.extract_tb(exc.__traceback__)[-1]
            return {"ok": False, "reason": f"{type(exc).__name__} at {place.name}:{place.lineno}"}

    def wait_until(self, what: str, condition: Callable[[], Any]) -> Any:
        """Look again and again until something is true, at most to the deadline. Raises Stuck."""
        while True:
            if self.trouble is not None:
                self.trouble.maybe_strike()
            if found := condition():
                return found
            if time.monotonic() > self.deadline:
                raise Stuck(f"waited in vain: {what}")
            time.sleep(POLL_SECONDS)

    def browser(self, origin: str) -> Browser:
        """A fresh browser at one origin."""
        return Browser(settings.origin_url(origin), before_each=self.trouble.maybe_strike if self.trouble else None)

    def person(self, key: str) -> Browser:
        """The browser of a member of staff, signed in through the demonstration's one-use link."""
        if key not in self.browsers:
            person = next(person for person in PEOPLE if person.key == key)
            browser = self.browser(person.origin)
            browser.get(_patiently(lambda: make_link(key, clock.now()))).expect()
            browser.submit(browser.form(having="csrfmiddlewaretoken")).expect()
            self.browsers[key] = browser
        return self.browsers[key]

    # ---- the public -----------------------------------------------------------------------------------------------------
    def _report(self) -> dict[str, Any]:
        for position, url in enumerate(self.stage.world.report_urls):
            who = {"who": "me", "age_band": "18_plus"} if position == 0 else {"who": "saw"}
            self.receipts.append(self._send_report(url, language="fr" if position % 2 else "en", who=who))
        return {"number": self.receipts[0].number, "note": f"{len(self.receipts)} reports, in English and French"}

    def leave_something_to_try(self) -> None:
        """A few reports that nobody has worked on yet, of different urgency, for whoever looks at the site afterwards."""
        troubles = list(self.stage.world.troubles.values())
        self._send_report(troubles[0], language="en", who={"who": "known"}, danger="yes", situation="enticement")
        self._send_report(troubles[1], language="fr", who={"who": "me", "age_band": "13_15"}, situation="threat")
        self._send_report(troubles[2], language="en", who={"who": "saw"})

    def _send_report(
        self, url: str, *, language: str, who: dict[str, str], danger: str = "no", situation: str = "seen_material"
    ) -> Receipt:
        browser = self.browser("public")
        browser.get(f"/{language}/").expect()
        browser.get(browser.links("before-you-start" if language == "en" else "avant-de-commencer")[0]).expect()
        browser.get(browser.links("danger" if language == "en" else "/signaler/")[0]).expect()
        _next(browser, danger=danger)
        _next(browser, **who)
        _next(browser, situations=[situation])
        _next(browser, link_0=url)
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
                f"candidates of incident {number}", partial(_shows_one_of, wanted, analyst, f"/incidents/{number}")
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
        self.wait_until("every copy is found", lambda: _facts_count("crawl_sighting") >= expected)
        numbers: list[str] = []
        while waiting := _numbers(officer.get("/sightings/").expect().links("/sightings/")):
            for number in waiting:
                officer.get(f"/sightings/{number}/").expect()
                officer.submit(officer.form(action="/confirm")).expect()
            numbers += waiting
        return {
            "number": self._traced("sighting", self.entries[0]),
            "note": f"{expected} places found; a person confirmed the {len(numbers)} that only look alike",
        }

    def _notice(self) -> dict[str, Any]:
        expected, box = len(self.stage.world.expected_sightings()), self.stage.abuse_mailbox
        self.wait_until("a notice for every sighting", lambda: len(self.stage.mail.mails_to(box)) >= expected)
        return {"number": self._traced("notice", self.entries[0]), "note": f"{expected} mails to the provider"}

    def _removal(self) -> dict[str, Any]:
        answered: set[str] = set()
        for mail in self.stage.mail.mails_to(self.stage.abuse_mailbox):
            notice = read_notice(mail)
            if notice.number not in answered:
                take_down_and_answer(mail, self.stage.world.take_down)
                answered.add(notice.number)
                self.taken_down.append(notice.url)
        self.wait_until(
            "every place is seen gone once",
            lambda: _facts_count("removal_notice", "first_down_at IS NOT NULL") >= len(answered),
        )
        _patiently(lambda: clock.advance(settings.REMOVAL_VISITS_APART_SECONDS + 60))
        self.wait_until(
            "every removal is confirmed by a second visit", lambda: _facts_count("removal_removal") >= len(answered)
        )
        return {
            "number": self._traced("removal", self.entries[0]),
            "note": f"{len(answered)} places gone on two visits apart",
        }

    # ---- the police -------------------------------------------------------------------------------------------------------------
    def _referral(self) -> dict[str, Any]:
        liaison = self.person("liaison")
        for number in self.cases:
            liaison.get(f"/cases/{number}").expect()
            addresses = [address for address in liaison.links("/cases/") if address.rstrip("/").endswith("/refer")]
            liaison.get((addresses or _missing(f"no way to refer case {number}"))[0]).expect()
            form = liaison.form(having="agency")
            liaison.submit(form, agency=next(filter(None, form.options("agency"))), read="on").expect()
        officer = self.person("officer")
        self.wait_until(
            "every package reaches the agency's inbox",
            lambda: len(_package_links(officer.get("/inbox/").expect())) >= len(self.cases),
        )
        self.packages = _package_links(officer)
        for address in self.packages:
            officer.get(address).expect()
            officer.submit(officer.form(action="/acknowledge")).expect()
        return {
            "number": self._traced("referral", self.cases[0]),
            "note": f"{len(self.packages)} packages, each acknowledged",
        }

    def _outcome(self) -> dict[str, Any]:
        officer = self.person("officer")
        for address in self.packages:
            officer.get(address).expect()
            officer.submit(officer.form(action="/outcome"), kind="child_safe").expect()
        return {
            "number": self._traced("outcome", self.cases[0]),
            "note": f"{len(self.packages)} outcomes returned to the hotline",
        }

    # ---- the auditor ----------------------------------------------------------------------------------------------------
    def _audit(self) -> dict[str, Any]:
        time.sleep(settings.AUDIT_HEAD_SECONDS * 2)  # the heads of all chains are signed once more
        return {"note": _command("audit", "verify").splitlines()[-1]}

    def _statistics(self) -> dict[str, Any]:
        auditor = self.person("auditor")
        auditor.get("/figures/").expect()
        auditor.submit(auditor.form(having="request_id")).expect()
        public = self.browser("public")
        self.wait_until(
            "the release is public", lambda: public.get("/figures.json").status == 200 and b"figures" in public.body
        )
        for page in ("/en/figures", "/fr/chiffres", "/figures.csv"):
            public.get(page).expect()
        agreed = _command("statistics", "recount").splitlines()[-1]
        trace = _command("trace", self.receipts[0].number)
        missing = [
            number for number in (self.incidents[0],) if number not in trace and number.replace("-", "") not in trace
        ]
        if missing:
            raise Stuck(f"the trace of {self.receipts[0].number} does not show {missing[0]}")
        return {"note": f"released; recount: {agreed}"}

    def _traced(self, kind: str, number: str) -> str:
        """The first number of a kind on the chain around another number, as the auditor's trace page shows it."""
        auditor = self.person("auditor")
        auditor.get("/trace/").expect()
        auditor.submit(auditor.form(having="number"), number=number).expect()
        hops = [item.text(separator=" ") for item in auditor.tree.css("main ol.timeline > li")]
        found = [
            match.group() for hop in hops if hop.strip().lower().startswith(kind) and (match := NUMBER.search(hop))
        ]
        if not found:
            raise Stuck(f"no {kind} in the trace of {number}: {auditor.words()[:300]}")
        return found[0]


def _next(browser: Browser, **answers: str | list[str]) -> None:
    browser.submit(browser.form(having="action"), press=("action", "next"), **answers).expect()


def _facts_count(table: str, condition: str = "true") -> int:
    """How far the machines are, read from the database: only to know how long to wait, never to make a step hold."""

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {condition}")  # noqa: S608 - our own names
            return int(cursor.fetchone()[0])

    return _patiently(count)


def _patiently(read: Callable[[], Result]) -> Result:
    """Ask the database again, for half a minute, when it has just died: the supervisor starts it anew."""
    for _ in range(60):
        try:
            return read()
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(0.5)
    return read()


def _command(*arguments: str) -> str:
    """Run a `vigil` command as a person at a terminal; its output. Raises Stuck when it does not end well."""
    result = subprocess.run(own_command(*arguments), capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        raise Stuck(f"vigil {' '.join(arguments)}: {(result.stdout + result.stderr)[-300:]}")
    return result.stdout.strip()


def _package_links(browser: Browser) -> list[str]:
    return [address for address in browser.links("/inbox/") if re.search(r"/inbox/[0-9a-f-]{36}/$", address)]


def _missing(what: str) -> NoReturn:
    raise Stuck(what)


def _numbers(addresses: list[str]) -> list[str]:
    """The public numbers in a page's addresses, each once, in order."""
    found = [match.group() for address in addresses if (match := NUMBER.search(address))]
    return list(dict.fromkeys(found))


def _shows_one_of(wanted: set[str], browser: Browser, path: str) -> bool:
    return bool(wanted & set(re.findall(r"\b[0-9a-f]{64}\b", browser.get(path).words())))


def _forms(browser: Browser, action: str) -> list[Form]:
    return [form for form in browser.forms() if action in form.action]


def _card_hash(form: Form) -> str:
    """The SHA-256 that stands on the card around a form."""
    node = form.node.parent
    while node is not None:
        if found := re.search(r"\b[0-9a-f]{64}\b", node.text(separator=" ")):
            return found.group()
        node = node.parent
    return ""
