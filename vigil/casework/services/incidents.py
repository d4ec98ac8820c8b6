"""Incidents: opened from a report, claimed by one person at a time, decided under the claim."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from vigil.accounts.policies import require
from vigil.audit import services as audit
from vigil.casework import limits, policies, triage, words
from vigil.casework.errors import (
    ClaimNeeded,
    ClaimStale,
    DecisionUnusable,
    IncidentClaimed,
    IncidentDecided,
    IncidentNotFound,
)
from vigil.casework.models import REAPPEARANCES, Incident, KnownPlace, Note, Step
from vigil.core.actors import Actor
from vigil.core.crypto import new_data_key
from vigil.core.errors import Invalid, NotFound
from vigil.core.events import emit
from vigil.core.ids import issue_number, new_id, resolve_number
from vigil.intake import selectors as intake
from vigil.intake import services as intake_services

MAX_NOTE_CHARACTERS = 5000


@transaction.atomic
def open_incidents(*, actor: Actor, report_id: UUID, at: datetime) -> list[UUID]:
    """Turn a report into incidents, one per situation, each with band and reasons. Safe to run twice.

    Returns the ids of the incidents that this call made. All incidents of a report have one sensitivity, the highest: they
    share the reporter's words. Raises ReportNotFound.
    """
    report = intake.report_summary(report_id)
    existing = set(Incident.objects.filter(report_id=report_id).values_list("situation", flat=True))
    sensitivity = triage.sensitivity_of(report.signals)
    made = []
    for situation in triage.situations_of(report.signals):
        if situation in existing:
            continue
        band = triage.band_of_situation(report.signals, situation)
        incident_id = new_id()
        incident = Incident(
            id=incident_id,
            number=issue_number("incident", incident_id),
            report_id=report_id,
            situation=situation,
            band=band.level,
            reasons=list(band.reasons),
            sensitivity=sensitivity,
            language=report.language,
            source=report.source,
            partner_id=report.partner_id,
            under_18=report.under_18,
            link_count=report.link_count,
            created_at=report.submitted_at,
            due_at=limits.due_at(band.level, created_at=report.submitted_at, first_look_at=None),
        )
        Incident.objects.bulk_create([incident])
        add_step(incident, "opened", actor=actor, at=at)
        emit("casework.incident_opened", incident_id, actor=actor, at=at)
        made.append(incident)
    for incident in made:
        audit.record(
            actor=actor,
            action="incident.open",
            subject_kind="incident",
            subject_id=incident.id,
            at=at,
            data={"report": str(report_id), "band": incident.band, "sensitivity": incident.sensitivity},
        )
    return [incident.id for incident in made]


@transaction.atomic
def claim_incident(*, actor: Actor, incident_id: UUID, at: datetime) -> Incident:
    """Take an incident, or keep it for another 15 minutes. Nobody else's claim is taken while it lasts.

    Raises IncidentNotFound, NotPermitted, IncidentDecided, IncidentClaimed (who holds it, and until when).
    """
    incident = lock_incident(incident_id)
    require(actor, "incident.claim", incident)
    if incident.state != "open":
        raise IncidentDecided(incident_id)
    if policies.is_claimed(incident, at=at) and incident.claimed_by and incident.claim_expires_at:
        if incident.claimed_by != actor.id:
            raise IncidentClaimed(incident_id, claimed_by=incident.claimed_by, until=incident.claim_expires_at)
        _extend(incident, at=at)
        incident.save(update_fields=["claim_expires_at"])
        audit.record(actor=actor, action="incident.claim", subject_kind="incident", subject_id=incident_id, at=at)
        return incident
    incident.claimed_by = actor.id
    incident.claim_fence += 1
    _extend(incident, at=at)
    if incident.first_look_at is None:
        incident.first_look_at = at
        incident.due_at = limits.due_at(incident.band, created_at=incident.created_at, first_look_at=at)
    incident.save(update_fields=["claimed_by", "claim_fence", "claim_expires_at", "first_look_at", "due_at"])
    add_step(incident, "claimed", actor=actor, at=at)
    intake_services.mark_read(actor=actor, report_id=incident.report_id, at=at, item=incident)
    audit.record(
        actor=actor,
        action="incident.claim",
        subject_kind="incident",
        subject_id=incident_id,
        at=at,
        data={"fence": incident.claim_fence},
    )
    return incident


@transaction.atomic
def release_incident(*, actor: Actor, incident_id: UUID, at: datetime) -> Incident:
    """Give a claim back. Raises IncidentNotFound, NotPermitted, ClaimNeeded when the actor holds none."""
    incident = lock_incident(incident_id)
    require(actor, "incident.claim", incident)
    if not policies.holds_claim(actor.id, incident, at=at):
        raise ClaimNeeded(incident_id)
    _end_claim(incident)
    incident.save(update_fields=["claimed_by", "claim_expires_at"])
    add_step(incident, "released", actor=actor, at=at)
    audit.record(actor=actor, action="incident.release", subject_kind="incident", subject_id=incident_id, at=at)
    return incident


@transaction.atomic
def decide_incident(
    *,
    actor: Actor,
    incident_id: UUID,
    fence: int,
    decision: str,
    reason: str,
    at: datetime,
    note: str = "",
    duplicate_of: str = "",
) -> Incident:
    """Decide an incident under the claim with this fencing number; `needs_more` leaves it open and ends the claim.

    `duplicate_of`: the number of the other incident. Raises IncidentNotFound, NotPermitted, IncidentDecided, ClaimStale
    (the claim ran out or another one began), DecisionUnusable.
    A second person for closing B0 and B1 is not asked for yet.
    """
    incident = lock_incident(incident_id)
    require(actor, "incident.decide", incident)
    if incident.state != "open":
        raise IncidentDecided(incident_id)
    if not policies.holds_claim(actor.id, incident, at=at) or incident.claim_fence != fence:
        raise ClaimStale(incident_id)
    original = _check_decision(incident, decision, reason, note, duplicate_of)
    _end_claim(incident)
    incident.decision, incident.decision_reason, incident.duplicate_of_id = decision, reason, original
    incident.decided_by, incident.decided_at = actor.id, at
    incident.state = "open" if decision == "needs_more" else "decided"
    incident.save(
        update_fields=[
            "claimed_by",
            "claim_expires_at",
            "decision",
            "decision_reason",
            "duplicate_of",
            "decided_by",
            "decided_at",
            "state",
        ]
    )
    if note.strip():
        _write_note(incident, note.strip(), actor=actor, at=at)
    kind = "needs_more" if decision == "needs_more" else "decided"
    add_step(incident, kind, actor=actor, at=at, data={"decision": decision, "reason": reason})
    if incident.state == "decided":
        emit("casework.incident_decided", incident_id, actor=actor, at=at)
    audit.record(
        actor=actor,
        action="incident.decide",
        subject_kind="incident",
        subject_id=incident_id,
        at=at,
        data={"decision": decision, "reason": reason, "fence": fence, "with_note": bool(note.strip())},
    )
    return incident


@transaction.atomic
def ask_reporter(*, actor: Actor, incident_id: UUID, text: str, at: datetime) -> UUID:
    """Put a question to the reporter, under the claim. Returns the message's id.

    Raises IncidentNotFound, NotPermitted, ClaimNeeded, and intake's BadMessage, QuestionNotAsked; Unavailable without `keyd`.
    """
    incident = lock_incident(incident_id)
    require(actor, "question.ask", incident)
    require_work(actor, incident, at=at)
    message_id = intake_services.ask_reporter(
        actor=actor, report_id=incident.report_id, text=text, at=at, ticket=incident.number, item=incident
    )
    touch(incident, at=at)
    add_step(incident, "question_asked", actor=actor, at=at)
    return message_id


# ---- shared by the services of this room ---------------------------------------------------------------------------------
def lock_incident(incident_id: UUID) -> Incident:
    """The incident, locked until the transaction ends. Raises IncidentNotFound, also for what the actor may not see."""
    incident = Incident.objects.select_for_update().filter(id=incident_id).first()
    if incident is None:
        raise IncidentNotFound(incident_id)
    return incident


def require_work(actor: Actor, incident: Incident, *, at: datetime) -> None:
    """Raise ClaimNeeded unless the actor may take a step on the incident now."""
    if not policies.may_work_on(actor, incident, at=at):
        raise ClaimNeeded(incident.id)


def touch(incident: Incident, *, at: datetime) -> None:
    """A step of the holder keeps the claim: only idleness ends it."""
    if incident.state == "open" and incident.claimed_by is not None:
        _extend(incident, at=at)
        incident.save(update_fields=["claim_expires_at"])


def add_step(incident: Incident, kind: str, *, actor: Actor, at: datetime, data: dict[str, Any] | None = None) -> None:
    """Add a line to the incident's timeline: codes, numbers and counts only."""
    Step.objects.bulk_create(
        [Step(id=new_id(), incident=incident, kind=kind, actor_id=actor.id, at=at, data=data or {})]
    )


