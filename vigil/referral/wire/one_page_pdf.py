"""The one page that an officer reads first: a PDF made offline, readable in grey, each fact with its source.

The page is in the agency's language with the other language small beside each label; what people wrote stays as they wrote it.
The fonts inside the typst wheel draw Latin, Greek and Cyrillic. A character they cannot draw is spelled out (`[U+1403]`) and the
page says so; PDF/A export, which refuses undrawable text, is the second check.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typst
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vigil.referral import words
from vigil.referral.errors import PackageUnreadable
from vigil.referral.wire.contents import Contents

TEMPLATE = Path(__file__).with_name("one_page.typ")
# What is shown, from generous to terse: the first that fits on one page is taken.
_FITS = (
    {"size": 9.5, "facts": 30, "places": 14, "fingerprints": 10, "handles": 8, "words": 1600},
    {"size": 9.0, "facts": 24, "places": 10, "fingerprints": 8, "handles": 6, "words": 1100},
    {"size": 8.5, "facts": 20, "places": 7, "fingerprints": 5, "handles": 4, "words": 700},
    {"size": 8.0, "facts": 16, "places": 5, "fingerprints": 3, "handles": 3, "words": 350},
    {"size": 8.0, "facts": 12, "places": 3, "fingerprints": 2, "handles": 2, "words": 150},
)
_FONTS = 'font: ("Libertinus Serif", "DejaVu Sans Mono")'
_PROBE = f'#set document(title: "-")\n#set text({_FONTS})\n#json(bytes(sys.inputs.data))'.encode()
_STANDARDS: list[Any] = ["a-2a", "ua-1"]


@dataclass(frozen=True, slots=True)
class OnePage:
    """The PDF, how many pages it has (one in normal cases) and which characters had to be spelled out."""

    pdf: bytes
    pages: int
    undrawable: tuple[str, ...]


def render(contents: Contents) -> OnePage:
    """Make the summary: the same contents give the same bytes on the same version of typst. Raises PackageUnreadable."""
    source = TEMPLATE.read_bytes()
    result: OnePage | None = None
    for limits in _FITS:
        result = _render(source, contents, limits)
        if result.pages == 1:
            break
    if result is None:
        raise PackageUnreadable("summary")
    return result


def _render(source: bytes, contents: Contents, limits: dict[str, float]) -> OnePage:
    data = page_data(contents, limits)
    drawable, undrawable = _spell_out_what_no_font_draws(data)
    drawable["undrawable"] = list(undrawable)
    inputs = {"data": json.dumps(drawable, ensure_ascii=False)}
    compiler = typst.Compiler(source, ignore_system_fonts=True, sys_inputs=inputs)
    try:
        pdf = compiler.compile(
            source, format="pdf", timestamp=int(contents.prepared_at.timestamp()), pdf_standards=_STANDARDS
        )
        pages = json.loads(
            typst.query(source, "<pages>", field="value", one=True, ignore_system_fonts=True, sys_inputs=inputs)
        )
    except (typst.TypstError, RuntimeError):
        # The message may quote somebody's text, so it is not kept as the cause.
        raise PackageUnreadable("summary") from None
    return OnePage(pdf=bytes(pdf) if isinstance(pdf, bytes) else b"", pages=int(pages), undrawable=undrawable)


# ---- what is on the page ----------------------------------------------------------------------------------------------------
def page_data(contents: Contents, limits: dict[str, float]) -> dict[str, Any]:
    """Everything the template shows, as texts in the agency's language."""
    language = contents.agency.language
    other = "fr" if language == "en" else "en"
    with translation.override(other):
        second_labels = _labels()
    with translation.override(language):
        return {
            "language": language,
            "second_language": other,
            "labels": _labels(),
            "second_labels": second_labels,
            "title": f"{_labels()['title']} {contents.number}",
            "number": contents.number,
            "case_number": contents.case_number,
            "hotline": contents.hotline.name_fr if language == "fr" else contents.hotline.name_en,
            "phone": contents.hotline.phone,
            "agency": contents.agency.name_fr if language == "fr" else contents.agency.name_en,
            "prepared_at": f"{_when(contents.prepared_at, language)} ({settings.TIME_ZONE})",
            "footer": _(
                "Links are broken on purpose: never open them on an ordinary computer. Full links are in case.jsonld."
            ),
            "band": str(contents.band),
            "band_words": words.word(words.BANDS, contents.band),
            "reasons": [words.word(words.REASONS, reason) for reason in contents.reasons],
            "size": limits["size"],
            "facts": [
                {
                    "label": words.word(words.FACTS, fact.code),
                    "value": " · ".join(words.word(words.VALUES, value) for value in fact.values),
                    "source": _source(fact.source) + (f" ({fact.subject_number})" if fact.subject_number else ""),
                    "at": _when(fact.at, language),
                }
                for fact in contents.facts[: int(limits["facts"])]
            ],
            "facts_note": _shown(contents.facts, int(limits["facts"])) if len(contents.facts) > limits["facts"] else "",
            "words": [
                {
                    "meta": f"{item.report_number} · {_when(item.at, language)} · {_source('reporter')}",
                    "language": item.language,
                    "text": _shortened(item.text, int(limits["words"]) // max(1, len(contents.words))),
                }
                for item in contents.words[:3]
            ],
            "places": [
                {
                    "exhibit": place.exhibit,
                    "text": _breakable(defanged(_shortened(place.url, 300))),
                    "source": _source(place.source),
                    "at": _when(place.at, language),
                }
                for place in contents.places[: int(limits["places"])]
            ],
            "places_note": _shown(contents.places, int(limits["places"])),
            "handles": [
                {
                    "exhibit": handle.exhibit,
                    "text": _breakable(_shortened(handle.text, 200)),
                    "source": _source(handle.source),
                    "at": _when(handle.at, language),
                }
                for handle in contents.handles[: int(limits["handles"])]
            ],
            "handles_note": _shown(contents.handles, int(limits["handles"])),
            "fingerprints": [
                {
                    "exhibit": item.exhibit,
                    "text": f"{item.sha256[:16]}…{item.sha256[-8:]}" if item.sha256 else f"PDQ {item.pdq[:16]}…",
                    "state": words.word(words.STATES, item.state),
                    "source": _source(item.source),
                    "at": _when(item.at, language),
                }
                for item in contents.fingerprints[: int(limits["fingerprints"])]
            ],
            "fingerprints_note": _shown(contents.fingerprints, int(limits["fingerprints"])),
            "missing": [words.word(words.MISSING, code) for code in contents.missing],
        }


def _labels() -> dict[str, str]:
    return {
        "title": _("Referral to police"),
        "case": _("Case"),
        "from": pgettext("letter", "From"),
        "to": pgettext("letter", "To"),
        "prepared": _("Prepared"),
        "facts": _("What we know"),
        "fact": _("Question"),
        "value": _("Answer"),
        "source": _("Source"),
        "when": _("When"),
        "words": _("The reporter's own words"),
        "places": _("Places"),
        "place": _("Link (broken on purpose)"),
        "exhibit": _("Exhibit"),
        "handles": _("Account names"),
        "handle": _("Account name"),
        "fingerprints": _("Fingerprints of pictures"),
        "sha256": _("SHA-256, shortened"),
        "state": _("List"),
        "missing": _("What is missing"),
        "check": _("How to check this package"),
        "check_how": _("Unpack it without a network and run"),
        "check_then": _("then compare the digest of manifest.json with the one shown in the portal."),
        "undrawable": _("These characters could not be drawn here; the exact text is in facts.json:"),
    }


def _source(source: str) -> str:
    return words.word(words.SOURCES, source)


def _shown(items: Sequence[object], limit: int) -> str:
    if len(items) <= limit:
        return f"({len(items)})"
    return _("(%(shown)d of %(total)d; all are in facts.json)") % {"shown": limit, "total": len(items)}


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return text[:limit].rstrip() + "… " + _("[shortened; the whole text is in facts.json]")


def _when(at: datetime | None, language: str) -> str:
    """Local time; the zone stands once, beside the time of preparation. The exact instants are in facts.json."""
    if at is None:
        return "–"
    local = at.astimezone(ZoneInfo(settings.TIME_ZONE))
    clock = f"{local.hour} h {local.minute:02d}" if language == "fr" else f"{local:%H:%M}"
    return f"{local:%Y-%m-%d} {clock}".replace(" ", "\u00a0")


def defanged(url: str) -> str:
    """A link as text that nothing turns into a link."""
    broken = url.replace(".", "[.]").replace("://", "[:]//").replace("@", "[@]")
    return f"hxxp{broken[4:]}" if broken[:4].lower() == "http" else broken


def _breakable(text: str) -> str:
    """Lets a line break after any separator, and inside endless runs."""
    parts = re.split(r"(?<=[/\]?&=_\-])", text)
    runs = [part[start : start + 24] for part in parts for start in range(0, max(1, len(part)), 24)]
    return "\u200b".join(runs)


# ---- characters that no font of ours draws ------------------------------------------------------------------------------------
def _spell_out_what_no_font_draws(data: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    found: dict[str, None] = {}

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return "".join(_spelled(char, found) for char in unicodedata.normalize("NFC", value))
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        return [clean(item) for item in value] if isinstance(value, list) else value

    cleaned = clean(data)
    return cleaned, tuple(sorted(found))[:40]


def _spelled(char: str, found: dict[str, None]) -> str:
    if char in "\n\t\u200b" or " " <= char <= "~":
        return char
    if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Cn"} or not is_drawable(char):
        name = f"U+{ord(char):04X}"
        found[name] = None
        return f"[{name}]"
    return char


@lru_cache(maxsize=8192)
def is_drawable(char: str) -> bool:
    """Whether the fonts inside the wheel have a glyph for this character: asked of the renderer itself, about 1 ms."""
    compiler = typst.Compiler(_PROBE, ignore_system_fonts=True, sys_inputs={"data": json.dumps(char)})
    try:
        compiler.compile(_PROBE, format="pdf", timestamp=0, pdf_standards=["a-2b"])
    except typst.TypstError:
        return False
    return True


def drawable_of(chars: Iterable[str]) -> set[str]:
    """Those of the characters that the page can show."""
    return {char for char in chars if is_drawable(char)}
