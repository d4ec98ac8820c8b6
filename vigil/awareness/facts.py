"""What a page asks for by name: the operator's numbers, help lines, statements and buttons, as HTML."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import NoReverseMatch
from django.utils.html import escape, format_html

from vigil.core.hotline import hotline, said
from vigil.web.http import page_url

#: Where each button leads; an installation without such a page shows no button.
_DOORS = {
    "report": "intake:before",
    "image_help": "imagehelp:who",
    "talk": "intake:help",
    "check": "intake:status",
}


def within(name: str, language: str) -> str:
    """HTML of a fact within a sentence."""
    facts = hotline()
    if name == "emergency":
        return format_html('<a class="nowrap" href="tel:{}">{}</a>', facts.emergency.replace(" ", ""), facts.emergency)
    return escape(facts.operator.name(language))


def line(names: list[str], language: str, *, young: bool) -> str:
    """HTML of a line of its own: one panel or list, or some buttons side by side. Empty where there is nothing to say."""
    facts, (name, _space, which) = hotline(), names[0].partition(" ")
    operator = facts.operator
    context: dict[str, Any] = {
        "name": name,
        "young": young,
        "emergency": facts.emergency,
        "operator_name": operator.name(language),
        # A demonstration answers no telephone and no mail.
        "phone": "" if settings.VIGIL_DEMO else operator.phone,
        "mail": "" if settings.VIGIL_DEMO else operator.email,
        "hours": said(operator.hours, language),
        "readers": said(operator.readers, language),
        "buttons": [(each, address) for each in names if (address := _address(each, language))],
        "help_lines": _help_lines(language, which) if name == "help" else [],
        "statement": facts.statement(which, language) if name == "statement" else "",
        "terms": [(said(term.plain, language), said(term.terms, language), said(term.source, language))
                  for term in facts.jurisdiction.terms],
    }  # fmt: skip
    return render_to_string("awareness/facts.html", context)


def _help_lines(language: str, audience: str) -> list[Any]:
    return [each.in_language(language) for each in hotline().help_lines_for(language, audience=audience)]


def _address(name: str, language: str) -> str:
    if name not in _DOORS or (name == "report" and not hotline().form_may_open):
        return ""
    try:
        return page_url(_DOORS[name], language)
    except NoReverseMatch:
        return ""
