"""Valid rows for tests of image help, and the worker's turn."""

from __future__ import annotations

import secrets
from uuid import UUID

from django.utils.module_loading import autodiscover_modules

from conftest import as_role
from vigil.core import clock, events
from vigil.core.models import Event, EventHandled
from vigil.imagehelp import services
from vigil.imagehelp.drafts import HelpDraftBody
from vigil.imagehelp.models import HelpCase


def make_case(
    *fingerprints: str, who: str = "me", age: str = "under_18", links: list[str] | None = None, threat: str = ""
) -> tuple[UUID, str, str]:
    """A sent case, through the public door; returns (id, number, code)."""
    token, at = secrets.token_bytes(32), clock.now()

    def fill(draft: HelpDraftBody) -> None:
        draft.who, draft.age, draft.threat, draft.links = who, age, threat, links or []
        draft.fingerprints = list(fingerprints)
        draft.done = ["who", "files", "where"]

    with as_role("vigil_public"):
        services.save_draft(token=token, change=fill, at=at)
        receipt = services.open_case(token=token, language="en", at=at).receipt
    with as_role("vigil_owner"):
        return HelpCase.objects.get(number=receipt.number).id, receipt.number, receipt.secret


def work(*modules: str, without: str = "") -> list[str]:
    """The worker handles every event that waits, those of the handlers included; returns the kinds, in order.

    `without`: part of the name of handlers that are left out.
    """
    autodiscover_modules("jobs")
    done: list[str] = []
    while True:
        with as_role("vigil_owner"):
            handled = set(EventHandled.objects.values_list("event_id", "handler"))
            waiting = [
                (event, handler)
                for event in Event.objects.order_by("id")
                for handler in events.handlers.get(event.kind, [])
                if (event.id, events.name_of(handler)) not in handled
                and handler.__module__.startswith(modules)
                and not (without and without in events.name_of(handler))
            ]
        if not waiting:
            return done
        for event, handler in waiting:
            with as_role("vigil_worker"):
                handler(event)
            with as_role("vigil_owner"):
                EventHandled.objects.create(event=event, handler=events.name_of(handler))
            done.append(event.kind)
