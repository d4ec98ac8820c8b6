"""The synthetic country's people: one for each role, two assessors, an agency's officer."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from vigil.accounts import services as accounts
from vigil.accounts.errors import EmailTaken
from vigil.accounts.policies import Role
from vigil.accounts.selectors import agencies, person_by_email
from vigil.core.actors import SYSTEM
from vigil_demo.models import SignInLink

AGENCY_ID = uuid5(UUID("6f0b0c5e-6f3a-5f0e-9d53-76c1f0a1a001"), "demo agency")


@dataclass(frozen=True)
class DemoPerson:
    """One synthetic member of staff or officer."""

    key: str
    name: str
    roles: tuple[Role, ...]
    origin: str
    language: str = "en"

    @property
    def email(self) -> str:
        """An address under a reserved domain: no mail can reach anybody."""
        return f"{self.key}@hotline.example"


PEOPLE = (
    DemoPerson("analyst", "Demo Analyst", (Role.INTAKE_ANALYST,), "console"),
    DemoPerson("assessor-1", "Demo Assessor One", (Role.ASSESSOR,), "console"),
    DemoPerson("assessor-2", "Demo Assessor Two", (Role.ASSESSOR,), "console", "fr"),
    DemoPerson("removal", "Demo Removal Officer", (Role.REMOVAL_OFFICER,), "console"),
    DemoPerson("liaison", "Demo Police Liaison", (Role.POLICE_LIAISON,), "console"),
    DemoPerson("officer", "Demo Officer", (Role.POLICE_OFFICER,), "partner"),
    DemoPerson("auditor", "Demo Auditor", (Role.AUDITOR,), "console"),
    DemoPerson("administrator", "Demo Administrator", (Role.ADMINISTRATOR,), "console"),
)


@transaction.atomic
def make_people(at: datetime) -> None:
    """Make the agency and everybody who is missing. Safe to repeat."""
    if AGENCY_ID not in {agency.id for agency in agencies()}:
        accounts.create_agency(
            actor=SYSTEM,
            id=AGENCY_ID,
            name_en="Demonstration Police",
            name_fr="Police de démonstration",
            region="CA-ON",
            at=at,
        )
    for person in PEOPLE:
        try:
            with transaction.atomic():
                accounts.create_person(
                    actor=SYSTEM, email=person.email, name=person.name, roles=person.roles, clearance=3,
                    language=person.language, agency_id=AGENCY_ID if person.origin == "partner" else None, at=at,
                )  # fmt: skip
        except EmailTaken:
            continue


def make_link(key: str, at: datetime) -> str:
    """A fresh one-use path that signs this person in: `/demo/sign-in/TOKEN`."""
    token = secrets.token_urlsafe(24)
    email = next(person.email for person in PEOPLE if person.key == key)
    SignInLink.objects.create(
        token_hash=hashlib.sha256(token.encode()).digest(), person_id=person_by_email(email).id, made_at=at
    )
    return f"/demo/sign-in/{token}"
