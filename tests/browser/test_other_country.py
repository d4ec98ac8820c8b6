"""A country that is not Canada, with two languages that are neither English nor French, on a real server in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from django.utils import formats, translation
from playwright.sync_api import Page, expect

from tests.browser.conftest import Installation, assert_accessible, assert_reflows, new_installation, take_screenshot
from tests.hotlines import examplia
from tools.translations import public_messages

CHOICES = {"danger": "no", "who": "saw", "situations": "seen_material"}
OTHER = {"eo": "ia", "ia": "eo"}
#: Where pages show what the person typed, or codes.
TYPED = "#number, #secret, .check__value, dd, code, .spelled"
#: What a person sees or hears of a page: its text, its title and the words in attributes.
ALL_WORDS = """() => [document.title, document.body.innerText,
    ...[...document.querySelectorAll('[aria-label], [alt], [placeholder], [title]')].flatMap(
        (each) => ['aria-label', 'alt', 'placeholder', 'title'].map((name) => each.getAttribute(name) || ''))].join('\\n')"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Examplia's operator."""
    return examplia.write_folder(tmp_path_factory.mktemp("operator") / "examplia")


@pytest.fixture(scope="module")
def other_country(pytestconfig: pytest.Config, facts: Path) -> Iterator[Installation]:
    """The public origin of Examplia's hotline as its real process."""
    with new_installation(pytestconfig.rootpath, "examplia", VIGIL_HOTLINE_DIR=str(facts)) as installation:
        installation.start("keyd")
        installation.start("web", "public")
        yield installation


@pytest.fixture(scope="module")
def own_words(facts: Path) -> frozenset[str]:
    """The words that the operator's own file brings: only these may stand in Latin letters without marks."""
    said = (facts / "hotline.toml").read_text(encoding="utf-8")
    for language in OTHER:
        with translation.override(language):
            # Names of months come with Django.
            said += " ".join(formats.date_format(date(2026, month, 1), "DATE_FORMAT") for month in range(1, 13))
    return frozenset(re.findall(r"[A-Za-z]{3,}", said))


@pytest.fixture(scope="module")
def english() -> list[str]:
    """Every sentence of the public pages in English, up to its first placeholder or tag."""
    heads = (re.split(r"%\(|<|\{", str(message.id))[0].strip() for message in public_messages("eo") if message.id)
    return sorted({head for head in heads if len(head) >= 8})


class Walker:
    """Goes through the report of any question set, and looks at every page for what does not belong to the country."""

    def __init__(self, page: Page, site: Installation, own_words: frozenset[str], english: list[str]) -> None:
        self.page, self.site, self.own_words, self.english = page, site, own_words, english
        self.seen: list[str] = []

    def look(self, language: str) -> None:
        expect(self.page.locator("html")).to_have_attribute("lang", language)
        words = self.page.evaluate(ALL_WORDS)
        # What the person typed is theirs, and a receipt's number and secret have letters.
        typed = " ".join(self.page.locator(TYPED).all_inner_texts())
        latin = set(re.findall(r"[A-Za-z]{3,}", words)) - self.own_words - set(re.findall(r"[A-Za-z]{3,}", typed))
        assert latin == set(), f"{self.page.url} says {sorted(latin)}"
        assert [sentence for sentence in self.english if sentence in words] == []
        for number in ("911", "686868", "1-800", "9-8-8", "988"):
            assert number not in words, self.page.url
        assert "112" in words and "116 111" in words, self.page.url
        assert self.page.locator("a[href='tel:112']").first.is_visible()
        self.seen.append(self.page.url)

    def start(self, language: str) -> None:
        self.page.goto(self.site.url("public", f"/{language}/"))
        self.look(language)
        self.page.locator(".doors a").first.click()
        self.look(language)
        self.page.locator(".actions a.button").first.click()

    def fill(self) -> bool:
        """Answer what this page asks; True when it has the field for a person's own words."""
        for name in self.page.evaluate(
            "() => [...new Set([...document.querySelectorAll('main input[type=radio]')].map((each) => each.name))]"
        ):
            wanted = self.page.locator(f"input[name={name}][value={CHOICES.get(name, 'unsure')}]")
            if name in CHOICES and wanted.count():
                wanted.check()
        if self.page.locator("input[name=situations]").count():
            self.page.locator(f"input[name=situations][value={CHOICES['situations']}]").check()
        words = self.page.locator("textarea[name=narrative]")
        if words.count():
            self.page.locator("input[name=link_0]").fill("https://pictures.example/7")
            words.fill("Xyz 123")
        return bool(words.count())

    def press(self) -> None:
        self.page.locator(".actions button").first.click()


