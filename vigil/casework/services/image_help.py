"""Work out of image help: a case that needs a person becomes an incident, and a match only proposes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from vigil.casework.models import Incident
from vigil.casework.services.incidents import add_step, open_incidents
from vigil.core.actors import Actor
from vigil.crawl import selectors as crawl_selectors
from vigil.crawl import services as crawl
from vigil.imagehelp import selectors as help_selectors
from vigil.imagehelp.selectors import HelpCaseSummary
from vigil.intake import services as intake
from vigil.lists import selectors as lists


@transaction.atomic
def open_incident_of_help_case(*, actor: Actor, case_id: UUID, at: datetime) -> list[UUID]:
    """A new image-help case becomes an incident when there is something for a person to read: links, names, a threat.

    Whether a fingerprint is known anywhere plays no part. Safe to run twice. Raises HelpCaseNotFound.
    """
    case = help_selectors.case_summary(case_id)
    if not case.links and case.threat != "yes":
        return []
    return _incidents_of(case, actor=actor, at=at)


@transaction.atomic
def propose_declared_match(*, actor: Actor, match_id: UUID, at: datetime) -> UUID | None:
    """A place shows what fits a person's fingerprint: put it before a person, as a candidate of the case's incident.

    It is decided like any candidate: proposed for the list by somebody, looked at by two others. Nothing is sent or removed
    from here. None when the fingerprint was taken back meanwhile. Safe to run twice. Raises DeclaredMatchNotFound.
    """
    match = crawl_selectors.declared_match(match_id)
    if not lists.is_declared(match.declared_id):
        return None
    case = help_selectors.case_summary(match.help_case_id)
    _incidents_of(case, actor=actor, at=at)
    incident = Incident.objects.filter(report_id=case.report_id).order_by("band", "created_at").first()
    assert incident is not None, "a report has at least one incident"
    if crawl.propose_candidate(match_id=match_id, incident_id=incident.id, actor=actor, at=at):
        add_step(incident, "declared_match", actor=actor, at=at, data={"distance": match.distance})
    return incident.id


def _incidents_of(case: HelpCaseSummary, *, actor: Actor, at: datetime) -> list[UUID]:
    links = [(link.id, link.kind, link.value) for link in help_selectors.links_of(case.id)]
    intake.take_help_report(
        report_id=case.report_id, language=case.language, signals=signals_of(case), under_18=case.under_18, links=links,
        submitted_at=case.opened_at, actor=actor, at=at,
    )  # fmt: skip
    return open_incidents(actor=actor, report_id=case.report_id, at=at)


def signals_of(case: HelpCaseSummary) -> dict[str, object]:
    """What a case means in the fixed words that triage reads. Doubt about the age counts as a child."""
    return {
        "who": "me" if case.who == "me" else "known",
        "age_band": "18_plus" if case.age == "18_plus" else "",
        "situations": ["threat" if case.threat == "yes" else "shared_image"],
        "help_asked": "yes",
    }
