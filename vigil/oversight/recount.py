"""The recount: every figure of a release computed again from the raw tables, in plain SQL, and compared.

Written apart from `indicators.py` on purpose, table by table and without the rooms' selectors: a mistake would have to be made
twice, in two languages, to stay unseen. Runs as the statistics role.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from vigil.oversight import indicators
from vigil.oversight.indicators import Counted, Period, Value, release_values
from vigil.oversight.models import Figure, Release

_PERIOD = "{column} >= %(since)s AND {column} < %(until)s"


def _grouped(table: str, cell: str, time: str, where: str = "true") -> str:
    """SQL made of constants of this file only."""
    period = _PERIOD.format(column=time)
    return f"SELECT {cell} AS cell, count(*) AS n FROM {table} WHERE {where} AND {period} GROUP BY 1"  # noqa: S608


# code -> SQL that gives (cell, n)
QUERIES: dict[str, str] = {
    "reports.by_channel": _grouped("intake_report", "source", "submitted_at"),
    "reports.by_language": _grouped("intake_report", "language", "submitted_at"),
    "incidents.by_situation": _grouped("casework_incident", "situation", "created_at"),
    "incidents.by_band": _grouped("casework_incident", "'b' || band", "created_at"),
    "incidents.by_channel": _grouped("casework_incident", "source", "created_at"),
    "entries.published": _grouped("lists_feedrow", "'total'", "at", "change = 'publish'"),
    "entries.withdrawn": _grouped("lists_feedrow", "'total'", "at", "change = 'withdraw'"),
    "sightings.by_match": _grouped("crawl_sighting", '"match"', "decided_at", "state = 'confirmed'"),
    "notices.sent": _grouped("removal_notice", "'total'", "sent_at"),
    "removals.by_time": _grouped(
        "removal_removal",
        "CASE WHEN first_down_at - notice_sent_at <= interval '24 hours' THEN 'within_1_day'"
        " WHEN first_down_at - notice_sent_at <= interval '72 hours' THEN 'within_3_days'"
        " WHEN first_down_at - notice_sent_at <= interval '168 hours' THEN 'within_7_days' ELSE 'longer' END",
        "confirmed_at",
    ),
    "referrals.sent": _grouped("referral_package", "'total'", "sent_at"),
    "referrals.acknowledged": _grouped(
        "referral_package",
        "CASE WHEN acknowledged_at <= sent_at + interval '24 hours' THEN 'within_24_hours' ELSE 'later' END",
        "acknowledged_at",
    ),
    "referrals.outcomes": _grouped("referral_outcome", "kind", "at"),
}
HOURS = """
SELECT ceil(extract(epoch FROM percentile_disc(%(share)s) WITHIN GROUP (
    ORDER BY greatest(first_down_at - notice_sent_at, interval '0'))) / 3600)::integer
FROM removal_removal WHERE confirmed_at >= %(since)s AND confirmed_at < %(until)s
"""
SHARE_PERCENT = """
SELECT round(100.0 * within.n / nullif(within.total, 0))::integer, within.n, within.total
FROM (
    SELECT count(*) FILTER (WHERE first_down_at - notice_sent_at <= %(hours)s * interval '1 hour') AS n, count(*) AS total
    FROM removal_removal WHERE confirmed_at >= %(since)s AND confirmed_at < %(until)s
) AS within
"""
SHARE_HOURS = {"share_1_day": 24, "share_3_days": 72, "share_7_days": 168}
QUANTILES = {"p50_hours": 0.5, "p90_hours": 0.9}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the tables, the indicators and a release do not say the same."""

    version: int
    code: str
    cell: str
    released: str
    indicator: str
    recounted: str


def recount(period: Period) -> indicators.Raw:
    """All counts of a period, from the raw tables."""
    found: indicators.Raw = {}
    for code, query in QUERIES.items():
        cells = dict.fromkeys(indicators.counted_cells(code), 0)
        for cell, number in _rows(query, since=period.start, until=period.end):
            cells[str(cell)] = int(number)
        found[code] = cells
    return found


def differences(release: Release) -> list[Difference]:
    """Everything about one release that a recount does not confirm; empty when it agrees."""
    period = Period(release.period_start, release.period_end)
    counted, raw = indicators.count(period), recount(period)
    found = [
        Difference(
            release.version, code, cell, "", str(counted.counts[code].get(cell, "-")), str(raw[code].get(cell, "-"))
        )
        for code in sorted(raw)
        for cell in sorted(raw[code].keys() | counted.counts[code].keys())
        if counted.counts[code].get(cell) != raw[code].get(cell)
    ]
    return found + _against_what_was_released(release, period, raw, counted)


def _against_what_was_released(
    release: Release, period: Period, raw: indicators.Raw, counted: Counted
) -> list[Difference]:
    expected = {(value.code, value.cell): value for value in _recounted_values(period, raw, counted)}
    published = {(each.code, each.cell): each for each in Figure.objects.filter(release_id=release.id)}
    return [
        Difference(release.version, *key, _shown(published.get(key)), "", _shown(expected.get(key)))
        for key in sorted(expected.keys() | published.keys())
        if _shown(published.get(key)) != _shown(expected.get(key))
    ]


def _recounted_values(period: Period, raw: indicators.Raw, counted: Counted) -> list[Value]:
    """The release as the raw counts give it. The rule (what is hidden) is applied anew; shares and hours come from SQL."""
    known = {code: {cell: cells.get(cell, 0) for cell in indicators.counted_cells(code)} for code, cells in raw.items()}
    values = release_values(Counted(known, counted.removal_seconds))
    return [_from_sql(value, period) if value.unit != "count" and value.state == "shown" else value for value in values]


def _from_sql(value: Value, period: Period) -> Value:
    span = {"since": period.start, "until": period.end}
    if value.cell in QUANTILES:
        ((hours,),) = _rows(HOURS, share=QUANTILES[value.cell], **span)
        return Value(value.code, value.cell, value.unit, value.state, hours)
    ((percent, number, total),) = _rows(SHARE_PERCENT, hours=SHARE_HOURS[value.cell], **span)
    return Value(value.code, value.cell, value.unit, value.state, percent, number, total)


def _shown(figure: Value | Figure | None) -> str:
    if figure is None:
        return "-"
    if figure.state != "shown":
        return str(figure.state)
    share = f" ({figure.numerator}/{figure.denominator})" if figure.denominator is not None else ""
    return f"{figure.value}{share}"


def _rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def reports_without_incident(until: datetime) -> int:
    """Reports of before `until` that the worker has not opened incidents for yet: a release waits for them."""
    query = (
        "SELECT count(*) FROM intake_report r WHERE r.submitted_at < %(until)s"
        " AND NOT EXISTS (SELECT 1 FROM casework_incident i WHERE i.report_id = r.id)"
    )
    ((number,),) = _rows(query, until=until)
    return int(number)
