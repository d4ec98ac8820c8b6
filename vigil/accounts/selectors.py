"""Reads: people, agencies, and who is behind a request."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from vigil.accounts import signin_settings
from vigil.accounts.errors import AgencyNotFound, OrganisationNotFound, PersonNotFound
from vigil.accounts.models import Agency, ApiKey, Organisation, Person, Session
from vigil.core.actors import REPORTER, Actor


@dataclass(frozen=True)
class PersonFacts:
    """What other rooms may know of a person."""

    id: UUID
    name: str
    email: str
    language: str
    roles: frozenset[str]
    clearance: int
    identity_id: UUID
    agency_id: UUID | None
    provider_id: UUID | None
    is_active: bool


@dataclass(frozen=True)
class AgencyFacts:
    """An agency with its name in both languages."""

    id: UUID
    name_en: str
    name_fr: str
    region: str
    kind: str

    def name(self, language: str) -> str:
        """The agency's name in a language."""
        return self.name_fr if language.startswith("fr") else self.name_en


@dataclass(frozen=True)
class OrganisationFacts:
    """A partner organisation. `language` is that of answers to it: en, fr or both."""

    id: UUID
    code: str
    name_en: str
    name_fr: str
    kind: str
    email: str
    language: str
    is_active: bool

    def name(self, language: str) -> str:
        """Its name in a language."""
        return self.name_fr if language.startswith("fr") else self.name_en


@dataclass(frozen=True)
class OpenSession:
    """One open session, without its key."""

    begun_at: datetime
    ends_at: datetime
    is_current: bool


@dataclass(frozen=True)
class KeyHolder:
    """Whose key was presented, and what it may do. The `partner_...` fields are an organisation's."""

    key_id: UUID
    kind: str
    holder_id: UUID
    scopes: frozenset[str]
    partner_code: str = ""
    partner_kind: str = ""
    partner_language: str = ""


def actor_of(request: HttpRequest) -> Actor:
    """Who acts in this request. The middleware has set it on the staff origins; elsewhere it is the reporter.

    Raises PersonNotFound on a staff origin when nobody is signed in: a view that needs an actor must not run without one.
    """
    actor = getattr(request, "actor", None)
    if isinstance(actor, Actor):
        return actor
    user = getattr(request, "user", None)
    if user is None:
        return REPORTER
    if not user.is_authenticated:
        raise PersonNotFound()
    return actor_for(user, fresh=is_fresh(request))


def actor_for(person: Any, *, fresh: bool = False) -> Actor:
    """The actor of a person's row."""
    return Actor(
        id=person.id,
        kind="person",
        name=person.name,
        roles=frozenset(person.roles),
        clearance=person.clearance,
        agency_id=person.agency_id,
        provider_id=person.provider_id,
        fresh=fresh,
    )


