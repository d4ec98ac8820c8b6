"""Who may do what: one table, one decision. Permission = role x clearance for the item's sensitivity x agency.

Row-level security stands behind this (migrations of each room), so a forgotten call shows nothing instead of everything.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from vigil.accounts.errors import ActionNotPermitted, ItemUnseen, StepUpNeeded
from vigil.core.actors import Actor


class Role(enum.StrEnum):
    """What a person is here for. A person may have several roles."""

    INTAKE_ANALYST = "intake_analyst"
    ASSESSOR = "assessor"
    REMOVAL_OFFICER = "removal_officer"
    POLICE_LIAISON = "police_liaison"
    POLICE_OFFICER = "police_officer"
    PROVIDER = "provider"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


# These people belong to somebody else: they sign in at the partner origin only, and see their own agency's or company's items.
PARTNER_ROLES = frozenset({Role.POLICE_OFFICER, Role.PROVIDER})

# Sensitivity of an item and clearance of a person share one scale.
ORDINARY, PROTECTED, RESTRICTED = 1, 2, 3

Action = Literal[
    "report.view",
    "report.create",
    "incident.view",
    "incident.claim",
    "incident.decide",
    "incident.fetch",
    "case.view",
    "case.create",
    "case.link",
    "entry.propose",
    "entry.view",
    "entry.look",
    "entry.assess",
    "entry.withdraw",
    "sighting.view",
    "sighting.confirm",
    "notice.view",
    "notice.send",
    "board.view",
    "referral.compose",
    "referral.send",
    "referral.view",
    "referral.acknowledge",
    "referral.outcome",
    "audit.verify",
    "trace.view",
    "statistics.release",
    "question.ask",
    "imagehelp.view",
    "imagehelp.set_aside",
    "person.view",
    "person.invite",
    "person.change",
    "key.manage",
]

_ANALYST, _ASSESSOR, _REMOVAL, _LIAISON, _OFFICER, _AUDITOR, _ADMIN = (
    Role.INTAKE_ANALYST,
    Role.ASSESSOR,
    Role.REMOVAL_OFFICER,
    Role.POLICE_LIAISON,
    Role.POLICE_OFFICER,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)

# `incident.view` shows a case worker's record of a report; the reporter's own words and contact details need `report.view`.
ROLES_OF: MappingProxyType[str, frozenset[Role]] = MappingProxyType(
    {
        "report.view": frozenset({_ANALYST}),
        "report.create": frozenset({_ANALYST}),
        "question.ask": frozenset({_ANALYST}),
        "imagehelp.view": frozenset({_ANALYST, _AUDITOR}),
        "imagehelp.set_aside": frozenset({_ANALYST}),
        "incident.view": frozenset({_ANALYST, _LIAISON, _AUDITOR}),
        "incident.claim": frozenset({_ANALYST}),
        "incident.decide": frozenset({_ANALYST}),
        "incident.fetch": frozenset({_ANALYST}),
        "case.view": frozenset({_ANALYST, _LIAISON, _AUDITOR}),
        "case.create": frozenset({_ANALYST}),
        "case.link": frozenset({_ANALYST, _LIAISON}),
        "entry.propose": frozenset({_ANALYST}),
        "entry.view": frozenset({_ANALYST, _ASSESSOR, _REMOVAL, _AUDITOR}),
        "entry.look": frozenset({_ASSESSOR}),
        "entry.assess": frozenset({_ASSESSOR}),
        "entry.withdraw": frozenset({_ASSESSOR}),
        "sighting.view": frozenset({_ANALYST, _ASSESSOR, _REMOVAL, _AUDITOR}),
        "sighting.confirm": frozenset({_ASSESSOR, _REMOVAL}),
        "notice.view": frozenset({_ANALYST, _REMOVAL, _AUDITOR}),
        "notice.send": frozenset({_REMOVAL}),
        "board.view": frozenset({_ANALYST, _REMOVAL, _LIAISON, _AUDITOR}),
        "referral.compose": frozenset({_LIAISON}),
        "referral.send": frozenset({_LIAISON}),
        "referral.view": frozenset({_LIAISON, _OFFICER}),
        "referral.acknowledge": frozenset({_OFFICER}),
        "referral.outcome": frozenset({_OFFICER}),
        "audit.verify": frozenset({_AUDITOR, _ADMIN}),
        # Each hop of a trace is permitted alone, by that hop's own view action.
        "trace.view": frozenset({_ANALYST, _ASSESSOR, _REMOVAL, _LIAISON, _AUDITOR}),
        "statistics.release": frozenset({_AUDITOR, _ADMIN}),
        "person.view": frozenset({_ADMIN}),
        "person.invite": frozenset({_ADMIN}),
        "person.change": frozenset({_ADMIN}),
        "key.manage": frozenset({_ADMIN}),
    }
)

# What our own processes may do without a person. A decision is always a person's: nothing that decides is here.
PROCESS_ACTIONS: frozenset[str] = frozenset(
    {
        "report.view",
        "incident.view",
        "incident.fetch",
        "case.view",
        "entry.view",
        "sighting.view",
        "notice.view",
        "notice.send",
        "board.view",
        "referral.view",
        "audit.verify",
        "trace.view",
        "statistics.release",
    }
)

# The doors of these ask for an authentication of the last five minutes (security.md, threat 5).
FRESH_ACTIONS: frozenset[str] = frozenset(
    {
        "entry.assess",
        "entry.withdraw",
        "referral.send",
        "statistics.release",
        "person.invite",
        "person.change",
        "key.manage",
    }
)

Refusal = Literal["role", "clearance", "agency"]


def refusal(actor: Actor, action: str, item: Any = None) -> Refusal | None:
    """Why the actor may not do this to the item, or None when they may. An unknown action is a programming error."""
    roles_allowed = ROLES_OF[action]
    if actor.kind == "process":
        return None if action in PROCESS_ACTIONS else "role"
    if actor.kind != "person" or actor.roles.isdisjoint(roles_allowed):
        return "role"
    if item is None:
        return None
    if getattr(item, "sensitivity", ORDINARY) > actor.clearance:
        return "clearance"
    # Through a partner's role alone one reaches one's own agency's items only; an item without agency is nobody's there.
    if not (actor.roles & roles_allowed) - PARTNER_ROLES and getattr(item, "agency_id", None) != actor.agency_id:
        return "agency"
    return None


def permit(actor: Actor, action: Action, item: Any = None) -> bool:
    """Whether the actor may do this, to this item if one is given.

    `item` has `.sensitivity` (1..3; 1 when it has none) and, for what is handed to an agency, `.agency_id`.
    """
    return refusal(actor, action, item) is None


def require(actor: Actor, action: Action, item: Any = None) -> None:
    """Raise ActionNotPermitted (the role does not reach) or ItemUnseen (answered as not found) unless `permit` holds."""
    reason = refusal(actor, action, item)
    if reason is None:
        return
    family = ActionNotPermitted if reason == "role" else ItemUnseen
    raise family(action, subject_kind=action.partition(".")[0], subject_id=_id_of(item))


def require_fresh(actor: Actor) -> None:
    """Raise StepUpNeeded unless the actor authenticated in the last five minutes. Processes always pass."""
    if not actor.fresh and actor.kind != "process":
        raise StepUpNeeded()


def belongs_to_partner(roles: frozenset[str] | set[str] | list[str]) -> bool:
    """Whether these roles make a partner's account (police officer, provider): such accounts never enter the staff console."""
    return not PARTNER_ROLES.isdisjoint(roles)


def _id_of(item: Any) -> UUID | None:
    value = getattr(item, "id", None) or getattr(item, "pk", None)
    return value if isinstance(value, UUID) else None
