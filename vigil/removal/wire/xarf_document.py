"""The XARF 4.2.0 document of a notice: hash values and reference numbers, never media.

Source: xarf-spec v4.2.0, `schemas/v4/types/content-csam.json`; checked in tests with the `xarf` package, normal mode.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from vigil.removal.wire.notice import NoticeText, report_id
from vigil.removal.wire.places import target_of

XARF_VERSION = "4.2.0"
CLASSIFICATIONS = frozenset({"baseline", "A1", "A2", "B1", "B2"})
_DOMAIN = re.compile(r"^([a-z0-9]+(-[a-z0-9]+)*\.)+[a-z]{2,}$")  # the schema's own pattern


def is_expressible(classification: str) -> bool:
    """Whether XARF has a word for this classification. A looser one is never raised to a stricter one."""
    return classification in CLASSIFICATIONS


def xarf_document(text: NoticeText) -> dict[str, Any]:
    """The XARF report of one notice mail. Raises ValueError where XARF has no word for the classification."""
    if not is_expressible(text.classification):
        raise ValueError("classification has no XARF value")
    target = target_of(text.url)
    contact = {"org": text.sender.name_en[:200], "contact": text.sender.email, "domain": text.sender.domain}
    document: dict[str, Any] = {
        "xarf_version": XARF_VERSION,
        "report_id": str(report_id(text.notice_id, text.attempt_kind)),
        "timestamp": _instant(text.first_seen_at),
        "reporter": contact,
        "sender": contact,
        "source_identifier": text.server_address or target.host,
        "source_port": target.port,
        "category": "content",
        "type": "csam",
        "evidence_source": "crawler",
        "url": text.url,
        "verified_at": _instant(text.verified_at),
        "verification_method": "automated_crawler",
        "classification": text.classification,
        "detection_method": "hash_match",
        "media_type": "image",
        "content_removed": False,
        "confidence": 1.0 if text.exact else 0.9,
        "description": f"Notice {text.number}. Verified by two assessors. Answer through the link in this mail.",
    }
    if _DOMAIN.match(target.host):
        document["domain"] = target.host
    if hashes := _hash_values(text):
        document["hash_values"] = hashes
    if text.page_url and text.page_url != text.url:
        document["evidence"] = [_page_reference(text.page_url)]
    return document


def xarf_bytes(text: NoticeText) -> bytes:
    """The same, as the bytes of `xarf.json`."""
    return json.dumps(xarf_document(text), ensure_ascii=False, indent=1, sort_keys=True).encode()


def _hash_values(text: NoticeText) -> dict[str, str]:
    # A near match is another file than the listed one: its exact hashes would name something that is not at this place.
    if not text.exact:
        return {}
    values = {"sha256": text.fingerprints.sha256, "md5": text.fingerprints.md5}
    return {name: value for name, value in values.items() if value}


def _page_reference(page_url: str) -> dict[str, Any]:
    payload = page_url.encode()
    return {
        "content_type": "text/plain",
        "description": "Address of the page that shows the file.",
        "payload": base64.b64encode(payload).decode(),
        "hash": "sha256:" + hashlib.sha256(payload).hexdigest(),
        "size": len(payload),
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
