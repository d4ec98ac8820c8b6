"""What changes intake's rows."""

from vigil.intake.services.drafts import delete_expired_drafts, discard_draft, load_draft, save_draft, was_sent
from vigil.intake.services.reports import index_links, seal_links_for_crawl, submit_report
from vigil.intake.services.threads import (
    add_message,
    ask_reporter,
    close_thread,
    mark_read,
    open_thread,
    withdraw_contact,
)

__all__ = [
    "add_message",
    "ask_reporter",
    "close_thread",
    "delete_expired_drafts",
    "discard_draft",
    "index_links",
    "load_draft",
    "mark_read",
    "open_thread",
    "save_draft",
    "seal_links_for_crawl",
    "submit_report",
    "was_sent",
    "withdraw_contact",
]
