"""What pages show of links, numbers and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from vigil.web.templatetags.vigil import defang, number, visible, when

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("https://a.example/x.jpg?q=1", "hxxps[:]//a[.]example/x[.]jpg?q=1"),
        ("HTTP://A.example", "hxxp[:]//A[.]example"),
        ("ex\u00e4mple.test", "ex\u00e4mple[.]test"),
        ("https://ex\u00e4mple.test/", "hxxps[:]//xn--exmple-cua[.]test/"),
        ("name@mail.example", "name[@]mail[.]example"),
        ("\u202egpj.example", "\u27e8U+202E\u27e9gpj[.]example"),
        (None, ""),
    ],
)
def test_a_link_is_shown_so_that_nothing_turns_it_into_one(link, shown):
    assert defang(link) == shown


@given(text=st.text(max_size=200))
def test_no_text_stays_a_link_or_hides_a_direction_mark(text):
    shown = defang(text)
    assert "://" not in shown and not re.search(r"(?i)^https?", shown)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b-\u200f]", visible(text))


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", ["1,234,567", "1,234.5", "7"]), ("fr", [f"1{NBSP}234{NBSP}567", f"1{NBSP}234,5", "7"])],
)
def test_numbers_are_grouped_as_the_language_does(language, expected):
    with translation.override(language):
        assert [number(1_234_567), number(1234.5), number(7)] == expected
        assert number(None) == ""


def test_instants_are_told_in_the_zone_and_words_of_the_reader():
    instant = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)
    with translation.override("en"):
        assert when(instant) == f"November{NBSP}24, 2026, 2:30{NBSP}p.m."
        assert when(datetime(2026, 11, 24, 5, 5, tzinfo=UTC)) == f"November{NBSP}24, 2026, 12:05{NBSP}a.m."
    with translation.override("fr"):
        assert when(instant) == f"24{NBSP}novembre{NBSP}2026, 14{NBSP}h{NBSP}30"
        assert when(date(2026, 12, 1), "day") == f"1er{NBSP}décembre{NBSP}2026"
        assert when(None) == ""
