"""What is counted: indicators as functions of a period, with their definitions in both languages.

Each reads the rooms' own facts (times and codes, never text). `recount.py` computes the same again in plain SQL, written apart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from vigil.casework import selectors as casework
from vigil.crawl import selectors as crawl
from vigil.intake import selectors as intake
from vigil.lists import selectors as lists
from vigil.oversight.suppression import MINIMUM, Counts, State, protect, single
from vigil.oversight.texts import TOTAL
from vigil.referral import selectors as referral
from vigil.removal import selectors as removal

DEFINITIONS = "2026-11"
# Quantiles say something only of a crowd.
MINIMUM_FOR_QUANTILES = 20
Text = str | Promise
Unit = Literal["count", "percent", "hours"]

DAY_SECONDS = 86_400
TIME_CLASSES = (("within_1_day", 1), ("within_3_days", 3), ("within_7_days", 7), ("longer", None))
SHARES = (("share_1_day", 1), ("share_3_days", 2), ("share_7_days", 3))


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` (which belongs to it) to `end` (which does not)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Indicator:
    """A table of the release: what it is called, what it means, which cells it has."""

    code: str
    title: Text
    definition: Text
    numerator: Text
    denominator: Text
    cells: Mapping[str, Text]
    has_total: bool = True
    zeros_shown: bool = False
    note: Text = ""


@dataclass(frozen=True, slots=True)
class Value:
    """One figure as it is released."""

    code: str
    cell: str
    unit: Unit
    state: State
    value: int | None = None
    numerator: int | None = None
    denominator: int | None = None


#: Where a report came from: the codes of intake, each in words.
CHANNELS: Mapping[str, Text] = {
    "web": _("Web form"),
    "phone": _("Telephone"),
    "letter": _("Letter"),
    "bulk": _("List that staff entered"),
    "mailbox": _("Mail of a partner organisation"),
    "partner_api": _("Program of a partner organisation"),
    "police": _("Police"),
}
_EACH = _("Each cell")
_NONE = _("None; these are counts")

INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "reports.by_channel",
        _("Reports received, by channel"),
        _(
            "Reports that people sent in the period, each counted once, at the time it was sent. "
            "What the crawler finds is not a report."
        ),
        _EACH,
        _NONE,
        CHANNELS,
        zeros_shown=True,
    ),
    Indicator(
        "reports.by_language",
        _("Reports received, by language"),
        _("The same reports, by the language of the page they were written on."),
        _EACH,
        _NONE,
        {**dict(settings.LANGUAGES), "en": _("English"), "fr": _("French")},
        zeros_shown=True,
    ),
    Indicator(
        "incidents.by_situation",
        _("Incidents, by situation"),
        _(
            "A report becomes one incident for each situation it speaks of; incidents opened in the period. "
            "They are not comparable with reports."
        ),
        _EACH,
        _NONE,
        {
            "enticement": _("Enticement"),
            "threat": _("Threats"),
            "shared_image": _("Shared images"),
            "seen_material": _("Material seen online"),
            "trafficking": _("Trafficking"),
            "ai_image": _("Images made with AI"),
            "other": _("Another situation"),
            "not_sure": _("Not sure"),
        },
    ),
    Indicator(
        "incidents.by_band",
        _("Incidents, by urgency"),
        _(
            "The same incidents, by the urgency that the answers gave when the incident was opened. B0 is the most urgent."
        ),
        _EACH,
        _NONE,
        {
            "b0": _("B0, immediate danger"),
            "b1": _("B1, a child now"),
            "b2": _("B2, person with access"),
            "b3": _("B3, new or active material"),
            "b4": _("B4, known material"),
            "b5": _("B5, information"),
        },
    ),
    Indicator(
        "incidents.by_channel",
        _("Incidents, by channel"),
        _("The same incidents, by the channel that their report came through."),
        _EACH,
        _NONE,
        CHANNELS,
        zeros_shown=True,
    ),
    Indicator(
        "entries.published",
        _("Entries published on the verified list"),
        _("Pictures that two assessors, independently, found illegal and that were published in the period."),
        _("Entries published"),
        _NONE,
        {TOTAL: _("Entries")},
    ),
    Indicator(
        "entries.withdrawn",
        _("Entries withdrawn from the verified list"),
        _("Entries whose withdrawal was published in the period. A withdrawn entry is gone from every answer."),
        _("Entries withdrawn"),
        _NONE,
        {TOTAL: _("Entries")},
    ),
    Indicator(
        "sightings.by_match",
        _("Confirmed sightings, by kind of match"),
        _(
            "Places where the crawler found a listed picture, confirmed in the period. "
            "An exact match is confirmed by rule, a near one by a person."
        ),
        _EACH,
        _NONE,
        {"exact": _("Exact match"), "near": _("Near match, confirmed by a person")},
        zeros_shown=True,
    ),
    Indicator(
        "notices.sent",
        _("Notices sent to providers"),
        _("Places for which the first notice left in the period. Reminders are not counted."),
        _("Notices"),
        _NONE,
        {TOTAL: _("Notices")},
    ),
    Indicator(
        "removals.by_time",
        _("Confirmed removals, by time"),
        _(
            "Removals confirmed in the period: after our notice, two visits some time apart found the picture gone. "
            "The time runs from the first notice to the first of these visits. A failed visit is never counted as a removal."
        ),
        _EACH,
        _("All removals confirmed in the period"),
        {
            "within_1_day": _("Within 1 day"),
            "within_3_days": _("More than 1, up to 3 days"),
            "within_7_days": _("More than 3, up to 7 days"),
            "longer": _("More than 7 days"),
            "share_1_day": _("Share within 1 day"),
            "share_3_days": _("Share within 3 days"),
            "share_7_days": _("Share within 7 days"),
            "p50_hours": _("Half were gone within (hours)"),
            "p90_hours": _("Nine in ten were gone within (hours)"),
        },
        zeros_shown=True,
        note=_("Hours are rounded up and given for at least 20 removals, none of whose classes is hidden."),
    ),
    Indicator(
        "referrals.sent",
        _("Referrals sent to police"),
        _("Packages sent to a police agency in the period. A case may be referred to more than one agency."),
        _("Referrals"),
        _NONE,
        {TOTAL: _("Referrals")},
    ),
    Indicator(
        "referrals.acknowledged",
        _("Referrals acknowledged by police"),
        _("Acknowledgements received in the period, by the time since the package was sent."),
        _EACH,
        _NONE,
        {"within_24_hours": _("Within 24 hours"), "later": _("Later")},
        zeros_shown=True,
    ),
    Indicator(
        "referrals.outcomes",
        _("Outcomes returned by police"),
        _("Outcomes that agencies returned in the period. A referral may have more than one."),
        _EACH,
        _NONE,
        {
            "child_safe": _("A child was made safe"),
            "identified": _("Somebody was identified"),
            "charged": _("Somebody was charged"),
            "no_action": _("No action"),
            "other": _("Another outcome"),
        },
    ),
)
BY_CODE = {indicator.code: indicator for indicator in INDICATORS}
# Tables that split the same total are protected together.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("reports.by_channel", "reports.by_language"),
    ("incidents.by_situation", "incidents.by_band", "incidents.by_channel"),
    ("sightings.by_match",),
    ("removals.by_time",),
    ("referrals.acknowledged",),
    ("referrals.outcomes",),
)
SINGLES = ("entries.published", "entries.withdrawn", "notices.sent", "referrals.sent")

Raw = dict[str, dict[str, int]]


# ---- counting -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Counted:
    """All counts of a period, nothing hidden, and how long each removal took. This never leaves the statistics process."""

    counts: Raw
    removal_seconds: tuple[float, ...]


def count(period: Period) -> Counted:
    """Count everything in a period, from the rooms' facts."""
    since, until = period.start, period.end
    reports = intake.reports_between(since, until)
    incidents = casework.incidents_between(since, until)
    changes = Counter(lists.changes_between(since, until))
    seconds = tuple(from_notice for _whole, from_notice in removal.removal_seconds_between(since, until))
    waits = referral.acknowledgement_seconds_between(since, until)
    return Counted(
        counts={
            "reports.by_channel": _cells("reports.by_channel", (source for source, _language in reports)),
            "reports.by_language": _cells("reports.by_language", (language for _source, language in reports)),
            "incidents.by_situation": _cells("incidents.by_situation", (situation for situation, *_rest in incidents)),
            "incidents.by_band": _cells("incidents.by_band", (f"b{band}" for _situation, band, _source in incidents)),
            "incidents.by_channel": _cells("incidents.by_channel", (source for *_rest, source in incidents)),
            "entries.published": {TOTAL: changes["publish"]},
            "entries.withdrawn": {TOTAL: changes["withdraw"]},
            "sightings.by_match": _cells("sightings.by_match", crawl.confirmed_matches_between(since, until)),
            "notices.sent": {TOTAL: removal.counts_between(since, until)["notices_sent"]},
            "removals.by_time": _cells("removals.by_time", (time_class(value) for value in seconds)),
            "referrals.sent": {TOTAL: referral.counts_between(since, until)["referrals_sent"]},
            "referrals.acknowledged": _cells(
                "referrals.acknowledged", ("within_24_hours" if wait <= DAY_SECONDS else "later" for wait in waits)
            ),
            "referrals.outcomes": _cells("referrals.outcomes", referral.outcome_kinds_between(since, until)),
        },
        removal_seconds=seconds,
    )


