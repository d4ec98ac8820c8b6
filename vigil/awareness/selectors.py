"""Reads: a page, its HTML, the pages of each audience."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.urls import NoReverseMatch
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import override

from vigil.awareness import facts, markdown
from vigil.awareness.pages import AUDIENCES, Page, Text, all_pages
from vigil.core.hotline import hotline
from vigil.web.http import page_url

#: The page that lists the others.
INDEX = "learn"


@dataclass(frozen=True)
class Group:
    """The pages for one audience, in one language."""

    audience: str
    title: str
    links: tuple[tuple[str, Text, str], ...]  # code, text, address

    @property
    def anchor(self) -> str:
        """Its place in the index."""
        return self.audience.replace("_", "-")


def page_of(code: str) -> Page:
    """One page by its code."""
    return all_pages()[code]


def title_of_audience(audience: str) -> str:
    """How an audience is called in the active language."""
    return {
        "teens": _("If you are 13 to 17"),
        "under_13": _("Under 13, with an adult"),
        "parents": _("For parents"),
        "teachers": _("For teachers"),
        "bystanders": _("You saw something"),
        "site": _("About this site"),
    }.get(audience, _("For everyone"))


def groups_in(language: str) -> list[Group]:
    """Every audience that has pages, with their links: the index, without the index itself and the pages about this site."""
    groups = []
    for audience in AUDIENCES:
        found = tuple(
            (page.code, page.texts[language], page_url(f"awareness:{page.code}", language))
            for page in all_pages().values()
            if page.audience == audience
        )
        found = tuple(link for link in found if link[0] != INDEX)
        if found and audience != "site":
            groups.append(Group(audience, title_of_audience(audience), found))
    return groups


def in_footer(language: str) -> list[tuple[str, str]]:
    """What every page of the public leads to: short name and address of the index and the pages about this site."""
    pages = sorted(all_pages().values(), key=lambda page: page.code != INDEX)
    try:
        return [
            (page.texts[language].short, page_url(f"awareness:{page.code}", language))
            for page in pages
            if page.texts[language].short
        ]
    except NoReverseMatch:  # an origin without these pages
        return []


def index_title(language: str) -> str:
    """Title of the index, or an empty text where there is none."""
    return all_pages()[INDEX].texts[language].title if INDEX in all_pages() else ""


def audiences_in(language: str) -> list[tuple[str, str]]:
    """Each audience that has pages: what it is called, and where the index lists its pages."""
    if INDEX not in all_pages():
        return []
    try:
        index = page_url(f"awareness:{INDEX}", language)
        return [(group.title, f"{index}#{group.anchor}") for group in groups_in(language)]
    except NoReverseMatch:  # an origin without these pages
        return []


def html_of(code: str, language: str) -> SafeString:
    """The text of a page as HTML, cleaned; made once a process, since pages and facts do not change while it runs."""
    return _html_of(hotline().folder, settings.VIGIL_DEMO, code, language)


@cache
def _html_of(folder: Path, demo: bool, code: str, language: str) -> SafeString:
    page = page_of(code)
    with override(language):
        html = markdown.render(
            page.texts[language].body,
            address=lambda target: page_url(f"awareness:{target}", language),
            fact=lambda name: facts.within(name, language),
            line=lambda names: facts.line(names, language, young=page.register == "young"),
        )
    return mark_safe(html)  # noqa: S308  what nh3 has cleaned
