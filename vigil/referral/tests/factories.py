"""Synthetic packages: reserved hosts, generated hashes, neutral words."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from vigil.referral.wire.contents import (
    Agency,
    Contents,
    Fact,
    Fingerprint,
    Handle,
    Hotline,
    Place,
    ReporterWords,
    Step,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_SPACE = UUID("3b1c9d3e-5a50-5f0e-9d53-76c1f0a1a002")


def an_id(name: object) -> UUID:
    return uuid5(_SPACE, str(name))


def a_place(exhibit: int, **changes: Any) -> Place:
    values: dict[str, Any] = {
        "id": an_id(f"place {exhibit}"),
        "exhibit": exhibit,
        "url": f"https://pictures.example/albums/{exhibit}/page?id={exhibit}&view=large",
        "source": "reporter",
        "at": NOON,
        "role": "reported",
        "subject_number": "7K3M-9Q2-X4A",
    }
    return Place(**(values | changes))


def a_fingerprint(exhibit: int, **changes: Any) -> Fingerprint:
    seed = str(exhibit).encode()
    values: dict[str, Any] = {
        "id": an_id(f"print {exhibit}"),
        "exhibit": exhibit,
        "sha256": hashlib.sha256(seed).hexdigest(),
        "md5": hashlib.md5(seed, usedforsecurity=False).hexdigest(),
        "pdq": hashlib.sha256(b"pdq" + seed).hexdigest(),
        "pdq_quality": 100,
        "source": "crawler",
        "at": NOON + timedelta(minutes=3),
        "list_number": "8M2A-1ZC-K30",
        "state": "published",
        "classification": "national",
        "place_exhibits": (1,),
    }
    return Fingerprint(**(values | changes))


def contents(**changes: Any) -> Contents:
    """A valid package; a test states only what matters to it."""
    values: dict[str, Any] = {
        "package_id": an_id("package"),
        "number": "2QH7-0RV-5T1",
        "case_number": "9B2C-3D4-E5F",
        "prepared_at": NOON + timedelta(hours=2),
        "hotline": Hotline("Demo Hotline", "Ligne démo", "hotline.example", "555-0100", "0.1.0"),
        "agency": Agency("Demo Police Service", "Service de police démo", "CA-ON", "en"),
        "band": 3,
        "reasons": (),
        "facts": (
            Fact("situation", ("seen_material",), "reporter", NOON, "7K3M-9Q2-X4A"),
            Fact("danger", ("no",), "reporter", NOON, "7K3M-9Q2-X4A"),
            Fact("decision", ("refer",), "analyst", NOON + timedelta(hours=1)),
        ),
        "words": (ReporterWords("7K3M-9Q2-X4A", "en", NOON, "A page with pictures was reported."),),
        "places": (a_place(1),),
        "handles": (Handle(an_id("handle"), 2, "demo_account", "reporter", NOON),),
        "fingerprints": (a_fingerprint(3),),
        "steps": (
            Step(an_id("step"), "report_received", "reporter", NOON, NOON, (1, 2), "7K3M-9Q2-X4A"),
            Step(an_id("step 2"), "candidate_seen", "crawler", NOON, NOON + timedelta(minutes=3), (1, 3)),
        ),
    }
    return Contents(**(values | changes))
