"""What the worker does for casework."""

from __future__ import annotations

from vigil.casework import services
from vigil.core.actors import process_actor
from vigil.core.events import on
from vigil.core.models import Event


@on("intake.report_submitted")
def open_incidents_of_new_report(event: Event) -> None:
    """A new report becomes incidents: one per situation, in the queue within seconds."""
    services.open_incidents(actor=process_actor("worker"), report_id=event.subject_id, at=event.at)
