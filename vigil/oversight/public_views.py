"""The public's pages of figures: the latest release, earlier ones, and the same as files."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from vigil.oversight import open_data, selectors
from vigil.oversight.errors import ReleaseNotFound
from vigil.oversight.selectors import FigureFacts, ReleaseFacts
from vigil.oversight.texts import STATES, TOTAL
from vigil.web.context import current_language

SUMMARY = (
    "reports.by_channel",
    "incidents.by_band",
    "entries.published",
    "notices.sent",
    "removals.by_time",
    "referrals.sent",
)
_BAR_WIDTH = 100


@require_safe
def figures(request: HttpRequest, version: int | None = None) -> HttpResponse:
    """One release. Not being able to load is said; it never looks like a zero."""
    try:
        release = selectors.release(version)
        earlier = selectors.releases()
    except ReleaseNotFound:
        if version is not None:
            raise
        return render(request, "oversight/figures.html", {"release": None})
    except DatabaseError:
        return render(request, "oversight/figures_unavailable.html", status=503)
    return render(request, "oversight/figures.html", _page(release) | {"earlier": earlier})


def _page(release: ReleaseFacts) -> dict[str, Any]:
    meaning = release.meaning(current_language())
    # The database keeps no order inside a document: the figures have it.
    codes = dict.fromkeys(figure.code for figure in release.figures)
    tables = [_table(code, meaning["indicators"][code], release) for code in codes]
    by_code = {table["code"]: table for table in tables}
    return {
        "release": release,
        "rule": meaning["rule"],
        "notes": meaning["notes"],
        "tables": tables,
        "summary": [
            {"code": code, "title": by_code[code]["title"], "figure": by_code[code]["total"]} for code in SUMMARY
        ],
    }


def _table(code: str, texts: dict[str, Any], release: ReleaseFacts) -> dict[str, Any]:
    rows = [_row(figure, texts) for figure in release.figures if figure.code == code]
    counts = [row["figure"].value for row in rows if row["figure"].unit == "count" and row["figure"].value is not None]
    largest = max(counts, default=0)
    for row in rows:
        value = row["figure"].value
        if row["figure"].unit == "count" and row["figure"].cell != TOTAL and value is not None and largest:
            row["bar"] = max(1, round(_BAR_WIDTH * value / largest)) if value else 0
    return {
        "code": code,
        **{name: texts[name] for name in ("title", "definition", "numerator", "denominator", "note")},
        "rows": rows,
        "has_bars": sum("bar" in row for row in rows) > 1,
        "total": next((row for row in rows if row["figure"].cell == TOTAL), None),
    }


def _row(figure: FigureFacts, texts: dict[str, Any]) -> dict[str, Any]:
    hidden = str(STATES.get(figure.state, ""))
    return {"label": texts["cells"][figure.cell], "figure": figure, "hidden": hidden}


@require_safe
def figures_csv(_request: HttpRequest, version: int | None = None) -> HttpResponse:
    """A release as CSV."""
    release = selectors.release(version)
    return _file(open_data.as_csv(release), "text/csv; charset=utf-8", f"figures-{release.version}.csv")


@require_safe
def figures_json(_request: HttpRequest, version: int | None = None) -> HttpResponse:
    """A release as JSON."""
    release = selectors.release(version)
    return _file(open_data.as_json(release), "application/json; charset=utf-8", f"figures-{release.version}.json")


@require_safe
def dictionary_csv(_request: HttpRequest) -> HttpResponse:
    """What the columns mean."""
    return _file(open_data.dictionary_csv(), "text/csv; charset=utf-8", "figures-dictionary.csv")


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
