"""Where real help is: facts about other services, as data. Read 2026-11; an operator checks them before opening.

Sources: kidshelpphone.ca, pages "Who is Kids Help Phone?" and "Text about it" (telephone and text, day and night, in
English and French); cybertip.ca, page "How it works" (telephone, address); cyberaide.ca is the same service in French.
"""

from __future__ import annotations

from dataclasses import dataclass

EMERGENCY = "911"


@dataclass(frozen=True)
class HelpLine:
    """One service outside this installation: its name, telephone, text line and site in both languages."""

    code: str
    name_en: str
    name_fr: str
    phone: str
    text_en: str
    text_fr: str
    site_en: str
    site_fr: str

    def name(self, language: str) -> str:
        """What the service calls itself in one language."""
        return self.name_fr if language == "fr" else self.name_en

    def text(self, language: str) -> str:
        """How to write to it from a telephone, or an empty text."""
        return self.text_fr if language == "fr" else self.text_en

    def site(self, language: str) -> str:
        """Its host name in one language."""
        return self.site_fr if language == "fr" else self.site_en

    @property
    def phone_target(self) -> str:
        """The number as a `tel:` target."""
        return "+" + self.phone.replace("-", "")


HELP_LINES = (
    HelpLine(
        code="kids_help_phone",
        name_en="Kids Help Phone",
        name_fr="Jeunesse, J’écoute",
        phone="1-800-668-6868",
        text_en="Text 686868",
        text_fr="Textez le 686868",
        site_en="kidshelpphone.ca",
        site_fr="jeunessejecoute.ca",
    ),
    HelpLine(
        code="cybertip",
        name_en="Cybertip.ca",
        name_fr="Cyberaide.ca",
        phone="1-866-658-9022",
        text_en="",
        text_fr="",
        site_en="cybertip.ca",
        site_fr="cyberaide.ca",
    ),
)
