"""Reads of intake."""

from vigil.intake.selectors.reports import (
    LinkFacts,
    ReportSummary,
    ReportWords,
    links_of,
    report_summary,
    report_words,
    reports_between,
    reports_with_link_like,
)
from vigil.intake.selectors.threads import (
    MessageWords,
    OpenThread,
    ThreadRow,
    message_count,
    read_thread,
    thread_of,
    thread_words,
)

__all__ = [
    "LinkFacts",
    "MessageWords",
    "OpenThread",
    "ReportSummary",
    "ReportWords",
    "ThreadRow",
    "links_of",
    "message_count",
    "read_thread",
    "report_summary",
    "report_words",
    "reports_between",
    "reports_with_link_like",
    "thread_of",
    "thread_words",
]
