"""What a question or an answer may mean: the fixed words that triage, packages and figures read, whatever a set asks.

They are stored and counted, so they are never renamed. A question set says with `means` which question gives which signal.
"""

from __future__ import annotations

YES_NO_UNSURE = frozenset({"yes", "no", "unsure"})
AGE_BANDS = frozenset({"under_13", "13_15", "16_17", "18_plus", "unsure", "prefer_not"})
UNDER_18_BANDS = frozenset({"under_13", "13_15", "16_17"})
FOLLOW_UPS = (
    "meeting_planned",
    "child_sent_images",
    "other_sent_images",
    "is_me",
    "already_shared",
    "identifiable",
    "deadline",
)

#: Signals of one answer, with the values that they may have; None: any code (a region, a language).
ONE_OF: dict[str, frozenset[str] | None] = {
    "danger": YES_NO_UNSURE,
    "who": frozenset({"me", "known", "professional", "saw", "other", "prefer_not"}),
    "age_band": AGE_BANDS,
    "child_age_band": AGE_BANDS,
    "region": None,
    "out_of_scope": frozenset({"adults", "scam", "other_crime", "none", "unsure"}),
    "contact_safety": frozenset({"any_way", "careful", "not_now"}),
    "contact_language": None,
    "may_share": frozenset({"yes", "no"}),
    **dict.fromkeys(FOLLOW_UPS, YES_NO_UNSURE),
}
#: Signals of several answers.
SOME_OF: dict[str, frozenset[str]] = {
    "situations": frozenset(
        {
            "enticement",
            "threat",
            "shared_image",
            "seen_material",
            "trafficking",
            "ai_image",
            "other",
            "not_sure",
        }
    ),
}
#: What a text is: these have a place of their own in a report.
TEXTS = frozenset({"narrative", "contact_name", "contact_way", "contact_safe"})
#: Without a question for each of these nobody could tell what is urgent.
NEEDED = ("danger", "who", "situations")
EVERY = (*ONE_OF, *SOME_OF, *sorted(TEXTS))
