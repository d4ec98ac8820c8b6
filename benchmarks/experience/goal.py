"""One goal of the public's door: what was measured, what it has to be, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A printed line. `value` and `threshold` are shown as they are; `note` names what failed, in words without answers."""

    code: str
    what: str
    value: str
    threshold: str
    passed: bool
    note: str = ""


def at_most(code: str, what: str, value: float, threshold: float, unit: str = "", note: str = "") -> Goal:
    """A goal whose value may not be above the threshold."""
    return Goal(code, what, f"{_short(value)}{unit}", f"<= {_short(threshold)}{unit}", value <= threshold, note)


def at_least(code: str, what: str, value: float, threshold: float, unit: str = "", note: str = "") -> Goal:
    """A goal whose value may not be below the threshold."""
    return Goal(code, what, f"{_short(value)}{unit}", f">= {_short(threshold)}{unit}", value >= threshold, note)


def all_of(code: str, what: str, good: int, of: int, bad: list[str]) -> Goal:
    """A goal that every one of a number of cases has to meet; a case that was not looked at is not met."""
    return Goal(code, what, f"{good} of {of}", "all", good == of > 0, "; ".join(bad[:5]))


def none_of(code: str, what: str, found: list[str]) -> Goal:
    """A goal that nothing may be found."""
    return Goal(code, what, str(len(found)), "0", not found, "; ".join(sorted(set(found))[:5]))


def _short(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"
