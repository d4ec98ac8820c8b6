"""The one table of permissions, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import get_args
from uuid import UUID

import pytest

from vigil.accounts import policies
from vigil.accounts.errors import ActionNotPermitted, ItemUnseen, StepUpNeeded
from vigil.accounts.policies import Action, Role, permit, require, require_fresh
from vigil.core.actors import REPORTER, SYSTEM, Actor
from vigil.core.errors import NotPermitted
from vigil.core.ids import new_id

ACTIONS = get_args(Action)
AGENCY, OTHER_AGENCY = new_id(), new_id()

# Written down a second time, role by role, so that a slip in the table of the code is noticed here.
MAY = {
    Role.INTAKE_ANALYST: "report.view report.create question.ask incident.view incident.claim incident.decide incident.fetch "
    "case.view case.create case.link entry.propose entry.view sighting.view notice.view board.view trace.view "
    "imagehelp.view imagehelp.set_aside",
    Role.ASSESSOR: "entry.view entry.look entry.assess entry.withdraw sighting.view sighting.confirm trace.view",
    Role.REMOVAL_OFFICER: "entry.view sighting.view sighting.confirm notice.view notice.send board.view trace.view",
    Role.POLICE_LIAISON: "incident.view case.view case.link referral.compose referral.send referral.view board.view trace.view",
    Role.POLICE_OFFICER: "referral.view referral.acknowledge referral.outcome",
    Role.PROVIDER: "",
    Role.AUDITOR: "incident.view case.view entry.view sighting.view notice.view board.view audit.verify trace.view "
    "statistics.release imagehelp.view",
    Role.ADMINISTRATOR: "audit.verify statistics.release person.view person.invite person.change key.manage",
}


@dataclass(frozen=True)
class Item:
    """Something with a sensitivity, perhaps handed to an agency."""

    id: UUID
    sensitivity: int = 1
    agency_id: UUID | None = None


def actor(role: Role, clearance: int = 3, **changes: object) -> Actor:
    values = {
        "id": new_id(),
        "kind": "person",
        "name": "Demo",
        "roles": frozenset({str(role)}),
        "clearance": clearance,
    } | changes
    return Actor(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", list(Role))
def test_a_person_may_do_what_the_role_says_up_to_the_clearance(role):
    wrong = [
        (action, sensitivity, clearance)
        for action, sensitivity, clearance in product(ACTIONS, (1, 2, 3), (1, 2, 3))
        if permit(actor(role, clearance, agency_id=AGENCY), action, Item(new_id(), sensitivity, AGENCY))
        is not (action in MAY[role].split() and sensitivity <= clearance)
    ]

    assert wrong == []


def test_every_action_of_the_type_has_its_row_and_no_other_row_exists():
    assert set(ACTIONS) == set(policies.ROLES_OF)
    assert set(ACTIONS) >= policies.PROCESS_ACTIONS | policies.FRESH_ACTIONS


def test_an_officer_reaches_only_items_of_the_own_agency():
    officer = actor(Role.POLICE_OFFICER, agency_id=AGENCY)

    assert permit(officer, "referral.view", Item(new_id(), agency_id=AGENCY))
    assert not permit(officer, "referral.view", Item(new_id(), agency_id=OTHER_AGENCY))
    assert not permit(officer, "referral.view", Item(new_id(), agency_id=None))


def test_a_liaison_reaches_packages_of_every_agency():
    assert permit(actor(Role.POLICE_LIAISON), "referral.view", Item(new_id(), agency_id=OTHER_AGENCY))


def test_a_second_role_adds_and_never_takes_away():
    both = actor(Role.AUDITOR, roles=frozenset({Role.AUDITOR, Role.ASSESSOR}))

    assert permit(both, "audit.verify")
    assert permit(both, "entry.look")


def test_a_refusal_by_role_says_so_and_a_refusal_by_clearance_looks_like_nothing_there():
    item = Item(new_id(), sensitivity=3)
    with pytest.raises(ActionNotPermitted) as by_role:
        require(actor(Role.PROVIDER), "incident.view", item)
    with pytest.raises(ItemUnseen) as by_clearance:
        require(actor(Role.INTAKE_ANALYST, 2), "incident.view", item)

    assert (by_role.value.code, by_role.value.unseen) == ("accounts.not_permitted", False)
    assert (by_clearance.value.code, by_clearance.value.unseen) == ("accounts.unseen", True)
    assert (by_clearance.value.action, by_clearance.value.subject_kind, by_clearance.value.subject_id) == (
        "incident.view",
        "incident",
        item.id,
    )
    assert isinstance(by_clearance.value, NotPermitted)


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - policies.PROCESS_ACTIONS))
def test_no_process_does_what_a_person_decides(action):
    assert not permit(SYSTEM, action)


def test_a_reporter_may_do_nothing_of_the_staff():
    assert not any(permit(REPORTER, action) for action in ACTIONS)


def test_step_up_is_asked_of_people_and_not_of_processes():
    with pytest.raises(StepUpNeeded):
        require_fresh(actor(Role.ASSESSOR))
    require_fresh(actor(Role.ASSESSOR, fresh=True))
    require_fresh(SYSTEM)


def test_an_unknown_action_is_an_error_and_not_a_refusal():
    with pytest.raises(KeyError):
        permit(actor(Role.ADMINISTRATOR), "incident.vew")  # type: ignore[arg-type]