def actor_by_id(person_id: UUID) -> Actor:
    """The actor of one active person, for jobs that act for who asked. Raises PersonNotFound."""
    row = Person.objects.filter(id=person_id, is_active=True).first()
    if row is None:
        raise PersonNotFound(person_id)
    return actor_for(row)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person behind the session authenticated in the last five minutes."""
    from allauth.account.internal.flows.login import get_authentication_records

    records = get_authentication_records(request, getattr(request, "user", None))
    if settings.VIGIL_DEMO and records and records[-1]["method"] == "demo_link":
        return True  # synthetic people have no factor to confirm with
    return bool(records) and 0 <= time.time() - float(records[-1]["at"]) < signin_settings.FRESH_SECONDS


def person(person_id: UUID) -> PersonFacts:
    """One person, active or not. Raises PersonNotFound."""
    row = Person.objects.filter(id=person_id).first()
    if row is None:
        raise PersonNotFound(person_id)
    return _facts(row)


def person_by_email(email: str) -> PersonFacts:
    """The person who signs in with this address. Raises PersonNotFound."""
    row = Person.objects.filter(email=email.strip().lower()).first()
    if row is None:
        raise PersonNotFound()
    return _facts(row)


def names_of(person_ids: set[UUID] | list[UUID]) -> dict[UUID, str]:
    """Names for many ids at once; unknown ids (processes, reporters) are absent."""
    return dict(Person.objects.filter(id__in=person_ids).values_list("id", "name"))


def people(*, role: str | None = None, active_only: bool = True) -> list[PersonFacts]:
    """People by name, optionally those with one role."""
    rows = Person.objects.order_by("name", "id")
    if role is not None:
        rows = rows.filter(roles__contains=[role])
    if active_only:
        rows = rows.filter(is_active=True)
    return [_facts(row) for row in rows]


def same_human(person_id: UUID, other_id: UUID) -> bool:
    """Whether two accounts belong to one human being (two assessors must not). An unknown id is never somebody else."""
    identities = dict(Person.objects.filter(id__in=[person_id, other_id]).values_list("id", "identity_id"))
    if person_id == other_id or person_id not in identities or other_id not in identities:
        return True
    return identities[person_id] == identities[other_id]


def agencies() -> list[AgencyFacts]:
    """All agencies by English name."""
    return [_agency_facts(row) for row in Agency.objects.order_by("name_en")]


def agency(agency_id: UUID) -> AgencyFacts:
    """One agency. Raises AgencyNotFound."""
    row = Agency.objects.filter(id=agency_id).first()
    if row is None:
        raise AgencyNotFound(agency_id)
    return _agency_facts(row)


def organisation(organisation_id: UUID) -> OrganisationFacts:
    """One partner organisation, active or not. Raises OrganisationNotFound."""
    row = Organisation.objects.filter(id=organisation_id).first()
    if row is None:
        raise OrganisationNotFound(organisation_id)
    return _organisation_facts(row)


def organisation_by_code(code: str) -> OrganisationFacts:
    """The partner organisation with this code. Raises OrganisationNotFound."""
    row = Organisation.objects.filter(code=code.strip().lower()).first()
    if row is None:
        raise OrganisationNotFound()
    return _organisation_facts(row)


def organisations(*, active_only: bool = True) -> list[OrganisationFacts]:
    """Partner organisations by code."""
    rows = Organisation.objects.order_by("code")
    return [_organisation_facts(row) for row in (rows.filter(ended_at__isnull=True) if active_only else rows)]


def organisation_names(ids: set[UUID], language: str) -> dict[UUID, str]:
    """Names of many partner organisations at once."""
    return {row.id: _organisation_facts(row).name(language) for row in Organisation.objects.filter(id__in=ids)}


def open_sessions_of(person_id: UUID, *, current_key: str | None = None) -> list[OpenSession]:
    """The sessions of a person at this origin that still hold, newest first."""
    from vigil.accounts.sessions import digest

    now = timezone.now()
    rows = Session.objects.filter(person_id=person_id, expire_date__gt=now, ends_at__gt=now).order_by("-begun_at")
    current = digest(current_key) if current_key else ""
    return [OpenSession(row.begun_at, row.ends_at, row.session_key == current) for row in rows]


def api_keys() -> list[ApiKey]:
    """All keys, newest first; the keys themselves are not kept."""
    return list(ApiKey.objects.order_by("-made_at"))


def key_digest(key: str) -> bytes:
    """What stands in the table for a key or a link's token: 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def _facts(row: Person) -> PersonFacts:
    return PersonFacts(
        id=row.id,
        name=row.name,
        email=row.email,
        language=row.language,
        roles=frozenset(row.roles),
        clearance=row.clearance,
        identity_id=row.identity_id,
        agency_id=row.agency_id,
        provider_id=row.provider_id,
        is_active=row.is_active,
    )


def _organisation_facts(row: Organisation) -> OrganisationFacts:
    return OrganisationFacts(
        row.id, row.code, row.name_en, row.name_fr, row.kind, row.email, row.language, row.ended_at is None
    )


def _agency_facts(row: Agency) -> AgencyFacts:
    return AgencyFacts(row.id, row.name_en, row.name_fr, row.region, row.kind)
