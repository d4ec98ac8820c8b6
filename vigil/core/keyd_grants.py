"""Who may have what opened: process x class x purpose. This table is all that the key process follows.

A row here is a decision: it says which process, for which purpose, gets a data key (`OPEN`) or has something done inside the
key process (`PLACES`). Where all processes share one user (a laptop), tokens separate them only as far as files do.
"""

from __future__ import annotations

# (process, class, purpose)
OPEN: frozenset[tuple[str, str, str]] = frozenset(
    {
        ("console", "narrative", "casework.view"),
        ("console", "contact", "casework.view"),
        ("console", "link", "casework.view"),
        ("console", "thread", "casework.view"),
        ("console", "thread", "casework.ask"),
        ("console", "note", "casework.view"),
        ("console", "note", "removal.view"),
        ("console", "referral", "referral.view"),
        ("partner", "referral", "referral.view"),
        ("worker", "narrative", "referral.package"),
        ("worker", "link", "referral.package"),
        ("console", "narrative", "referral.package"),
        ("console", "link", "referral.package"),
    }
)

# (process, operation, purpose)
PLACES: frozenset[tuple[str, str, str]] = frozenset(
    {
        ("console", "seal_places", "casework.fetch"),
        ("worker", "seal_places", "casework.fetch"),
        ("worker", "seal_places", "intake.index"),
        ("console", "open_place", "casework.view"),
        ("console", "open_place", "removal.view"),
        ("console", "open_place", "referral.package"),
        ("worker", "open_place", "removal.notice"),
        ("worker", "open_place", "removal.provider"),
        ("worker", "open_place", "referral.package"),
        ("partner", "open_place", "removal.answer"),
        ("crawl", "crawl_key", "crawl"),
    }
)
