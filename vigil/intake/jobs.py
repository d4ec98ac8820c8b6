"""What the worker does for intake."""

from __future__ import annotations

from datetime import datetime

from vigil.core.actors import process_actor
from vigil.core.events import Event, every_tick, on
from vigil.intake import answering, services

WORKER = process_actor("worker")
ANSWERS_A_TICK = 10


@on("intake.report_submitted")
def index_links_of_new_report(event: Event) -> None:
    """A new report's links get their blind indexes, made inside the key process."""
    services.index_links(actor=WORKER, report_id=event.subject_id)


@every_tick
def answer_mails(now: datetime) -> None:
    """Partners hear what became of the lines of their mails. A mail server that is away delays an answer, never loses it."""
    for _ in range(ANSWERS_A_TICK):
        if not answering.answer_next(at=now):
            break


@every_tick
def delete_expired_drafts(now: datetime) -> None:
    """Half-filled reports are gone two hours after their last answer."""
    services.delete_expired_drafts(at=now)
