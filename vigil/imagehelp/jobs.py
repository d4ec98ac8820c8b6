"""What the worker does for image help."""

from __future__ import annotations

from datetime import datetime

from vigil.core.actors import process_actor
from vigil.core.events import Event, every_tick, on
from vigil.imagehelp import services

WORKER = process_actor("worker")


@on("imagehelp.case_opened")
def declare_fingerprints_of_new_case(event: Event) -> None:
    """A new case's fingerprints go on the list of their own, whatever they match."""
    services.declare_fingerprints(actor=WORKER, case_id=event.subject_id, at=event.at)


@every_tick
def delete_expired_drafts(now: datetime) -> None:
    """What was half filled in is gone two hours after the last step."""
    services.delete_expired_drafts(at=now)
