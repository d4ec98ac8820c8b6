"""What the pages of both sides show of a package: codes in words, digests in groups. Read by the two doors only."""

from __future__ import annotations

from typing import Any

from vigil.core.ids import format_number
from vigil.referral import words
from vigil.referral.selectors import Listed, OutcomeFacts
from vigil.referral.wire.contents import Contents

BADGES = {"draft": "wait", "sent": "wait", "acknowledged": "good", "closed": "good"}


def row(item: Listed) -> dict[str, Any]:
    """One package of a list."""
    facts = item.package
    return {
        "facts": facts,
        "number": format_number(facts.number),
        "case_number": format_number(facts.case_number),
        "state": words.word(words.PACKAGE_STATES, facts.state),
        "badge": BADGES[facts.state],
        "agency": {"name_en": item.agency_name_en, "name_fr": item.agency_name_fr},
        "outcomes": [outcome(each) for each in item.outcomes],
        "failed": bool(facts.last_failure),
    }


def outcome(item: OutcomeFacts) -> dict[str, Any]:
    """One outcome in words."""
    return {"number": format_number(item.number), "kind": words.word(words.OUTCOMES, item.kind), "at": item.at}


def summary(contents: Contents) -> dict[str, Any]:
    """The one-page summary as a page: the same facts and sources as the PDF, all of them."""
    return {
        "contents": contents,
        "reasons": [words.word(words.REASONS, code) for code in contents.reasons],
        "facts": [
            {
                "label": words.word(words.FACTS, fact.code),
                "value": " · ".join(words.word(words.VALUES, value) for value in fact.values),
                "source": words.word(words.SOURCES, fact.source),
                "number": fact.subject_number,
                "at": fact.at,
            }
            for fact in contents.facts
        ],
        "words": contents.words,
        "places": [
            {
                "exhibit": place.exhibit,
                "url": place.url,
                "source": words.word(words.SOURCES, place.source),
                "role": words.word(words.ROLES, place.role),
                "at": place.at,
                "server": place.server_address,
            }
            for place in contents.places
        ],
        "handles": [
            {
                "exhibit": handle.exhibit,
                "text": handle.text,
                "source": words.word(words.SOURCES, handle.source),
                "at": handle.at,
            }
            for handle in contents.handles
        ],
        "fingerprints": [
            {
                "exhibit": item.exhibit,
                "sha256": item.sha256,
                "md5": item.md5,
                "pdq": item.pdq,
                "state": words.word(words.STATES, item.state),
                "list_number": item.list_number,
                "source": words.word(words.SOURCES, item.source),
                "places": ", ".join(str(number) for number in item.place_exhibits),
                "at": item.at,
            }
            for item in contents.fingerprints
        ],
        "missing": [words.word(words.MISSING, code) for code in contents.missing],
    }
