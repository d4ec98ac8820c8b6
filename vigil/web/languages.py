"""Which languages a door speaks: the report site those of the hotline, staff origins and documents English and French.

The middleware of a door says so for the time of a request; outside of one the active language tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.utils.translation import get_language

from vigil.core.hotline import STAFF_LANGUAGES, hotline

_spoken_here: ContextVar[tuple[str, ...]] = ContextVar("languages_of_this_door", default=())


@contextmanager
def door_speaks(languages: tuple[str, ...]) -> Iterator[None]:
    """For the time of a request: the languages of its door, the default one first."""
    token = _spoken_here.set(languages)
    try:
        yield
    finally:
        _spoken_here.reset(token)


def public_languages() -> tuple[str, ...]:
    """Codes of the report site's languages, the default one first."""
    return hotline().codes


def languages_here() -> tuple[str, ...]:
    """Codes of the languages that this door speaks."""
    if spoken := _spoken_here.get():
        return spoken
    if settings.PROCESS in {"console", "partner"} or (get_language() or "") not in public_languages():
        return STAFF_LANGUAGES
    return public_languages()


def current_language() -> str:
    """The active language's code; this door's default when the active one is none of its languages."""
    active, here = get_language() or "", languages_here()
    return active if active in here else next((code for code in here if active.startswith(f"{code}-")), here[0])


def other_language_of(language: str) -> str:
    """The language after this one at this door; the same one where there is only one."""
    here = languages_here()
    return here[(here.index(language) + 1) % len(here)] if language in here else here[0]


def other_languages_of(language: str) -> tuple[str, ...]:
    """Every other language of this door, in order."""
    here = languages_here()
    start = here.index(language) + 1 if language in here else 0
    return tuple(code for code in (*here[start:], *here[:start]) if code != language)


def language_name(code: str) -> str:
    """What a language calls itself."""
    return str(dict(settings.LANGUAGES).get(code, code))


def language_asked_for(post: Mapping[str, str]) -> str:
    """The language whose switch in a form was pressed (action `language`, or `language-xx` where there are several)."""
    action, here = post.get("action", ""), current_language()
    if action == "language":
        return other_language_of(here)
    asked = action.removeprefix("language-")
    return asked if asked != action and asked in languages_here() else ""
