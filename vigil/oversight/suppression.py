"""Disclosure control: which figures of a release may be shown.

The rule: a count below ten is hidden, and so is everything from which it could be worked out. Somebody who knows all that is
published, the rule and which hidden figures are small must still find every value below ten possible for each small one.

Tables that share a total (reports by channel, reports by language) are protected together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

MINIMUM = 10

State = Literal["shown", "few", "withheld", "none"]
"""shown; few = fewer than ten; withheld = hidden to protect another figure; none = no data for this period."""


@dataclass(frozen=True, slots=True)
class Counts:
    """One table of a group: cells that do not overlap and add up to the group's total.

    `zeros_shown`: a zero of this table says nothing about anybody (a channel nobody used), so it is shown as zero.
    """

    code: str
    cells: Mapping[str, int]
    zeros_shown: bool = False


@dataclass(frozen=True, slots=True)
class Protected:
    """The state of the total and of each cell of each table of one group."""

    total: State
    cells: Mapping[str, Mapping[str, State]]


def protect(total: int, tables: Sequence[Counts]) -> Protected:
    """Decide what of one group is shown. Every table's cells add up to `total`."""
    for table in tables:
        if sum(table.cells.values()) != total:
            raise ValueError(f"the cells of {table.code} do not add up to the total")
    if total == 0:
        return _all(tables, "none")
    if total < MINIMUM:
        return _all(tables, "few")
    return Protected("shown", {table.code: _states(table) for table in tables})


def single(count: int) -> State:
    """The state of a count that stands alone."""
    return "none" if count == 0 else "few" if count < MINIMUM else "shown"


def _all(tables: Sequence[Counts], state: State) -> Protected:
    return Protected(state, {table.code: dict.fromkeys(table.cells, state) for table in tables})


def _states(table: Counts) -> dict[str, State]:
    small, hidden = _small(table), _hidden(table)
    if hidden is None:
        # Saying which cells are small would already say too much: all are withheld, and any of them may be anything.
        return dict.fromkeys(table.cells, "withheld")
    return {cell: "few" if cell in small else "withheld" if cell in hidden else "shown" for cell in table.cells}


def _small(table: Counts) -> set[str]:
    lowest = 1 if table.zeros_shown else 0
    return {cell for cell, count in table.cells.items() if lowest <= count < MINIMUM}


def _hidden(table: Counts) -> set[str] | None:
    """The cells to hide: the small ones and as few others as protect them. None when no choice does."""
    small = _small(table)
    if not small or _is_safe(table, small, set()):
        return small
    others = sorted(
        (cell for cell, count in table.cells.items() if count >= MINIMUM), key=lambda cell: (table.cells[cell], cell)
    )
    for cell in others:
        if _is_safe(table, small, {cell}):
            return small | {cell}
    for count in range(2, len(others) + 1):
        if _is_safe(table, small, set(others[:count])):
            return small | set(others[:count])
    return None


def _is_safe(table: Counts, small: set[str], others: set[str]) -> bool:
    """Whether every small cell may still be anything from the lowest to nine, given the sum of all that is hidden.

    The sum is known (total less what is shown); small ones are known to be below ten, the others to be ten or more.
    """
    lowest, highest = (1 if table.zeros_shown else 0), MINIMUM - 1
    hidden_sum = sum(table.cells[cell] for cell in small | others)
    rest = len(small) - 1
    one_is_highest = hidden_sum - highest >= rest * lowest + len(others) * MINIMUM
    one_is_lowest = bool(others) or hidden_sum - lowest <= rest * highest
    return one_is_highest and one_is_lowest
