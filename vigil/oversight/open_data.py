"""The released figures as files: one CSV, one JSON and a dictionary, the same in both languages. Bytes only, no database."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from vigil.oversight.selectors import FigureFacts, ReleaseFacts

COLUMNS = (
    "release", "period_start", "period_end", "code", "cell", "unit", "state", "value", "numerator", "denominator",
    "title_en", "title_fr", "cell_en", "cell_fr",
)  # fmt: skip
DICTIONARY: tuple[tuple[str, str, str], ...] = (
    ("release", "Number of the release", "Numéro de la publication"),
    ("period_start", "Start of the period, belongs to it (UTC)", "Début de la période, inclus (UTC)"),
    ("period_end", "End of the period, does not belong to it (UTC)", "Fin de la période, exclue (UTC)"),
    ("code", "Code of the figure; never renamed", "Code du chiffre ; jamais renommé"),
    ("cell", "Code of the cell; total for the whole", "Code de la case ; total pour l’ensemble"),
    ("unit", "count, percent or hours", "count (nombre), percent (pour cent) ou hours (heures)"),
    (
        "state",
        "shown; few (fewer than 10); withheld (to protect another figure); none (no data for the period)",
        "shown (affiché) ; few (moins de 10) ; withheld (retenu pour protéger un autre chiffre) ; none (aucune donnée)",
    ),
    ("value", "The figure; empty unless shown", "Le chiffre ; vide s’il n’est pas affiché"),
    ("numerator", "For a share: how many", "Pour une part : combien"),
    ("denominator", "For a share: out of how many", "Pour une part : sur combien"),
    ("title_en", "Title in English", "Titre en anglais"),
    ("title_fr", "Title in French", "Titre en français"),
    ("cell_en", "Cell in English", "Case en anglais"),
    ("cell_fr", "Cell in French", "Case en français"),
)


def as_csv(release: ReleaseFacts) -> bytes:
    """One row a figure. UTF-8 with a mark, so that spreadsheets read the accents."""
    english, french = release.meaning("en")["indicators"], release.meaning("fr")["indicators"]
    rows = (
        (
            release.version, _instant(release.period_start), _instant(release.period_end),
            figure.code, figure.cell, figure.unit, figure.state, figure.value, figure.numerator, figure.denominator,
            english[figure.code]["title"], french[figure.code]["title"],
            english[figure.code]["cells"][figure.cell], french[figure.code]["cells"][figure.cell],
        )
        for figure in release.figures
    )  # fmt: skip
    return _csv(COLUMNS, rows)


def as_json(release: ReleaseFacts) -> bytes:
    """The release with everything that it means, in both languages."""
    document: dict[str, Any] = {
        "release": release.version,
        "period_start": _instant(release.period_start),
        "period_end": _instant(release.period_end),
        "released_at": _instant(release.released_at),
        "definitions": release.definitions,
        "meaning": {language: release.meaning(language) for language in release.document},
        "figures": [_plain(figure) for figure in release.figures],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def dictionary_csv() -> bytes:
    """What each column means, in both languages."""
    return _csv(("column", "meaning_en", "meaning_fr"), DICTIONARY)


def _plain(figure: FigureFacts) -> dict[str, Any]:
    return {
        "code": figure.code,
        "cell": figure.cell,
        "unit": figure.unit,
        "state": figure.state,
        "value": figure.value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
    }


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return ("\ufeff" + target.getvalue()).encode()


def _cell(value: Any) -> Any:
    """A spreadsheet runs what begins like a formula: no text of ours may."""
    text = "" if value is None else value
    return f"'{text}" if isinstance(text, str) and text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
