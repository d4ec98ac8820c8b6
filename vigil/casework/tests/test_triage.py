"""Triage is total, deterministic and never less urgent for knowing more."""

from __future__ import annotations

import json

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from vigil.casework import triage
from vigil.casework.triage import (
    FOLLOW_UPS,
    SITUATIONS,
    Band,
    band_of,
    band_of_situation,
    sensitivity_of,
    situations_of,
)

YES_NO = st.sampled_from(["yes", "no", "unsure"])
AGES = ["under_13", "13_15", "16_17", "18_plus", "no_answer"]
answers_of_the_form = st.fixed_dictionaries(
    {
        "danger": YES_NO,
        "who": st.sampled_from(["me", "known", "professional", "saw", "other"]),
        "situations": st.lists(st.sampled_from(SITUATIONS), max_size=4),
    },
    optional={"age_band": st.sampled_from(AGES), **dict.fromkeys(FOLLOW_UPS, YES_NO)},
)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["danger", "who", "age_band", "situations", "follow_ups", *FOLLOW_UPS]), inner
        )
    ),
    max_leaves=12,
)


@given(any_json)
def test_any_value_gets_a_band_with_reasons_that_have_words(value):
    band = band_of(value)

    assert band.level in triage.LEVELS
    assert band.reasons
    assert set(band.reasons) <= set(triage.REASON_CODES)
    assert sensitivity_of(value) in {1, 2, 3}
    assert situations_of(value)


@given(answers_of_the_form)
def test_the_same_answers_always_give_the_same_band(answers):
    assert band_of(answers) == band_of(json.loads(json.dumps(answers)))
    assert band_of(answers) == band_of(dict(reversed(answers.items())))


@given(answers_of_the_form)
def test_danger_is_always_the_most_urgent_band_and_never_lowers_it(answers):
    in_danger = band_of({**answers, "danger": "yes"})

    assert in_danger.level == 0
    assert "danger" in in_danger.reasons
    assert in_danger.level <= band_of(answers).level


@given(answers_of_the_form, st.sampled_from(FOLLOW_UPS))
def test_a_follow_up_answered_yes_never_lowers_urgency(answers, question):
    assert band_of({**answers, question: "yes"}).level <= band_of(answers).level


@given(answers_of_the_form, st.sampled_from(SITUATIONS))
def test_one_more_situation_never_lowers_urgency_or_protection(answers, situation):
    more = {**answers, "situations": [*answers["situations"], situation]}

    assert band_of(more).level <= band_of(answers).level
    assert sensitivity_of(more) >= sensitivity_of(answers)


@given(answers_of_the_form, st.sampled_from(["under_13", "13_15", "16_17", "no_answer", None]))
def test_a_child_who_reports_for_themself_is_never_below_band_1(answers, age_band):
    answers = {**answers, "who": "me", "age_band": age_band}

    assert band_of(answers).level <= 1
    assert all(band_of_situation(answers, situation).level <= 1 for situation in situations_of(answers))
    assert sensitivity_of(answers) >= 2


@given(answers_of_the_form)
def test_splitting_a_report_into_incidents_makes_nothing_less_urgent(answers):
    levels = [band_of_situation(answers, situation).level for situation in situations_of(answers)]

    assert min(levels) == band_of(answers).level


@given(answers_of_the_form)
def test_follow_ups_count_the_same_flat_or_nested(answers):
    nested = {k: v for k, v in answers.items() if k not in FOLLOW_UPS}
    nested["follow_ups"] = {k: v for k, v in answers.items() if k in FOLLOW_UPS}

    assert band_of(nested) == band_of(answers)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"danger": "no", "who": "saw", "situations": ["seen_material"]}, Band(3, ("seen_material",))),
        ({"danger": "no", "who": "saw", "situations": ["other"]}, Band(5, ("information",))),
        ({"danger": "no", "who": "saw", "situations": ["enticement"]}, Band(2, ("enticement",))),
        (
            {"danger": "no", "who": "saw", "situations": ["enticement"], "meeting_planned": "yes"},
            Band(0, ("meeting_planned",)),
        ),
        ({"danger": "no", "who": "saw", "situations": ["threat"], "deadline": "yes"}, Band(0, ("deadline",))),
        ({"danger": "no", "who": "professional", "situations": ["shared_image"]}, Band(1, ("child_known",))),
        ({"danger": "unsure", "who": "saw", "situations": ["seen_material"]}, Band(2, ("danger_unsure",))),
        (
            {"danger": "no", "who": "me", "age_band": "18_plus", "situations": ["shared_image"]},
            Band(3, ("shared_image",)),
        ),
    ],
)
def test_examples(answers, expected):
    assert band_of(answers) == expected


def test_every_reason_has_words_of_its_own_in_both_languages():
    for language in ("en", "fr"):
        with translation.override(language):
            words = [triage.reason_words(code) for code in triage.REASON_CODES]
        assert len(set(words)) == len(words)
        assert not set(words) & set(triage.REASON_CODES)
    with translation.override("fr"):
        assert triage.reason_words("danger") == "Quelqu’un est en danger en ce moment."
