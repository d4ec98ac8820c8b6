"""What the tests of the whole project share: the four doors as their processes see them, and what a request wrote."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from vigil import settings as settings_module

ORIGINS = ("public", "console", "partner", "wire")
MIDDLEWARE_OF = {"public": "public", "console": "staff", "partner": "staff", "wire": "wire"}


@dataclass(frozen=True)
class Route:
    """One route of one origin. `path` has its parameters filled in with values that nothing has."""

    origin: str
    name: str
    pattern: str
    path: str
    is_marked_open: bool

    def __str__(self) -> str:
        return f"{self.origin} /{self.pattern}"


VALUES = {
    "<str:name>": "none.png",
    "<str:number>": "0000-000-000",
    "<slug:page>": "nothing",
    "<str:token>": "A" * 22,
    "<uuid:package_id>": "00000000-0000-7000-8000-000000000000",
    "<uuid:look_id>": "00000000-0000-7000-8000-000000000000",
    "<int:version>": "9999",
    "<int:pk>": "9999",
}


def routes_of(origin: str) -> list[Route]:
    """Every route of an origin's URL map, in order."""

    def walk(patterns: Any, prefix: str, spaces: tuple[str, ...]) -> Any:
        for found in patterns:
            pattern = prefix + str(found.pattern)
            if hasattr(found, "url_patterns"):
                yield from walk(found.url_patterns, pattern, (*spaces, *filter(None, [found.namespace])))
            else:
                path = "/" + pattern
                for parameter, value in VALUES.items():
                    path = path.replace(parameter, value)
                assert "<" not in path, f"{pattern}: give its parameter a value in VALUES"
                marked = getattr(found.callback, "login_required", True) is False
                yield Route(origin, ":".join([*spaces, found.name or ""]), pattern, path, marked)

    return list(walk(import_module(f"vigil.urls.{origin}").urlpatterns, "", ()))


class Door(Client):
    """Django's client at one origin: its URL map, its middleware, and every request under its database role."""

    def __init__(self, as_role: Any, origin: str, *, actor: Any = None, **options: Any) -> None:
        super().__init__(headers={"host": django_settings.HOST_OF_ORIGIN[origin]}, **options)
        self.as_role, self.role = as_role, f"vigil_{origin}"
        if actor is not None:
            self._sign_in(actor)

    def request(self, **request: Any) -> Any:
        with self.as_role(self.role):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('vigil.actor', '', true)")
            return super().request(**request)

    def _sign_in(self, actor: Any) -> None:
        from allauth.account.internal.flows import login

        from vigil.accounts.models import Person

        with self.as_role(self.role, actor=actor):
            self.force_login(Person.objects.get(id=actor.id))
            session = self.session
            # As the sign-in library leaves it after a passkey or a code.
            session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time()}]
            session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(actor.id)
            session.save()


@pytest.fixture
def door(role: Any, settings: Any) -> Any:
    """`door("console", actor=analyst).get("/queue")`"""

    def open_door(origin: str, *, urls: Any = None, **options: Any) -> Door:
        settings.ROOT_URLCONF = urls or f"vigil.urls.{origin}"
        settings.MIDDLEWARE = middleware_of(origin)
        return Door(role, origin, **options)

    return open_door


def middleware_of(origin: str) -> list[str]:
    """The middleware of an origin's process, as the settings would list it there."""
    static = next(name for name in django_settings.MIDDLEWARE if "whitenoise" in name)
    return [*settings_module._COMMON, static, *settings_module._BY_ORIGIN[MIDDLEWARE_OF[origin]]]


def rows_written() -> dict[str, int]:
    """Rows that this transaction has inserted, changed or deleted so far, by table, whether they were kept or not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_all_tables "
            "WHERE schemaname IN ('public', 'audit') AND n_tup_ins + n_tup_upd + n_tup_del > 0"
        )
        return dict(cursor.fetchall())
