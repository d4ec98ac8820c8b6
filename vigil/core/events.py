"""How a room tells the rooms on its left that something happened: an event row in the same transaction, then a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from vigil.core.actors import Actor
from vigil.core.ids import new_id
from vigil.core.models import Event

Handler = Callable[[Event], None]
Tick = Callable[[datetime], None]

handlers: dict[str, list[Handler]] = {}
ticks: list[Tick] = []


def emit(kind: str, subject_id: UUID, *, actor: Actor, at: datetime) -> UUID:
    """Record that something happened, in this transaction. The worker runs every `@on(kind)` handler once, soon after."""
    event = Event(id=new_id(), kind=kind, subject_id=subject_id, actor_id=actor.id, actor_kind=actor.kind, at=at)
    Event.objects.bulk_create([event])
    return event.id


def on(kind: str) -> Callable[[Handler], Handler]:
    """Register a handler (in a room's jobs.py). It runs as the worker, in a transaction of its own, once per event."""

    def register(handler: Handler) -> Handler:
        handlers.setdefault(kind, []).append(handler)
        return handler

    return register


def every_tick(function: Tick) -> Tick:
    """Register a function (in a room's jobs.py) that the worker calls every few seconds with the clock's present instant."""
    ticks.append(function)
    return function


def name_of(function: Handler | Tick) -> str:
    """The stable name under which a handler is recorded: module and function."""
    return f"{function.__module__}.{function.__qualname__}"
