"""Reads of intake."""

from vigil.intake.selectors.questions import (
    AnswerWords,
    answer_in_words,
    answers_in_words,
    set_of_report,
    stored_set,
)
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
    "AnswerWords",
    "LinkFacts",
    "MessageWords",
    "OpenThread",
    "ReportSummary",
    "ReportWords",
    "ThreadRow",
    "answer_in_words",
    "answers_in_words",
    "links_of",
    "message_count",
    "read_thread",
    "report_summary",
    "report_words",
    "reports_between",
    "reports_with_link_like",
    "set_of_report",
    "stored_set",
    "thread_of",
    "thread_words",
]