@pytest.mark.parametrize("language", ["eo", "ia"])
def test_a_whole_report_in_a_language_of_another_country_switched_in_the_middle(
    other_country, new_page, own_words, english, language
):
    page = new_page(width=320, height=568, scripts=False)
    walk = Walker(page, other_country, own_words, english)
    walk.start(language)
    spoken, switched = language, False
    for _step in range(12):
        walk.look(spoken)
        assert_reflows(page)
        if walk.fill() and not switched:
            names = page.evaluate("() => [...document.querySelectorAll('main [name]')].map((each) => each.name)")
            page.locator("button.language").click()
            spoken, switched = OTHER[spoken], True
            walk.look(spoken)
            assert names == page.evaluate(
                "() => [...document.querySelectorAll('main [name]')].map((each) => each.name)"
            )
            expect(page.locator("textarea[name=narrative]")).to_have_value("Xyz 123")
            expect(page.locator("input[name=link_0]")).to_have_value("https://pictures.example/7")
        take_screenshot(page, f"examplia-{spoken}-320-{len(walk.seen)}")
        walk.press()
        if page.locator("#number").count():
            break
    walk.look(spoken)
    assert switched and len(walk.seen) >= 9
    take_screenshot(page, f"examplia-{spoken}-320-sent")
    number = page.locator("#number").inner_text().replace("-", "")
    assert other_country.sql(f"SELECT language FROM intake_report WHERE number = '{number}'") == spoken


@pytest.mark.parametrize("language", ["eo", "ia"])
def test_every_page_without_a_form_speaks_the_country_and_its_language(
    other_country, new_page, own_words, english, language
):
    page = new_page()
    walk = Walker(page, other_country, own_words, english)
    page.goto(other_country.url("public", f"/{language}/"))
    links = page.evaluate(
        "() => [...document.querySelectorAll('a[href^=\"/\"]')].map((each) => each.getAttribute('href'))"
    )
    paths = [path for path in dict.fromkeys(links) if path.startswith(f"/{language}/") and "#" not in path]
    leave = [path for path in paths if page.locator(f"a#leave[href='{path}']").count()]
    assert len(paths) >= 5 and leave
    for path in [each for each in paths if each not in leave]:
        page.goto(other_country.url("public", path))
        walk.look(language)
        assert_accessible(page)
        assert_reflows(page)
        assert page.locator(".language").get_attribute("lang") == OTHER[language]
        take_screenshot(page, f"examplia-{language}-1280-{path.strip('/').replace('/', '-')}")
    assert page.locator("img").count() == 1
    assert page.evaluate("() => [...document.images].every((each) => each.complete && each.naturalWidth === 120)")


def test_an_unknown_page_the_front_door_and_the_way_out_are_the_countrys_too(other_country, new_page, english):
    page = new_page()
    page.goto(other_country.url("public", "/"))
    assert [each.inner_text() for each in page.locator(".doors a").all()] == ["Esperanto", "Interlingua"]
    assert "112" in page.inner_text("body")

    def ask(path: str) -> httpx.Response:
        # Resolvers of clients that are no browsers do not know *.localhost.
        host = {"host": f"report.localhost:{other_country.base}"}
        return httpx.get(f"http://127.0.0.1:{other_country.base}{path}", headers=host)

    for language in ("eo", "ia"):
        lost = ask(f"/{language}/nenie")
        assert lost.status_code == 404 and f'<html lang="{language}"' in lost.text
        assert "112" in lost.text and "911" not in lost.text
        assert [sentence for sentence in english if sentence in re.sub(r"<[^>]+>", " ", lost.text)] == []
        page.goto(other_country.url("public", f"/{language}/"))
        gone = ask(page.locator("a#leave").get_attribute("href") or "")
        assert (gone.status_code, gone.headers["location"]) == (303, f"https://weather.example/{language}")
    assert [ask(address).status_code for address in ("/en/", "/fr/", "/fr/signaler/danger")] == [404, 404, 404]


def test_two_hotlines_run_side_by_side_on_one_machine(other_country, public_site, new_page):
    page = new_page()
    page.goto(public_site.url("public", "/en/"))
    assert "911" in page.inner_text("body") and "112" not in page.inner_text("body")
    page.goto(other_country.url("public", "/eo/"))
    assert "112" in page.inner_text("body") and "911" not in page.inner_text("body")
    count = "SELECT count(*) FROM intake_draft"
    assert other_country.sql(count).isdigit() and public_site.sql(count).isdigit()
    assert other_country.var != public_site.var and other_country.base != public_site.base
