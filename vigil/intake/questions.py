"""The question set: codes, their words for adults and for young people, and which follow-ups belong to which situation.

Codes are stored and counted, so they are never renamed; a changed question gets a new name of the set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    Text = str | StrPromise
else:
    Text = str

QUESTION_SET = "2026-11"
STEPS = ("danger", "who", "about", "details", "contact", "check")
QUESTION_STEPS = STEPS[:-1]

MAX_LINKS = 20
MAX_HANDLES = 20
MAX_LINK_CHARACTERS = 2048
MAX_HANDLE_CHARACTERS = 200
MAX_NARRATIVE_CHARACTERS = 5000
MAX_MESSAGE_CHARACTERS = 5000
MAX_CONTACT_CHARACTERS = 300

UNDER_18_BANDS = frozenset({"under_13", "13_15", "16_17"})


@dataclass(frozen=True)
class Words:
    """One text in two registers: for anybody, and for a person under 18 who reports for themself."""

    general: Text
    young: Text

    def said_to(self, young: bool) -> Text:
        """The text in the register that fits."""
        return self.young if young else self.general


def same(text: Text) -> Words:
    """A text that needs no second register."""
    return Words(text, text)


YES_NO_UNSURE: tuple[tuple[str, Text], ...] = (("yes", _("Yes")), ("no", _("No")), ("unsure", _("I am not sure")))
YES_NO: tuple[tuple[str, Text], ...] = (("yes", _("Yes")), ("no", _("No")))

WHO: tuple[tuple[str, Text], ...] = (
    ("me", _("Me")),
    ("known", _("A child or teenager I know")),
    ("professional", _("A student, patient or client")),
    ("saw", _("Something I saw")),
    ("other", _("Something else")),
)

AGE_BANDS: tuple[tuple[str, Text], ...] = (
    ("under_13", _("Under 13")),
    ("13_15", _("13 to 15")),
    ("16_17", _("16 or 17")),
    ("18_plus", _("18 or older")),
    ("prefer_not", _("I prefer not to say")),
)

SITUATIONS: dict[str, Words] = {
    "enticement": Words(
        _("Someone is asking a child for pictures, or to meet"),
        pgettext_lazy("young", "Someone is asking me or another young person for pictures, or to meet"),
    ),
    "threat": Words(
        _("Someone threatens to share pictures"),
        pgettext_lazy("young", "Someone threatens to share pictures of me or someone else"),
    ),
    "shared_image": Words(
        _("A picture or video of a child was shared"),
        pgettext_lazy("young", "A picture or video of me or another young person was shared"),
    ),
    "seen_material": same(_("I saw a picture, a video or a site")),
    "trafficking": Words(
        _("A child is being sold or made to do things for money"),
        pgettext_lazy("young", "I am, or another young person is, being sold or made to do things for money"),
    ),
    "ai_image": same(_("A picture was made or changed with artificial intelligence")),
    "other": same(_("Something else")),
    "not_sure": same(_("I am not sure")),
}

FOLLOW_UPS: dict[str, Words] = {
    "meeting_planned": Words(
        _("Is there a plan to meet in person?"), pgettext_lazy("young", "Is there a plan to meet in person?")
    ),
    "child_sent_images": Words(
        _("Has the child sent pictures of themself?"), pgettext_lazy("young", "Did you send pictures of yourself?")
    ),
    "other_sent_images": Words(
        _("Has the other person sent pictures?"), pgettext_lazy("young", "Did the other person send you pictures?")
    ),
    "is_me": Words(
        _("Are you the person in the picture?"), pgettext_lazy("young", "Are you the person in the picture?")
    ),
    "already_shared": Words(
        _("Has the picture already been shared?"), pgettext_lazy("young", "Has the picture already been shared?")
    ),
    "identifiable": Words(
        _("Can people see who is in the picture?"), pgettext_lazy("young", "Can people see who is in the picture?")
    ),
    "deadline": Words(
        _("Did someone set a time by which something must happen?"),
        pgettext_lazy("young", "Did someone set a time by which you must do something?"),
    ),
}

_FOLLOW_UPS_OF: dict[str, tuple[str, ...]] = {
    "enticement": ("meeting_planned", "child_sent_images", "other_sent_images"),
    "threat": ("deadline", "child_sent_images", "already_shared"),
    "shared_image": ("is_me", "already_shared", "identifiable"),
    "seen_material": ("identifiable",),
    "trafficking": ("meeting_planned", "deadline"),
    "ai_image": ("is_me", "already_shared", "identifiable"),
    "other": (),
    "not_sure": (),
}


def follow_ups_for(situations: list[str], who: str) -> list[str]:
    """Which follow-up questions belong to the chosen situations, in one order. `is_me` is asked of the person alone."""
    wanted = {code for situation in situations for code in _FOLLOW_UPS_OF.get(situation, ())}
    if who != "me":
        wanted.discard("is_me")
    return [code for code in FOLLOW_UPS if code in wanted]


def is_under_18(answers: dict[str, object]) -> bool:
    """Whether the person reports for themself and says that they are under 18."""
    return answers.get("who") == "me" and answers.get("age_band") in UNDER_18_BANDS
