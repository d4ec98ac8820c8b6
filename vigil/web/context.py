"""What every page knows about the installation it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from vigil.web.help_lines import EMERGENCY, HELP_LINES


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


def current_language() -> str:
    """`en` or `fr`."""
    return "fr" if (get_language() or "en").startswith("fr") else "en"


def operator_in(language: str) -> Operator:
    """The operator's own words in one language. A text given in one language only counts as missing in the other."""
    facts: dict[str, Any] = settings.OPERATOR

    def say(name: str) -> str:
        return str(facts.get(f"{name}_{language}") or facts.get(name) or "")

    return Operator(
        name=say("name") or "Vigil",
        phone=str(facts.get("phone") or ""),
        hours=say("hours"),
        readers=say("readers"),
    )


def form_is_open() -> bool:
    """An installation opens its form only when readers, telephone and hours are named in both languages."""
    return all(operator_in(language).is_named for language in ("en", "fr"))


def installation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: demonstration or not, operator, help lines, language."""
    language = current_language()
    return {
        "demo": settings.VIGIL_DEMO,
        "operator": operator_in(language),
        "form_is_open": form_is_open(),
        "emergency": EMERGENCY,
        "help_lines": HELP_LINES,
        "language": language,
    }
