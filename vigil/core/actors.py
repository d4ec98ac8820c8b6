"""Who does something: a member of staff, an officer, a process, a reporter, a provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid5

_PROCESS_NAMESPACE = UUID("6f0b0c5e-6f3a-5f0e-9d53-76c1f0a1a001")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `clearance` is the highest sensitivity (1 ordinary, 2 protected, 3 restricted) that the actor may see.

    `fresh`: signed in or re-authenticated less than five minutes ago.
    """

    id: UUID
    kind: Literal["person", "process", "reporter", "provider"]
    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    clearance: int = 0
    agency_id: UUID | None = None
    provider_id: UUID | None = None
    fresh: bool = False


def process_actor(name: str) -> Actor:
    """The actor of one of our own processes (worker, crawl, keyd ...): the same id on every installation."""
    return Actor(id=uuid5(_PROCESS_NAMESPACE, name), kind="process", name=name, clearance=3, fresh=True)


SYSTEM = process_actor("system")
REPORTER = Actor(id=uuid5(_PROCESS_NAMESPACE, "reporter"), kind="reporter", name="reporter")
PROVIDER = Actor(id=uuid5(_PROCESS_NAMESPACE, "provider"), kind="provider", name="provider")
