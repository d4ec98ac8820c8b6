import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import Invalid, NotFound
from vigil.core.ids import (
    ALPHABET,
    format_number,
    issue_number,
    new_id,
    number_from_bits,
    parse_number,
    random_number,
    resolve_number,
)

numbers = st.integers(0, 2**45 - 1).map(number_from_bits)


@given(numbers)
def test_a_number_survives_being_read_aloud_and_typed_again(number):
    assert len(number) == 10 and set(number) <= set(ALPHABET)
    assert parse_number(format_number(number).lower().replace("0", "o").replace("1", "l")) == number


@given(numbers, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(number, place, character):
    if number[place] == character:
        return
    with pytest.raises(Invalid):
        parse_number(number[:place] + character + number[place + 1 :])


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_unreadable(text):
    try:
        assert len(parse_number(text)) == 10
    except Invalid as error:
        assert error.code == "number.unreadable"


def test_a_number_leads_back_to_its_subject(db):
    subject = new_id()
    number = issue_number("case", subject)
    assert resolve_number(format_number(number)) == ("case", subject)
    with pytest.raises(NotFound):
        resolve_number(random_number())


def test_ids_sort_by_time():
    ids = [new_id() for _ in range(50)]
    assert ids == sorted(ids) and ids[0].version == 7
