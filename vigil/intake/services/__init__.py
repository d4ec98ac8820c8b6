"""What changes intake's rows."""

from vigil.intake.services.drafts import (
    come_back,
    delete_expired_drafts,
    discard_draft,
    discard_saved,
    load_draft,
    save_draft,
    save_for_later,
    saved_days,
    was_sent,
)
from vigil.intake.services.image_help import take_help_report
from vigil.intake.services.reports import index_links, seal_links_for_crawl, submit_report, take_report
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
    "come_back",
    "delete_expired_drafts",
    "discard_draft",
    "discard_saved",
    "index_links",
    "load_draft",
    "mark_read",
    "open_thread",
    "save_draft",
    "save_for_later",
    "saved_days",
    "seal_links_for_crawl",
    "submit_report",
    "take_help_report",
    "take_report",
    "was_sent",
    "withdraw_contact",
]
