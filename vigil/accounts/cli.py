"""Commands of the machine for people: `vigil staff ...`, `vigil partners ...`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from vigil.accounts import selectors, services
from vigil.accounts.errors import ApiKeyUnusable, PersonNotFound
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


# ---- partner organisations --------------------------------------------------------------------------------------------
def run_partner_add(code: str, *, name_en: str, name_fr: str, kind: str, email: str, language: str) -> int:
    """Make a partner organisation. Exit code 0, or 2 with a reason."""

    def add() -> str:
        services.add_organisation(
            actor=process_actor("command-line"),
            code=code,
            name_en=name_en,
            name_fr=name_fr or name_en,
            kind=kind,
            email=email,
            language=language,
            at=clock.now(),
        )
        return f"partner {code.strip().lower()} is there; give it a key with: vigil partners key {code}"

    return _told(add)


def run_partner_key(code: str, *, name: str, scopes: Sequence[str]) -> int:
    """Make a key for a partner and print it, once. Exit code 0, or 2 with a reason."""

    def make() -> str:
        holder = selectors.organisation_by_code(code)
        made = services.create_api_key(
            actor=process_actor("command-line"),
            holder_kind="organisation",
            holder_id=holder.id,
            name=name,
            scopes=scopes,
            at=clock.now(),
        )
        return made.key

    return _told(make)


def run_partner_revoke(prefix: str) -> int:
    """End the key with this prefix. Exit code 0, or 2 with a reason."""

    def end() -> str:
        key = next((key for key in selectors.api_keys() if key.prefix == prefix and key.ended_at is None), None)
        if key is None:
            raise ApiKeyUnusable()
        services.end_api_key(actor=process_actor("command-line"), key_id=key.id, at=clock.now())
        return f"key {prefix} has ended"

    return _told(end)


def run_partner_end(code: str) -> int:
    """End a partner and all of its keys. Exit code 0, or 2 with a reason."""

    def end() -> str:
        holder = selectors.organisation_by_code(code)
        ended = services.end_organisation(
            actor=process_actor("command-line"), organisation_id=holder.id, at=clock.now()
        )
        return f"partner {holder.code} has ended, with {ended} keys"

    return _told(end)


def run_partner_list() -> int:
    """Print every partner with its keys: prefix, name, scopes, last use. Never a key."""

    def table() -> str:
        keys = selectors.api_keys()
        lines = []
        for row in selectors.organisations(active_only=False):
            lines.append(f"{row.code}  {row.kind}  {row.name_en} / {row.name_fr}{'' if row.is_active else '  (ended)'}")
            for key in keys:
                if key.holder_kind == "organisation" and key.holder_id == row.id:
                    used = key.last_used_at.isoformat(timespec="minutes") if key.last_used_at else "never"
                    ended = "  (ended)" if key.ended_at else ""
                    lines.append(f"  {key.prefix}  {key.name}  {','.join(key.scopes)}  last used: {used}{ended}")
        return "\n".join(lines) or "no partners"

    return _told(table)


def _told(run: Callable[[], str]) -> int:
    """Run one command in a transaction and print what it says; a refusal goes to standard error."""
    try:
        with transaction.atomic():
            sys.stdout.write(run() + "\n")
    except Invalid as error:
        details = ", ".join(f"{field}: {code}" for field, code in error.fields.items())
        sys.stderr.write(f"vigil: {error.code} {details}\n")
        return 2
    except VigilError as error:
        sys.stderr.write(f"vigil: {error.code}\n")
        return 2
    return 0
