"""Valid rows for tests and demonstrations; the caller states only what matters to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from vigil.accounts import services
from vigil.accounts.policies import Role
from vigil.accounts.selectors import actor_for
from vigil.core.actors import SYSTEM, Actor
from vigil.core.ids import new_id

_counter = itertools.count(1)
NOON = datetime(2026, 6, 1, 16, 0, tzinfo=UTC)


def make_agency(**changes: Any) -> UUID:
    """Make an agency; returns its id."""
    n = next(_counter)
    values: dict[str, Any] = {
        "name_en": f"Demo Police {n}",
        "name_fr": f"Police de démonstration {n}",
        "region": "CA-ON",
        "at": NOON,
    } | changes
    return services.create_agency(actor=SYSTEM, **values).id


def make_person(
    *, roles: Iterable[str] = (Role.INTAKE_ANALYST,), clearance: int = 1, fresh: bool = True, **changes: Any
) -> Actor:
    """Make a person; returns the actor, freshly authenticated unless said otherwise. Police officers get an agency."""
    n = next(_counter)
    wanted = {str(role) for role in roles}
    if Role.POLICE_OFFICER in wanted and "agency_id" not in changes:
        changes["agency_id"] = make_agency()
    if Role.PROVIDER in wanted and "provider_id" not in changes:
        changes["provider_id"] = new_id()
    values: dict[str, Any] = {
        "email": f"demo-{n}-{new_id().hex[-8:]}@hotline.example",
        "name": f"Demo Person {n}",
        "at": NOON,
    } | changes
    person = services.create_person(actor=SYSTEM, roles=wanted, clearance=clearance, **values)
    return actor_for(person, fresh=fresh)
