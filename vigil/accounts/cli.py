"""Commands of the machine for people: `vigil staff invite EMAIL --role ... --name ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from vigil.accounts import selectors, services
from vigil.accounts.errors import PersonNotFound
from vigil.accounts.policies import belongs_to_partner
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.core.errors import Invalid, VigilError


def run_invite(
    email: str, *, roles: Sequence[str], name: str, clearance: int = 1, language: str = "en", agency: str = ""
) -> int:
    """Make the person if there is none with this address, and print a one-use link of 24 hours. Exit code 0, or 2 with a reason.

    `agency`: English name of an agency, for police officers. An existing person keeps roles and clearance.
    """
    try:
        sys.stdout.write(_invitation_link(email, roles, name, clearance, language, agency) + "\n")
    except Invalid as error:
        details = ", ".join(f"{field}: {code}" for field, code in error.fields.items())
        sys.stderr.write(f"vigil: {error.code} {details}\n")
        return 2
    except VigilError as error:
        sys.stderr.write(f"vigil: {error.code}\n")
        return 2
    return 0


@transaction.atomic
def _invitation_link(email: str, roles: Sequence[str], name: str, clearance: int, language: str, agency: str) -> str:
    actor, now = process_actor("command-line"), clock.now()
    try:
        person = selectors.person_by_email(email)
    except PersonNotFound:
        agency_id = next((row.id for row in selectors.agencies() if row.name_en == agency), None)
        made = services.create_person(
            actor=actor,
            email=email,
            name=name,
            roles=roles,
            clearance=clearance,
            language=language,
            agency_id=agency_id,
            at=now,
        )
        person = selectors.person(made.id)
    token = services.invite(actor=actor, person_id=person.id, at=now).token
    return link_of(token, "partner" if belongs_to_partner(person.roles) else "console")


def link_of(token: str, origin: str) -> str:
    """The full address of an invitation at its origin."""
    port = f":{settings.PORT_OF_ORIGIN[origin]}" if settings.BASE_DOMAIN == "localhost" else ""
    path = reverse("accounts:invitation", args=[token], urlconf="vigil.accounts.urls")
    return f"{settings.SCHEME}://{settings.HOST_OF_ORIGIN[origin]}{port}{path}"


def run_disable(email: str) -> int:
    """Close an account from the machine: sessions, invitations and keys end at once. Exit code 0, or 2 with a reason."""
    try:
        person = selectors.person_by_email(email)
        services.disable_person(actor=process_actor("command-line"), person_id=person.id, at=clock.now())
    except VigilError as error:
        sys.stderr.write(f"vigil: {error.code}\n")
        return 2
    return 0
