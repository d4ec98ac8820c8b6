"""Triage: how urgent a report is, as a pure function of its radio and checkbox answers. No free text is read.

    B0  imminent danger: danger now, a meeting that is planned, a threat with a deadline
    B1  a child who reports for themself, or a child who can be identified now
    B2  a person with access to children
    B3  new or spreading material
    B4  known material, for removal
    B5  information, outside of the mandate

B4 is never given here: whether material is known is found by matching, not by asking. Doubt counts towards urgency: "not
sure" raises, a missing age of somebody who reports for themself counts as a child's.
Source: experience.md, section 4 (order of the queue); the bands are this system's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

IMMINENT, CHILD_NOW, PERSON_WITH_ACCESS, NEW_MATERIAL, KNOWN_MATERIAL, INFORMATION = range(6)
LEVELS = range(6)

SITUATIONS = ("enticement", "threat", "shared_image", "seen_material", "trafficking", "ai_image", "other", "not_sure")
# Which follow-up questions belong to which situation. One that belongs to no chosen situation counts for all of them.
SITUATIONS_OF_FOLLOW_UP: dict[str, frozenset[str]] = {
    "meeting_planned": frozenset({"enticement", "trafficking"}),
    "child_sent_images": frozenset({"enticement", "threat"}),
    "other_sent_images": frozenset({"enticement"}),
    "is_me": frozenset({"threat", "shared_image", "ai_image"}),
    "already_shared": frozenset({"threat", "shared_image", "ai_image"}),
    "identifiable": frozenset({"shared_image", "seen_material", "ai_image"}),
    "deadline": frozenset({"threat", "trafficking"}),
}
FOLLOW_UPS = tuple(SITUATIONS_OF_FOLLOW_UP)
ADULT = "18_plus"
KNOWS_THE_CHILD = frozenset({"known", "professional"})
ABOUT_A_CHILD = frozenset({"enticement", "threat", "shared_image", "trafficking", "ai_image"})


@dataclass(frozen=True)
class Band:
    """How urgent, and why. `level` 0 is the most urgent. `reasons` are codes, those that gave the level first."""

    level: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Answers:
    """The answers, read forgivingly: what cannot be read counts as not answered, except that it never lowers urgency."""

    danger: str
    who: str
    age_band: str
    situations: frozenset[str]
    follow_ups: Mapping[str, str]
    help_asked: bool = False

    def says(self, question: str, *answers: str) -> bool:
        return self.follow_ups.get(question) in answers

    @property
    def is_child_reporting(self) -> bool:
        return self.who == "me" and self.age_band != ADULT

    @property
    def knows_the_child(self) -> bool:
        return self.who in KNOWS_THE_CHILD


@dataclass(frozen=True)
class _Rule:
    code: str
    level: int
    words: str | Promise
    holds: Callable[[_Answers], bool]


# One rule a row; the most urgent rule that holds gives the band. No rule looks at what would make a report less urgent.
_RULES: tuple[_Rule, ...] = (
    _Rule("danger", IMMINENT, _("Someone is in danger now."), lambda a: a.danger == "yes"),
    _Rule(
        "meeting_planned",
        IMMINENT,
        _("A meeting with a child is planned."),
        lambda a: a.says("meeting_planned", "yes"),
    ),
    _Rule("deadline", IMMINENT, _("There is a threat with a deadline."), lambda a: a.says("deadline", "yes")),
    _Rule(
        "child_reports",
        CHILD_NOW,
        _("A child or teenager reports for themself, or the age of the person was not given."),
        lambda a: a.is_child_reporting,
    ),
    _Rule(
        "help_asked",
        CHILD_NOW,
        _("A person asked for help with this picture."),
        lambda a: a.help_asked and a.age_band != ADULT,
    ),
    _Rule(
        "danger_unsure_close",
        CHILD_NOW,
        _("Someone close to the child is not sure whether there is danger now."),
        lambda a: a.danger == "unsure" and (a.knows_the_child or a.who == "me"),
    ),
    _Rule(
        "meeting_unsure",
        CHILD_NOW,
        _("It is not certain that no meeting is planned."),
        lambda a: a.says("meeting_planned", "unsure"),
    ),
    _Rule("threat", CHILD_NOW, _("Someone threatens to share images."), lambda a: "threat" in a.situations),
    _Rule(
        "trafficking",
        CHILD_NOW,
        _("It may be about a child who is sold or trafficked."),
        lambda a: "trafficking" in a.situations,
    ),
    _Rule("identifiable", CHILD_NOW, _("The child can be identified."), lambda a: a.says("identifiable", "yes")),
    _Rule(
        "child_sent_images",
        CHILD_NOW,
        _("The child has sent images."),
        lambda a: a.says("child_sent_images", "yes"),
    ),
    _Rule(
        "child_known",
        CHILD_NOW,
        _("The person who reports knows the child."),
        lambda a: a.knows_the_child and bool(a.situations & ABOUT_A_CHILD),
    ),
    _Rule(
        "danger_unsure",
        PERSON_WITH_ACCESS,
        _("It is not certain that nobody is in danger."),
        lambda a: a.danger == "unsure",
    ),
    _Rule(
        "enticement",
        PERSON_WITH_ACCESS,
        _("Someone asks a child for images or to meet."),
        lambda a: "enticement" in a.situations,
    ),
    _Rule(
        "other_sent_images",
        PERSON_WITH_ACCESS,
        _("The other person has sent images to a child."),
        lambda a: a.says("other_sent_images", "yes"),
    ),
    _Rule(
        "identifiable_unsure",
        PERSON_WITH_ACCESS,
        _("The child can perhaps be identified."),
        lambda a: a.says("identifiable", "unsure"),
    ),
    _Rule(
        "close_to_a_child",
        PERSON_WITH_ACCESS,
        _("The report is for a child whom the person knows."),
        lambda a: a.knows_the_child,
    ),
    _Rule(
        "help_asked_adult",
        NEW_MATERIAL,
        _("A person who was 18 or older in it asked for help with this picture."),
        lambda a: a.help_asked and a.age_band == ADULT,
    ),
    _Rule("is_me", NEW_MATERIAL, _("The person who reports is in the image."), lambda a: a.says("is_me", "yes")),
    _Rule(
        "already_shared",
        NEW_MATERIAL,
        _("The image has been shared already."),
        lambda a: a.says("already_shared", "yes"),
    ),
    _Rule("shared_image", NEW_MATERIAL, _("An image was shared."), lambda a: "shared_image" in a.situations),
    _Rule(
        "seen_material", NEW_MATERIAL, _("Someone saw an image or a site."), lambda a: "seen_material" in a.situations
    ),
    _Rule(
        "ai_image", NEW_MATERIAL, _("It is about an image made by a computer."), lambda a: "ai_image" in a.situations
    ),
    _Rule("information", INFORMATION, _("Nothing in the answers calls for a faster band."), lambda a: True),
)
_WORDS = {rule.code: rule.words for rule in _RULES}
REASON_CODES = tuple(_WORDS)


def band_of(answers: Any) -> Band:
    """The band of a report's answers, with every reason that gave it. Total: any JSON value gets a band."""
    read = _read(answers)
    holding = [rule for rule in _RULES if rule.holds(read)]
    level = min(rule.level for rule in holding)
    return Band(level, tuple(rule.code for rule in holding if rule.level == level))


