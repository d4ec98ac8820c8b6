"""Every page that the public can reach without a browser, in both languages and registers and in all of its states.

A walk like that of a browser without scripts: it fills in whatever a page asks, so a changed question set needs no change
here. Used by the tests that read pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.test import Client
from selectolax.lexbor import LexborHTMLParser, LexborNode

from tests.project.conftest import Route
from vigil.core.hotline import hotline
from vigil.web.http import page_url

#: Which answer of a group is chosen, the first of these that it has; and what is typed where a page asks for words.
CHOICES = {"young": ("13_15", "me", "yes"), "general": ("saw", "no")}
WORDS = {
    "link": "https://pictures.example/page/7",
    "handle": "name123",
    "number": "0000-000-000",
    "secret": "0" * 16,
    "pasted": "pdq:" + "a5c3" * 16 + ":100",
}


@dataclass(frozen=True)
class Shown:
    """One page as it was answered."""

    name: str
    language: str
    register: str
    status: int
    html: str


class Walker:
    """A client at the public door that fills in forms."""

    def __init__(self, language: str, register: str) -> None:
        self.client = Client(headers={"host": settings.HOST_OF_ORIGIN["public"]})
        self.language, self.register = language, register

    def show(self, name: str, answer: Any, register: str = "") -> Shown:
        """The answer of a request, or the page that it leads to."""
        while answer.status_code in {301, 302, 303} and answer["Location"].startswith("/"):
            answer = self.client.get(answer["Location"].partition("#")[0], secure=True)
        self.path = answer.request["PATH_INFO"]
        return Shown(name, self.language, register or self.register, answer.status_code, answer.content.decode())

    def get(self, path: str, name: str = "", register: str = "") -> Shown:
        """Look at one address."""
        return self.show(name or path, self.client.get(path, secure=True), register)

    def send(self, page: Shown, action: str, name: str, *, empty: bool = False, **more: object) -> Shown:
        """Send the form of a page, filled in or empty, and see what comes next."""
        found = form_of(page.html)
        assert found is not None, f"no form on {page.name}"
        data: dict[str, object] = {} if empty else answers_for(found, self.register)
        return self.show(name, self.client.post(self.path, {**data, "action": action, **more}, secure=True))


def form_of(html: str) -> LexborNode | None:
    """The form of a page that a person fills in: the one that the next step belongs to."""
    forms = LexborHTMLParser(html).css("main form")
    return next(
        (one for one in forms if one.css("input[type=radio], input[type=text], textarea, select")),
        forms[0] if forms else None,
    )


def answers_for(form: LexborNode, register: str) -> dict[str, object]:
    """An answer to everything that a form asks: one of each group, every box, some words."""
    values: dict[str, list[str]] = {}
    data: dict[str, object] = {}
    for field in form.css("input, select, textarea"):
        name, kind = field.attributes.get("name") or "", field.attributes.get("type") or field.tag
        if not name or name in {"trap", "csrfmiddlewaretoken", "action"}:
            continue
        if kind in {"radio", "checkbox"}:
            values.setdefault(f"{kind} {name}", []).append(field.attributes.get("value") or "")
        elif kind == "select":
            options = [one.attributes.get("value") or "" for one in field.css("option")]
            data[name] = next(filter(None, options), "")
        elif kind == "hidden":
            data[name] = field.attributes.get("value") or ""
        else:
            data[name] = next((words for part, words in WORDS.items() if name.startswith(part)), "")
    for key, group in values.items():
        kind, name = key.split(" ")
        data[name] = (
            group if kind == "checkbox" else next((one for one in CHOICES[register] if one in group), group[-1])
        )
    return data


def _journey(walker: Walker, page: Shown, receipt: str) -> Iterator[Shown]:
    """Each page to the receipt, and each also as it looks when nothing was filled in."""
    for step in range(1, 15):
        yield page
        if receipt in page.html:
            return
        if 'value="send"' in page.html:
            page = walker.send(page, "send", "receipt")
        elif form_of(page.html) is None:
            onward = LexborHTMLParser(page.html).css_first("main .actions a.button")
            assert onward is not None, f"no way on from {walker.path}"
            page = walker.get(onward.attributes["href"] or "", f"page {step + 1}")
        else:
            path = walker.path
            yield walker.send(page, "next", f"errors of page {step}", empty=True)
            walker.path = path
            page = walker.send(page, "next", f"page {step + 1}", narrative="Words about a page.")
    raise AssertionError(f"the walk ended at {walker.path}")


def a_report(language: str, register: str) -> Iterator[Shown]:
    """A report from the first question to the receipt; then the pages where it stands."""
    walker = Walker(language, register)
    first = walker.get(page_url("intake:question", language, page="danger"), "page 1")
    page = first
    for page in _journey(walker, first, 'id="secret"'):
        yield page
    yield from _status(walker, page)


def a_case_of_image_help(language: str, register: str) -> Iterator[Shown]:
    """Image help without scripts, with a pasted fingerprint, to its receipt."""
    walker = Walker(language, register)
    yield from _journey(walker, walker.get(page_url("imagehelp:who", language), "page 1"), 'id="code"')


def a_saved_report(language: str, register: str) -> Iterator[Shown]:
    """A report that somebody stops and comes back to."""
    walker = Walker(language, register)
    page = walker.get(page_url("intake:question", language, page="danger"), "page 1")
    for step in range(1, 4):
        page = walker.send(page, "next", f"question {step + 1}")
    if 'value="save"' not in page.html:
        return
    yield (saved := walker.send(page, "save", "kept for later"))
    code = re.search(r'id="code">([^<]+)<', saved.html)
    assert code, saved.html
    page = walker.get(page_url("intake:resume", language), "come back", "general")
    yield walker.send(page, "open", "come back, errors", empty=True)
    yield walker.send(page, "open", "come back, wrong code", code="0" * len(code[1].replace("-", "")))


def _status(walker: Walker, receipt: Shown) -> Iterator[Shown]:
    number, secret = (re.search(rf'id="{name}">([^<]+)<', receipt.html) for name in ("number", "secret"))
    assert number and secret
    page = walker.get(page_url("intake:status", walker.language), "status", "general")
    yield page
    yield walker.send(page, "open", "status, errors", empty=True)
    yield walker.send(page, "open", "status, wrong secret", number=number[1], secret="0" * 16)
    page = walker.send(page, "open", "thread", number=number[1], secret=secret[1])
    assert page.status == 200
    yield page
    yield walker.show(
        "closed receipt",
        walker.client.get(page_url("intake:sent", walker.language), secure=True),
    )


def pages_without_a_form(routes: list[Route]) -> Iterator[Shown]:
    """Every route as somebody meets it who has filled in nothing: pages, refusals, errors."""
    young = _addresses_for_young_people()
    for language in hotline().codes:
        walker = Walker(language, "general")
        for route in routes:
            if route.path.startswith(f"/{language}/") and not route.name.startswith("intake:leave"):
                page = walker.get(route.path, route.path, "young" if route.path in young else "general")
                if "<main" in page.html:
                    yield page


def _addresses_for_young_people() -> set[str]:
    from vigil.awareness.pages import all_pages

    return {
        page_url(f"awareness:{page.code}", language)
        for page in all_pages().values()
        for language in page.texts
        if page.register == "young"
    }