def time_class(seconds: float) -> str:
    """Which class of removal times a duration falls into. A place gone before the mail arrived counts as zero."""
    return next(code for code, days in TIME_CLASSES if days is None or seconds <= days * DAY_SECONDS)


def counted_cells(code: str) -> list[str]:
    """The cells of an indicator that are counts and add up to its total (shares and hours are derived from them)."""
    derived = {name for name, _n in SHARES} | {"p50_hours", "p90_hours"}
    return [cell for cell in BY_CODE[code].cells if cell not in derived]


def _cells(code: str, found: Iterable[str]) -> dict[str, int]:
    counter = Counter(found)
    cells = {cell: counter.pop(cell, 0) for cell in counted_cells(code)}
    if counter:
        # A code that no cell knows must not vanish from the figures.
        raise ValueError(f"{code} has no cell for {sorted(counter)}")
    return cells


# ---- what is released ---------------------------------------------------------------------------------------------------------
def release_values(counted: Counted) -> list[Value]:
    """The figures of a release: every count with its state, and what is derived from counts that are shown."""
    values: dict[str, list[Value]] = {}
    for group in GROUPS:
        tables = [Counts(code, counted.counts[code], BY_CODE[code].zeros_shown) for code in group]
        total = sum(tables[0].cells.values())
        shown = protect(total, tables)
        for table in tables:
            values[table.code] = [
                *(
                    _count(table.code, cell, shown.cells[table.code][cell], number)
                    for cell, number in table.cells.items()
                ),
                _count(table.code, TOTAL, shown.total, total),
            ]
    for code in SINGLES:
        number = counted.counts[code][TOTAL]
        values[code] = [_count(code, TOTAL, single(number), number)]
    values["removals.by_time"] += _derived(values["removals.by_time"], counted)
    return [value for indicator in INDICATORS for value in values[indicator.code]]


