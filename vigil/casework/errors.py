"""Errors of casework, each with its published code."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from vigil.core.errors import Conflict, Invalid, NotFound


class IncidentNotFound(NotFound):
    """There is no such incident, or the actor may not know that there is."""

    code = "incident.not_found"
    # Pages answer it exactly like something that exists above the actor's clearance.
    unseen = True


class CaseNotFound(NotFound):
    """There is no such case, or the actor may not know that there is."""

    code = "case.not_found"
    unseen = True


class EntryUnknown(NotFound):
    """There is no entry of that number, or the actor may not know that there is."""

    code = "entry.unknown"
    unseen = True


class IncidentClaimed(Conflict):
    """Somebody else works on the incident until `until`."""

    code = "incident.claimed"

    def __init__(self, incident_id: UUID, *, claimed_by: UUID, until: datetime) -> None:
        super().__init__(incident_id)
        self.claimed_by = claimed_by
        self.until = until


class ClaimNeeded(Conflict):
    """The step needs a claim that the actor does not hold (any more)."""

    code = "incident.claim_needed"


class ClaimStale(Conflict):
    """The claim under which the page was opened has ended since; another one may have begun."""

    code = "incident.claim_stale"


class IncidentDecided(Conflict):
    """The incident was decided already."""

    code = "incident.decided"


class DecisionUnusable(Invalid):
    """Decision, reason, note or number of the other incident is missing or does not fit; `fields` says which."""

    code = "incident.decision_unusable"


class AlreadyInCase(Conflict):
    """The incident is in that case already."""

    code = "case.already_in"


class NotInCase(Conflict):
    """The incident is in no case."""

    code = "incident.without_case"


class CandidateNotFound(NotFound):
    """The incident has no such candidate."""

    code = "candidate.not_found"


class ReasonMissing(Invalid):
    """A reason is needed."""

    code = "casework.reason_missing"


class NothingToFetch(Conflict):
    """The report names no link: there is nothing that the crawler could fetch."""

    code = "incident.nothing_to_fetch"