def _extend(incident: Incident, *, at: datetime) -> None:
    incident.claim_expires_at = at + limits.CLAIM_IDLE


def _end_claim(incident: Incident) -> None:
    incident.claimed_by = incident.claim_expires_at = None


def _check_decision(incident: Incident, decision: str, reason: str, note: str, duplicate_of: str) -> UUID | None:
    """What is wrong with a decision, all of it at once; the id of the other incident for a duplicate."""
    fields, original = {}, None
    if decision not in words.REASONS:
        fields["decision"] = "decision.missing"
    if reason not in words.REASON_CODES:
        fields["reason"] = "reason.missing"
    elif decision in words.REASONS and reason not in words.REASONS[decision]:
        fields["reason"] = "reason.other_decision"
    if len(note) > MAX_NOTE_CHARACTERS or "\x00" in note:
        fields["note"] = "note.unusable"
    if decision == "duplicate" and KnownPlace.objects.filter(incident=incident, state__in=REAPPEARANCES).exists():
        # The place was confirmed removed: whoever sees it again tells something new.
        fields["decision"] = "duplicate.reappeared"
    elif decision == "duplicate":
        original = _other_incident(duplicate_of)
        if original is None or original == incident.id:
            fields["duplicate_of"] = "duplicate.unknown"
    if fields:
        raise DecisionUnusable(incident.id, fields=fields)
    return original


def _other_incident(number: str) -> UUID | None:
    try:
        kind, incident_id = resolve_number(number)
    except (Invalid, NotFound):
        return None
    # Through the row policies: an incident above the actor's clearance cannot be pointed at.
    return incident_id if kind == "incident" and Incident.objects.filter(id=incident_id).exists() else None


def _write_note(incident: Incident, text: str, *, actor: Actor, at: datetime) -> None:
    note_id = new_id()
    key = new_data_key(record_id=note_id, klass="note")
    body = key.encrypt(text, table="casework_note", column="body", row_id=note_id)
    Note.objects.bulk_create([Note(id=note_id, incident=incident, body=body, written_by=actor.id, at=at)])
