"""Every page of the console and of the partner origin, and the public figures, in Chromium on a played demonstration.

Each page is looked at as somebody who works there: in both languages, on the telephone and on the desk, with nothing of the
reported web alive in it. Set VIGIL_SCREENSHOTS to a folder to keep pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.conftest import ORIGINS, _is_complaint, assert_accessible, assert_reflows, take_screenshot
from tests.conftest import Played

PHONE, DESK = {"width": 320, "height": 900}, {"width": 1280, "height": 900}
ADDRESSES = """
elements => elements.flatMap(element => ['href', 'src', 'action', 'formaction'].map(name => element.getAttribute(name)))
  .filter(address => address !== null)
"""

# How each page is reached: an address, then links on the page before, where "..." stands for whatever one finds there.
WALKS = {
    "Demo Analyst": [
        ["/queue"], ["/queue?mine=1"], ["/cases"], ["/cases", "/cases/..."], ["/cases", "/cases/...", "/incidents/..."],
        ["/entries"], ["/entries?state=refused"], ["/entries", "/entries/..."], ["/reports/new"], ["/reports/list"],
        ["/sightings/"], ["/sightings/?state=confirmed"], ["/sightings/?state=confirmed", "/sightings/.../"],
        ["/board"], ["/board?state=stopped"], ["/notices"], ["/board", "/notices/..."], ["/trace/"], ["/sign-in/mine"],
    ],
    "Demo Assessor One": [["/assess"], ["/entries", "/entries/..."]],
    "Demo Removal Officer": [["/board", "/notices/..."]],
    "Demo Police Liaison": [["/referrals/"], ["/referrals/", "/referrals/.../"], ["/cases", "/cases/...", "/cases/.../refer/"]],
    "Demo Auditor": [["/figures/"], ["/cases", "/cases/...", "/incidents/..."]],
    "Demo Officer": [["/inbox/"], ["/inbox/", "/inbox/.../"], ["/sign-in/mine"]],
}  # fmt: skip
FIRST_PAGES = {
    "Demo Analyst": "/queue",
    "Demo Assessor One": "/assess",
    "Demo Removal Officer": "/board",
    "Demo Police Liaison": "/queue",
    "Demo Auditor": "/queue",
    "Demo Administrator": "/figures/",
    "Demo Officer": "/inbox/",
}


@dataclass
class Visitor:
    """One browser at one origin, with what it complained about."""

    page: Page
    home: str
    first: str = ""
    complaints: list[str] = field(default_factory=list)

    def go(self, address: str) -> int:
        """Open a page of the origin; the status of the answer."""
        answer = self.page.goto(urljoin(self.home, address))
        assert answer is not None
        return answer.status

    def links(self, within: str = "main") -> list[str]:
        """Where one can go from here."""
        return [str(link) for link in self.page.eval_on_selector_all(f"{within} a[href]", ADDRESSES)]

    def follow(self, walk: list[str]) -> int:
        """Follow a walk to its end; the status of the last page."""
        status = self.go(walk[0])
        for step in walk[1:]:
            pattern = re.escape(step).replace(r"\.\.\.", "[^/?#]+")
            address = next((link for link in self.links() if re.fullmatch(pattern, link)), None)
            assert address, f"no link to {step} on {self.page.url}"
            status = self.go(address)
        return status

    def language(self) -> str:
        """The language that the page says it is in."""
        return self.page.locator("html").get_attribute("lang") or ""

    def switch(self) -> None:
        """Use the language link and expect the same page in the other language."""
        before = self.language()
        with self.page.expect_navigation():
            self.page.locator(".masthead .language").click()
        assert self.language() == {"en": "fr", "fr": "en"}[before], f"no switch on {self.page.url}"

    def examine(self, name: str) -> None:
        """What holds for every page, in the language that it is in."""
        page, language = self.page, self.language()
        assert page.locator("h1").count() == 1 and page.locator("h1").inner_text().strip()
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            assert_reflows(page)
            take_screenshot(page, f"{name}.{size['width']}.{language}")
        own = urlsplit(self.home).hostname
        for address in page.eval_on_selector_all("[href], [src], [action], [formaction]", ADDRESSES):
            target = urlsplit(urljoin(page.url, address))
            assert target.scheme == "tel" or (target.scheme == "http" and target.hostname == own), address
        assert not re.search(r"https?://", page.locator("main").inner_text()), "a link that is not defanged"
        assert self.complaints == []

    def examine_in_both_languages(self, name: str) -> None:
        """The page, then the same page in the other language: one on the telephone and one on the desk for axe."""
        here = urlsplit(self.page.url)
        for size in (PHONE, DESK):
            self.examine(name)
            self.page.set_viewport_size(size)
            assert_accessible(self.page)
            if size is PHONE:
                self.switch()
                there = urlsplit(self.page.url)
                is_named_in_path = here.path.startswith(("/en/", "/fr/"))
                assert is_named_in_path or (there.path, there.query) == (here.path, here.query)


def _new_visitor(browser: Browser, home: str) -> Visitor:
    page = browser.new_context(locale="en-CA").new_page()
    page.set_default_timeout(30_000)
    visitor = Visitor(page, home)

    def keep(message: ConsoleMessage) -> None:
        if _is_complaint(message):
            visitor.complaints.append(message.text)

    page.on("console", keep)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    return visitor


@pytest.fixture(scope="module")
def visitor_of(browser_process: Browser, played: Played) -> Iterator[Callable[[str], Visitor]]:
    """`visitor_of("Demo Analyst")`: their browser, signed in by the link that the demonstration printed, once for all tests."""
    visitors: dict[str, Visitor] = {}

    def visitor(name: str) -> Visitor:
        if name not in visitors:
            link = played.links[name]
            made = _new_visitor(browser_process, link)
            made.go(link)
            with made.page.expect_navigation():
                made.page.locator("main button").click()
            made.first = urlsplit(made.page.url).path
            visitors[name] = made
        return visitors[name]

    yield visitor
    for made in visitors.values():
        made.page.context.close()


@pytest.fixture
def stranger(browser_process: Browser, played: Played) -> Iterator[Callable[[str], Visitor]]:
    """`stranger("partner")`: a browser that nobody has signed in with."""
    made: list[Visitor] = []

    def visitor(origin: str) -> Visitor:
        host, offset = ORIGINS[origin]
        made.append(_new_visitor(browser_process, f"http://{host}.localhost:{played.port_base + offset}/"))
        return made[-1]

    yield visitor
    for each in made:
        each.page.context.close()


def _name_of(name: str, walk: list[str]) -> str:
    return re.sub(r"[^a-z]+", "-", f"{name} {walk[-1]} {len(walk)}".lower()).strip("-")


@pytest.mark.timeout(700)
@pytest.mark.parametrize(
    ("name", "walk"),
    [(name, walk) for name, walks in WALKS.items() for walk in walks],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_each_page_is_whole_in_both_languages(visitor_of, name, walk):
    visitor = visitor_of(name)
    assert visitor.follow(walk) == 200
    assert visitor.page.locator(".places [aria-current]").count() == (walk != ["/sign-in/mine"])
    visitor.examine_in_both_languages(_name_of(name, walk))


@pytest.mark.timeout(700)
@pytest.mark.parametrize("name", FIRST_PAGES)
def test_signing_in_leads_to_the_work_and_the_navigation_only_where_the_person_may_go(visitor_of, name):
    visitor = visitor_of(name)
    assert visitor.first == FIRST_PAGES[name]
    places = visitor.links(".places")
    assert places
    assert [place for place in places if visitor.go(place) != 200] == []
    assert visitor.links(".who__name") == ["/sign-in/mine"]


def test_the_chain_around_a_number_leads_on_and_stays_when_the_language_changes(visitor_of, played):
    visitor = visitor_of("Demo Auditor")
    assert visitor.go("/trace/") == 200
    visitor.page.locator("#id_number").fill(played.steps["case"]["number"])
    with visitor.page.expect_navigation():
        visitor.page.locator(".actions button").click()
    hops = visitor.page.locator(".timeline > li")
    found = hops.count()
    assert found > 5
    visitor.examine_in_both_languages("trace-result")
    assert hops.count() == found
    one_of_each = {re.sub("[^/]+/?$", "", link): link for link in visitor.links()}
    assert set(one_of_each) == {"/incidents/", "/cases/", "/entries/", "/sightings/", "/notices/"}
    assert [link for link in one_of_each.values() if visitor.go(link) != 200] == []


def test_an_entry_that_needs_nobody_says_so_at_the_assess_desk(visitor_of, played):
    visitor = visitor_of("Demo Assessor One")
    assert visitor.go(f"/assess/{played.steps['entry']['number']}") == 200
    assert visitor.page.locator("main form").count() == 0
    visitor.examine_in_both_languages("assess-one")


@pytest.mark.parametrize(("address", "status"), [("/nowhere", 404), ("/assess", 403)])
def test_a_page_that_is_not_there_or_not_theirs_is_a_page_with_a_way_back(visitor_of, address, status):
    visitor = visitor_of("Demo Auditor")
    assert visitor.go(address) == status
    visitor.examine(f"error-{status}")
    assert_accessible(visitor.page)
    assert visitor.links() == ["/"]


@pytest.mark.parametrize(
    ("origin", "address", "status"),
    [
        ("public", "/en/figures", 200),
        ("partner", "/en/answer/no-such-link", 404),
        ("partner", "/en/answered/", 200),
        ("console", "/", 200),
        ("partner", "/", 200),
        ("console", "/demo/sign-in/no-such-link", 404),
    ],
)
def test_what_everybody_may_open_is_whole_in_both_languages(stranger, origin, address, status):
    visitor = stranger(origin)
    assert visitor.go(address) == status
    visitor.examine_in_both_languages(f"open-{origin}{address.replace('/', '-')}")