def situations_of(answers: Any) -> tuple[str, ...]:
    """The situations chosen, each once, in the order of the form; "not_sure" when none was. One incident each."""
    chosen = _read(answers).situations
    return tuple(code for code in SITUATIONS if code in chosen) or ("not_sure",)


def band_of_situation(answers: Any, situation: str) -> Band:
    """The band of one incident of a report: what was answered about its other situations does not count for it.

    The most urgent incident of a report has the report's own band: nothing gets less urgent by being split.
    """
    read = _read(answers)
    others = read.situations - {situation}
    kept = {
        name: answer
        for name, answer in read.follow_ups.items()
        if situation in SITUATIONS_OF_FOLLOW_UP[name] or not (SITUATIONS_OF_FOLLOW_UP[name] & others)
    }
    narrowed = {
        "danger": read.danger,
        "who": read.who,
        "age_band": read.age_band,
        "situations": [situation],
        "follow_ups": kept,
        "help_asked": "yes" if read.help_asked else "",
    }
    return band_of(narrowed)


def sensitivity_of(answers: Any) -> int:
    """How protected a report's incidents are: 3 restricted (trafficking), 2 protected (B0 to B2, a child), else 1.

    One value for all incidents of a report, the highest: they share the reporter's words.
    """
    read = _read(answers)
    if "trafficking" in read.situations:
        return 3
    return 2 if band_of(answers).level <= PERSON_WITH_ACCESS or read.is_child_reporting else 1


def reason_words(code: str) -> str:
    """A reason in words, in the active language."""
    return str(_WORDS.get(code, code))


def _read(answers: Any) -> _Answers:
    mapping = answers if isinstance(answers, Mapping) else {}
    nested = mapping.get("follow_ups")
    flat = {**mapping, **(nested if isinstance(nested, Mapping) else {})}
    chosen = mapping.get("situations")
    listed: Iterable[Any] = [chosen] if isinstance(chosen, str) else chosen if isinstance(chosen, (list, tuple)) else []
    return _Answers(
        danger=_text(mapping.get("danger")),
        who=_text(mapping.get("who")),
        age_band=_text(mapping.get("age_band")),
        situations=frozenset(code for code in listed if isinstance(code, str) and code in SITUATIONS),
        follow_ups={name: answer for name in FOLLOW_UPS if (answer := _text(flat.get(name)))},
        help_asked=mapping.get("help_asked") == "yes",
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
