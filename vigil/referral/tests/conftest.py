"""A case with a report, a listed picture and a place where it was seen; a liaison, two agencies and their officers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from allauth.account.internal.flows import login
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from vigil.accounts.factories import make_agency
from vigil.accounts.models import Person
from vigil.casework.models import Incident
from vigil.casework.tests.factories import make_case, make_incident
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.ids import new_id
from vigil.core.keyd_store import KeyStore, root_key_from
from vigil.crawl import models as crawl
from vigil.crawl.services.places import insert_places, sealed
from vigil.lists.models import FeedCounter
from vigil.referral import services
from vigil.removal.tests.factories import make_published_entry, make_sighting
from vigil.settings import secret

REPORTED = "https://pictures.example/gallery"
NARRATIVE = "A page with pictures was reported, and seen twice."
HANDLE = "demo_account_7"


@dataclass
class World:
    """What a test of referrals needs, and the steps between."""

    role: Any
    liaison: Actor
    officer: Actor
    stranger: Actor
    case_id: UUID
    incident_id: UUID
    entry_id: UUID

    @property
    def agency_id(self) -> UUID:
        assert self.officer.agency_id is not None
        return self.officer.agency_id

    def ask(self, **changes: Any) -> UUID:
        """The liaison presses send."""
        values = {
            "package_id": new_id(),
            "case_id": self.case_id,
            "agency_id": self.agency_id,
            "at": clock.now(),
        } | changes
        with self.role("vigil_console", self.liaison):
            return services.send_package(actor=self.liaison, **values).id

    def build(self, package_id: UUID) -> bool:
        """The worker builds what was asked for."""
        with self.role("vigil_worker"):
            return services.try_to_build(package_id=package_id, at=clock.now())

    def send(self) -> UUID:
        """Both."""
        package_id = self.ask()
        assert self.build(package_id)
        return package_id


@pytest.fixture
def make_world(transactional_db: None, role: Any, owner: Any, make_person: Any, settings: Any) -> Callable[..., World]:
    def make(*, sensitivity: int = 1, region: str = "CA-ON", **report: Any) -> World:
        with owner():
            FeedCounter.objects.get_or_create(id=True)  # an earlier test's flush took the migrations' row
            liaison = make_person(roles={"police_liaison"}, clearance=3)
            officer = make_person(roles={"police_officer"}, clearance=sensitivity, agency_id=make_agency(region=region))
            stranger = make_person(roles={"police_officer"}, clearance=3)
            told = {"narrative": NARRATIVE, "links": (REPORTED,), "handles": (HANDLE,)} | report
            incident = make_incident(sensitivity=sensitivity, **told)
            case = make_case(sensitivity=sensitivity, band=incident.band)
            Incident.objects.filter(id=incident.id).update(case_id=case.id)
            key = KeyStore(settings.KEYD_DIR, root_key_from(secret("keyd-root-key"))).crawl_key()
            new = sealed(key, "https://pictures.example/files/1.png", kind="image", depth=1)
            place = insert_places([new], at=clock.now())[new.url_digest]
            sha256 = secrets.token_bytes(32)
            candidate = crawl.Candidate.objects.create(
                incident_id=incident.id, place_id=place.id, sha256=sha256, md5=bytes(16), pdq=bytes(32), quality=80,
                width=640, height=480, seen_at=clock.now(),
            )  # fmt: skip
        entry_id = make_published_entry(
            make_person,
            role,
            incident_id=incident.id,
            case_id=case.id,
            place_id=place.id,
            candidate_id=candidate.id,
            sha256=sha256,
        )
        make_sighting(owner, settings, entry_id)
        return World(role, liaison, officer, stranger, case.id, incident.id, entry_id)

    return make


@pytest.fixture
def world(make_world: Callable[..., World], keyd_server: None) -> World:
    return make_world()


class Browser(Client):
    """Django's client at one staff origin, signed in as one person; every request runs as that door's database role."""

    def __init__(self, origin: str, actor: Actor, as_role: Any, *, language: str = "en", fresh: bool = True) -> None:
        super().__init__(headers={"host": django_settings.HOST_OF_ORIGIN[origin]})
        self.cookies["__Host-l"] = language
        self.door, self.as_role = f"vigil_{origin}", as_role
        with as_role(self.door, actor=actor):
            self.force_login(Person.objects.get(id=actor.id))
            session = self.session
            session[login._AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(actor.id)
            session[login.AUTHENTICATION_METHODS_SESSION_KEY] = [
                {"method": "mfa", "at": time.time() if fresh else time.time() - 3600}
            ]
            session.save()

    def request(self, **request: Any) -> Any:
        with self.as_role(self.door):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('vigil.actor', '', true)")
            return super().request(**request)


@pytest.fixture
def at_console(settings: Any) -> Callable[..., Browser]:
    """`at_console(liaison).get("/referrals/")`"""
    from conftest import as_role

    def open_browser(actor: Actor, **changes: Any) -> Browser:
        settings.ROOT_URLCONF = "vigil.urls.console"
        return Browser("console", actor, as_role, **changes)

    return open_browser


@pytest.fixture
def at_portal(settings: Any) -> Callable[..., Browser]:
    """`at_portal(officer).get("/inbox/")`"""
    from conftest import as_role

    def open_browser(actor: Actor, **changes: Any) -> Browser:
        settings.ROOT_URLCONF = "vigil.urls.partner"
        return Browser("partner", actor, as_role, **changes)

    return open_browser
