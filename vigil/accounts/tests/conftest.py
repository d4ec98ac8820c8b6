"""A browser at a staff origin: a client whose every request runs as the door's database role, as in its process."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client


class Browser(Client):
    """Django's client at one origin. Before each request the transaction's actor is forgotten, as a new transaction would."""

    def __init__(self, origin: str, **kwargs: Any) -> None:
        super().__init__(headers={"host": settings.HOST_OF_ORIGIN[origin]}, **kwargs)

    def request(self, **request: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('vigil.actor', '', true)")
        return super().request(**request)

    @property
    def session_key(self) -> str:
        return self.cookies[settings.SESSION_COOKIE_NAME].value


@pytest.fixture
def browser(db):
    """`browser("console")`; use it inside `with role("vigil_console")`."""
    return Browser


@pytest.fixture(autouse=True)
def urls(settings):
    """The two staff origins answer from their own maps; these tests need this room's routes and a page to land on."""
    settings.ROOT_URLCONF = "vigil.accounts.tests.urls"
