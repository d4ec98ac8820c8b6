"""A member of staff at the console: a client whose every request runs as the console's database role."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from vigil.accounts.models import Person
from vigil.core.actors import Actor


class Console(Client):
    """Django's client at the console's origin, signed in as one person. Each request is a transaction of its own."""

    def __init__(self, actor: Actor, as_role: Callable[..., Any], *, language: str = "en", fresh: bool = True) -> None:
        super().__init__(headers={"host": django_settings.HOST_OF_ORIGIN["console"]})
        self.cookies["__Host-l"] = language
        self.as_role = as_role
        with as_role("vigil_console", actor=actor):
            self.force_login(Person.objects.get(id=actor.id))
            session = self.session
            # As the sign-in library leaves it after a passkey or a code.
            session[AUTHENTICATION_METHODS_SESSION_KEY] = [
                {"method": "mfa", "at": time.time() if fresh else time.time() - 3600}
            ]
            session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(actor.id)
            session.save()

    def request(self, **request: Any) -> Any:
        with self.as_role("vigil_console"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('vigil.actor', '', true)")
            return super().request(**request)


@pytest.fixture
def console(db: None, settings: Any) -> Callable[..., Console]:
    """`console(actor, language="fr").get("/queue")`"""
    from conftest import as_role

    settings.ROOT_URLCONF = "vigil.urls.console"
    return lambda actor, **changes: Console(actor, as_role, **changes)
