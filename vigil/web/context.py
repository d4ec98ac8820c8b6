"""What every page knows: the operator, the help lines of the place, whether this is a demonstration, the language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from vigil.core.hotline import hotline
from vigil.web.languages import current_language as current_language


@dataclass(frozen=True)
class Operator:
    """Who runs this installation, in one language. Empty texts mean: the operator has not named it yet."""

    name: str
    phone: str
    hours: str
    readers: str

    @property
    def is_named(self) -> bool:
        """True when readers, telephone and hours are named: only then may the form open."""
        return bool(self.readers.strip() and self.phone.strip() and self.hours.strip())


def operator_in(language: str) -> Operator:
    """The operator's own words in one language. A text given in one language only counts as missing in the other."""
    facts = hotline().operator
    return Operator(
        name=facts.name(language),
        phone=facts.phone,
        hours=facts.hours.get(language, ""),
        readers=facts.readers.get(language, ""),
    )


def form_is_open() -> bool:
    """An installation opens its form only when readers, telephone and hours are named in every public language."""
    return hotline().form_may_open


def help_lines_in(language: str, region: str = "", audience: str | None = None) -> dict[str, Any]:
    """Whom else to call, for a template: `help_lines` of the person's place, and those `elsewhere` by region's name."""
    facts = hotline()
    regional = [
        (place.name(language), [line.in_language(language) for line in lines])
        for place in facts.regions
        if place.code != region
        and (lines := [line for line in facts.help_lines_for(language, place.code, audience) if line.regions])
    ]
    return {
        "help_lines": [line.in_language(language) for line in facts.help_lines_for(language, region, audience)],
        "help_lines_elsewhere": regional,
    }


def installation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: demonstration or not, operator, help lines, language."""
    language, facts = current_language(), hotline()
    return {
        "demo": settings.VIGIL_DEMO,
        "operator": operator_in(language),
        "form_is_open": form_is_open(),
        "emergency": facts.emergency,
        "emergency_numbers": facts.emergency_numbers,
        **help_lines_in(language),
        "not_in_trouble": facts.statement("not_in_trouble", language),
        "language": language,
    }
