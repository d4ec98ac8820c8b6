"""What is published must not let anybody work out what is hidden: attacked by enumeration, with no word of our own reasoning."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.oversight.suppression import Counts, Protected, protect, single

CAP = 220  # no attacked table is larger than 200


@st.composite
def groups(draw: st.DrawFn) -> tuple[int, list[Counts]]:
    """A total and one or two ways to split it, with many small and borderline cells."""
    value = st.one_of(st.integers(0, 12), st.integers(0, 40), st.sampled_from([0, 1, 9, 10, 11, 19, 20]))
    first = draw(st.lists(value, min_size=1, max_size=5))
    total = sum(first)
    tables = [Counts("first", {f"a{i}": n for i, n in enumerate(first)}, zeros_shown=draw(st.booleans()))]
    if draw(st.booleans()):
        cuts = sorted(draw(st.lists(st.integers(0, total), max_size=3)))
        second = [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]
        tables.append(Counts("second", {f"b{i}": n for i, n in enumerate(second)}, zeros_shown=draw(st.booleans())))
    return total, tables


def possible(state: str, value: int, zeros_shown: bool, *, is_total: bool = False) -> set[int]:
    """What an attacker believes that a published figure may be, from how it is shown alone."""
    if state == "shown":
        return {value}
    if state == "none":
        return {0}
    if state == "few":
        return set(range(1 if zeros_shown or is_total else 0, 10))
    return set(range(CAP + 1))


def sums(options: list[set[int]]) -> set[int]:
    reached = {0}
    for option in options:
        reached = {a + b for a in reached for b in option if a + b <= CAP}
    return reached


def attack(total: int, tables: list[Counts], shown: Protected) -> dict[tuple[str, str], set[int]]:
    """For every hidden cell all values that fit everything that is published."""
    # A cell that is hidden to protect others is at least ten, unless its whole table is withheld; the attacker knows that too.
    at_least_ten = set(range(10, CAP + 1))
    believed = {
        table.code: {
            cell: at_least_ten
            if (state := shown.cells[table.code][cell]) == "withheld" and "few" in shown.cells[table.code].values()
            # In a group of fewer than ten everything is hidden alike, zeros too.
            else possible(state, count, table.zeros_shown and shown.total == "shown")
            for cell, count in table.cells.items()
        }
        for table in tables
    }
    fitting_totals = possible(shown.total, total, False, is_total=True)
    for options in believed.values():
        fitting_totals = fitting_totals & sums(list(options.values()))
    found = {}
    for code, options in believed.items():
        for cell, values in options.items():
            rest = sums([other for name, other in options.items() if name != cell])
            found[code, cell] = {value for value in values if any(each - value in rest for each in fitting_totals)}
    return found


@settings(max_examples=1500, deadline=None)
@given(group=groups())
def test_no_hidden_cell_can_be_narrowed_below_the_rule(group):
    total, tables = group

    shown = protect(total, tables)

    found = attack(total, tables, shown)
    for table in tables:
        for cell, count in table.cells.items():
            state = shown.cells[table.code][cell]
            assert count in found[table.code, cell], "the attacker must at least think the truth possible"
            if state == "few" and shown.total == "shown":
                assert found[table.code, cell] == set(range(1 if table.zeros_shown else 0, 10))
            elif state == "few":
                assert found[table.code, cell] >= set(range(1, 10))
            elif state == "withheld":
                assert len(found[table.code, cell]) >= 9


@settings(max_examples=500, deadline=None)
@given(group=groups())
def test_no_count_below_ten_is_shown_except_a_zero_that_may_be(group):
    total, tables = group
    shown = protect(total, tables)

    for table in tables:
        for cell, state in shown.cells[table.code].items():
            if state == "shown":
                assert table.cells[cell] >= 10 or (table.zeros_shown and table.cells[cell] == 0)
    assert shown.total != "shown" or total >= 10


def test_the_attack_itself_finds_a_careless_publication():
    """Hiding only the small cell leaves it computable from the total: the attack must see that."""
    careless = Protected("shown", {"t": {"a": "shown", "b": "few"}})

    found = attack(25, [Counts("t", {"a": 22, "b": 3})], careless)

    assert found["t", "b"] == {3}


def test_a_single_small_cell_takes_the_smallest_sufficient_other_with_it():
    shown = protect(3 + 16 + 40, [Counts("t", {"small": 3, "middle": 16, "large": 40})])

    assert shown.cells["t"] == {"small": "few", "middle": "withheld", "large": "shown"}


def test_two_small_cells_may_protect_each_other():
    assert protect(5 + 6 + 30, [Counts("t", {"a": 5, "b": 6, "c": 30})]).cells["t"]["c"] == "withheld"
    assert protect(5 + 6 + 4 + 30, [Counts("t", {"a": 5, "b": 6, "d": 4, "c": 30})]).cells["t"]["c"] == "shown"


def test_nines_all_round_are_withheld_altogether():
    """Two cells said to be below ten, with a known total of 18, would be two certainties: neither is said to be small."""
    shown = protect(18, [Counts("t", {"a": 9, "b": 9}), Counts("u", {"c": 18})])

    assert shown.total == "shown"
    assert shown.cells == {"t": {"a": "withheld", "b": "withheld"}, "u": {"c": "shown"}}


@pytest.mark.parametrize(("count", "state"), [(0, "none"), (1, "few"), (9, "few"), (10, "shown")])
def test_a_count_that_stands_alone(count, state):
    assert single(count) == state


def test_nothing_at_all_is_no_data_and_not_zero():
    assert protect(0, [Counts("t", {"a": 0})]).total == "none"