def _count(code: str, cell: str, state: State, number: int) -> Value:
    return Value(code, cell, "count", state, number if state == "shown" else None)


def _derived(released: list[Value], counted: Counted) -> list[Value]:
    """Shares and hours, only where they follow from what is shown anyway."""
    code = "removals.by_time"
    states = {value.cell: value.state for value in released}
    classes = [name for name, _days in TIME_CLASSES]
    total = sum(counted.counts[code].values())
    values = []
    for name, inside in SHARES:
        within, beyond = classes[:inside], classes[inside:]
        follows = any(all(states[each] == "shown" for each in part) for part in (within, beyond))
        if states[TOTAL] != "shown":
            values.append(Value(code, name, "percent", states[TOTAL]))
        elif not follows:
            values.append(Value(code, name, "percent", "withheld"))
        else:
            number = sum(counted.counts[code][each] for each in within)
            values.append(Value(code, name, "percent", "shown", _percent(number, total), number, total))
    whole = all(states[each] == "shown" for each in classes)
    for name, share in (("p50_hours", Fraction(1, 2)), ("p90_hours", Fraction(9, 10))):
        if states[TOTAL] != "shown":
            values.append(Value(code, name, "hours", states[TOTAL]))
        elif total < MINIMUM_FOR_QUANTILES or not whole:
            values.append(Value(code, name, "hours", "withheld"))
        else:
            values.append(Value(code, name, "hours", "shown", quantile_hours(counted.removal_seconds, share)))
    return values


def _percent(number: int, total: int) -> int:
    """Whole percent, a half away from zero."""
    return (200 * number + total) // (2 * total)


def quantile_hours(seconds: Iterable[float], share: Fraction) -> int:
    """The smallest duration that at least `share` of all do not exceed, in hours, rounded up."""
    ordered = sorted(max(0.0, value) for value in seconds)
    rank = math.ceil(share * len(ordered))
    return math.ceil(ordered[rank - 1] / 3600)


def rule_holds(values: Iterable[Value]) -> bool:
    """Whether no count of one to nine is among the figures: asked once more just before they are stored."""
    return all(
        value.value is None or value.unit != "count" or value.value == 0 or value.value >= MINIMUM for value in values
    )
