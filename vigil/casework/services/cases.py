"""Cases: incidents that belong together. Moving an incident never lets anybody see more (rule 6)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.casework.errors import AlreadyInCase, CaseNotFound, NotInCase
from vigil.casework.models import Case, Incident
from vigil.casework.services.incidents import add_step, lock_incident, require_work, touch
from vigil.core.actors import Actor
from vigil.core.ids import issue_number, new_id


@transaction.atomic
def open_case(*, actor: Actor, incident_id: UUID, at: datetime) -> Case:
    """Open a case around an incident that is in none. Raises IncidentNotFound, NotPermitted, ClaimNeeded, AlreadyInCase."""
    incident = lock_incident(incident_id)
    require(actor, "case.create", incident)
    require_work(actor, incident, at=at)
    if incident.case_id is not None:
        raise AlreadyInCase(incident_id)
    case_id = new_id()
    case = Case(
        id=case_id,
        number=issue_number("case", case_id),
        sensitivity=incident.sensitivity,
        band=incident.band,
        opened_by=actor.id,
        opened_at=at,
    )
    Case.objects.bulk_create([case])
    _move(incident, case)
    touch(incident, at=at)
    add_step(incident, "case_opened", actor=actor, at=at, data={"case": case.number})
    audit.record(
        actor=actor,
        action="case.create",
        subject_kind="case",
        subject_id=case_id,
        at=at,
        data={"incident": str(incident_id), "sensitivity": case.sensitivity},
    )
    return case


@transaction.atomic
def add_to_case(*, actor: Actor, incident_id: UUID, case_id: UUID, at: datetime) -> Case:
    """Put an incident into a case, out of any other one. The case takes the higher sensitivity and the more urgent band.

    Raises IncidentNotFound, CaseNotFound (also for what the actor may not see), NotPermitted, ClaimNeeded, AlreadyInCase.
    """
    incident = lock_incident(incident_id)
    require(actor, "case.link", incident)
    require_work(actor, incident, at=at)
    case = lock_case(case_id)
    require(actor, "case.link", case)
    if incident.case_id == case_id:
        raise AlreadyInCase(incident_id)
    before = incident.case_id
    case.sensitivity = max(case.sensitivity, incident.sensitivity)
    case.band = min(case.band, incident.band)
    case.save(update_fields=["sensitivity", "band"])
    _move(incident, case)
    touch(incident, at=at)
    add_step(incident, "added_to_case", actor=actor, at=at, data={"case": case.number})
    audit.record(
        actor=actor,
        action="case.link",
        subject_kind="case",
        subject_id=case_id,
        at=at,
        data={"incident": str(incident_id), "from": str(before or ""), "sensitivity": case.sensitivity},
    )
    return case


@transaction.atomic
def take_out_of_case(*, actor: Actor, incident_id: UUID, at: datetime) -> Incident:
    """Undo: take an incident out of its case. The case stays as protected as it was.

    Raises IncidentNotFound, NotPermitted, ClaimNeeded, NotInCase; CaseNotFound when the actor may not see the case.
    """
    incident = lock_incident(incident_id)
    require(actor, "case.link", incident)
    require_work(actor, incident, at=at)
    if incident.case_id is None:
        raise NotInCase(incident_id)
    case = lock_case(incident.case_id)
    require(actor, "case.link", case)
    incident.case = None
    incident.save(update_fields=["case"])
    touch(incident, at=at)
    add_step(incident, "taken_out_of_case", actor=actor, at=at, data={"case": case.number})
    audit.record(
        actor=actor,
        action="case.unlink",
        subject_kind="case",
        subject_id=case.id,
        at=at,
        data={"incident": str(incident_id)},
    )
    return incident


def lock_case(case_id: UUID) -> Case:
    """The case, locked until the transaction ends. Raises CaseNotFound, also for what the actor may not see."""
    case = Case.objects.select_for_update().filter(id=case_id).first()
    if case is None:
        raise CaseNotFound(case_id)
    return case


def _move(incident: Incident, case: Case) -> None:
    incident.case = case
    incident.save(update_fields=["case"])
