"""Commands: people, agencies, invitations, keys, the end of sessions. Each makes one audit row."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.http import HttpRequest

from vigil.accounts import signin_settings
from vigil.accounts.errors import (
    ActionNotPermitted,
    AgencyNotFound,
    ApiKeyUnusable,
    BadOrganisation,
    BadPerson,
    EmailTaken,
    InvitationUnusable,
    PersonNotFound,
)
from vigil.accounts.models import ORGANISATION_KINDS, Agency, ApiKey, Invitation, Organisation, Person
from vigil.accounts.policies import PARTNER_ROLES, Role, require
from vigil.accounts.selectors import KeyHolder, key_digest
from vigil.audit import services as audit
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.ids import new_id

KEY_MARK = "vgl"


@dataclass(frozen=True)
class NewInvitation:
    """An invitation as it is shown once: its token is not kept."""

    id: UUID
    person_id: UUID
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class NewApiKey:
    """A key as it is shown once."""

    id: UUID
    key: str
    prefix: str


def _require(actor: Actor, action: str) -> None:
    # Accounts are also made from the command line of the machine, where no person is signed in.
    if actor.kind != "process":
        require(actor, action)  # type: ignore[arg-type]


@transaction.atomic
def create_agency(
    *, actor: Actor, name_en: str, name_fr: str, region: str, at: datetime, kind: str = "police", id: UUID | None = None
) -> Agency:
    """Make an agency that receives referrals. Raises NotPermitted."""
    _require(actor, "person.change")
    agency = Agency.objects.create(id=id or new_id(), name_en=name_en, name_fr=name_fr, region=region, kind=kind)
    audit.record(
        actor=actor, action="agency.create", subject_kind="agency", subject_id=agency.id, at=at, data={"region": region}
    )
    return agency


@transaction.atomic
def create_person(
    *,
    actor: Actor,
    email: str,
    name: str,
    roles: Iterable[str],
    at: datetime,
    clearance: int = 1,
    language: str = "en",
    agency_id: UUID | None = None,
    provider_id: UUID | None = None,
    identity_id: UUID | None = None,
    id: UUID | None = None,
) -> Person:
    """Make an account that nobody can sign in to yet: no password, no passkey. `invite` opens it.

    `identity_id`: given when this human being has an account already, so that the two never count as two assessors.
    Raises BadPerson (fields), EmailTaken, AgencyNotFound, NotPermitted.
    """
    _require(actor, "person.invite")
    email = email.strip().lower()
    wanted = sorted(set(roles))
    fields = _problems(email, name, wanted, clearance, language, agency_id, provider_id)
    if fields:
        raise BadPerson(fields=fields)
    if agency_id is not None and not Agency.objects.filter(id=agency_id).exists():
        raise AgencyNotFound(agency_id)
    if Person.objects.filter(email=email).exists():
        raise EmailTaken()
    person = Person(
        id=id or new_id(),
        email=email,
        name=name.strip(),
        language=language,
        roles=wanted,
        clearance=clearance,
        identity_id=identity_id or new_id(),
        agency_id=agency_id,
        provider_id=provider_id,
        made_at=at,
    )
    person.set_unusable_password()
    person.save(force_insert=True)
    audit.record(
        actor=actor,
        action="person.create",
        subject_kind="person",
        subject_id=person.id,
        at=at,
        data={"roles": wanted, "clearance": clearance, "agency": str(agency_id or "")},
    )
    return person


def _problems(
    email: str,
    name: str,
    roles: list[str],
    clearance: int,
    language: str,
    agency_id: UUID | None,
    provider_id: UUID | None,
) -> dict[str, str]:
    fields: dict[str, str] = {}
    try:
        validate_email(email)
    except ValidationError:
        fields["email"] = "accounts.email_unreadable"
    if not name.strip():
        fields["name"] = "accounts.name_missing"
    if not roles or set(roles) - {role.value for role in Role}:
        fields["roles"] = "accounts.role_unknown"
    elif set(roles) & PARTNER_ROLES and set(roles) - PARTNER_ROLES:
        fields["roles"] = "accounts.staff_and_partner"
    if Role.POLICE_OFFICER in roles and agency_id is None:
        fields["agency"] = "accounts.agency_missing"
    if Role.PROVIDER in roles and provider_id is None:
        fields["provider"] = "accounts.provider_missing"
    if clearance not in (1, 2, 3):
        fields["clearance"] = "accounts.clearance_unknown"
    if language not in ("en", "fr"):
        fields["language"] = "accounts.language_unknown"
    return fields


@transaction.atomic
def invite(*, actor: Actor, person_id: UUID, at: datetime) -> NewInvitation:
    """Make a one-use link (256 bits, 24 hours) with which the person opens their account; older links stop working.

    The token is returned once; only its hash is kept. Raises PersonNotFound, NotPermitted.
    """
    _require(actor, "person.invite")
    person = Person.objects.filter(id=person_id, is_active=True).first()
    if person is None:
        raise PersonNotFound(person_id)
    Invitation.objects.filter(person=person, used_at__isnull=True).update(used_at=at)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        person=person,
        token_hash=key_digest(token),
        made_by=actor.id,
        made_at=at,
        expires_at=at + timedelta(seconds=signin_settings.INVITATION_SECONDS),
    )
    audit.record(actor=actor, action="person.invite", subject_kind="person", subject_id=person.id, at=at)
    return NewInvitation(invitation.id, person.id, token, invitation.expires_at)


def invitation_of(token: str, *, at: datetime, lock: bool = False) -> Invitation:
    """The usable invitation behind a link. Raises InvitationUnusable: unknown, used and expired look the same."""
    rows = Invitation.objects.select_related("person")
    if lock:
        rows = rows.select_for_update(of=("self",))
    row = rows.filter(token_hash=key_digest(token), used_at__isnull=True, expires_at__gt=at).first()
    if row is None or not row.person.is_active:
        raise InvitationUnusable()
    return row


@transaction.atomic
def accept_invitation(*, token: str, at: datetime) -> Person:
    """Use up a link and return its person, whom the door then signs in to set up a passkey. Raises InvitationUnusable."""
    from vigil.accounts.selectors import actor_for

    invitation = invitation_of(token, at=at, lock=True)
    invitation.used_at = at
    invitation.save(update_fields=["used_at"])
    person = invitation.person
    audit.record(
        actor=actor_for(person), action="person.accept_invitation", subject_kind="person", subject_id=person.id, at=at
    )
    return person


@transaction.atomic
def change_roles(*, actor: Actor, person_id: UUID, roles: Iterable[str], clearance: int, at: datetime) -> None:
    """Give a person other roles and clearance; it holds from their next request. Raises BadPerson, PersonNotFound."""
    _require(actor, "person.change")
    person = _locked(person_id)
    wanted = sorted(set(roles))
    fields = _problems(
        person.email, person.name, wanted, clearance, person.language, person.agency_id, person.provider_id
    )
    if fields:
        raise BadPerson(fields=fields)
    before = {"roles_before": list(person.roles), "clearance_before": person.clearance}
    person.roles, person.clearance = wanted, clearance
    person.save(update_fields=["roles", "clearance"])
    audit.record(
        actor=actor,
        action="person.change",
        subject_kind="person",
        subject_id=person.id,
        at=at,
        data={**before, "roles": wanted, "clearance": clearance},
    )


@transaction.atomic
def disable_person(*, actor: Actor, person_id: UUID, at: datetime) -> None:
    """Close an account: sessions, open invitations and keys end in this transaction. Raises PersonNotFound, NotPermitted."""
    _require(actor, "person.change")
    person = _locked(person_id)
    person.is_active = False
    person.save(update_fields=["is_active"])
    Invitation.objects.filter(person=person, used_at__isnull=True).update(used_at=at)
    keys = ApiKey.objects.filter(made_by=person.id, ended_at__isnull=True).update(ended_at=at)
    ended = _end_sessions(person.id)
    audit.record(
        actor=actor,
        action="person.disable",
        subject_kind="person",
        subject_id=person.id,
        at=at,
        data={"sessions": ended, "keys": keys},
    )


@transaction.atomic
def end_sessions(*, actor: Actor, person_id: UUID, at: datetime) -> int:
    """End every session of a person on both origins: one's own, or as an administrator anybody's. Returns how many."""
    if actor.id != person_id:
        _require(actor, "person.change")
    ended = _end_sessions(person_id)
    audit.record(
        actor=actor,
        action="person.end_sessions",
        subject_kind="person",
        subject_id=person_id,
        at=at,
        data={"sessions": ended},
    )
    return ended


@transaction.atomic
def record_password_change(*, actor: Actor, at: datetime) -> None:
    """Write that a person changed their own password; the other sessions ended with it."""
    audit.record(actor=actor, action="person.change_password", subject_kind="person", subject_id=actor.id, at=at)


def _end_sessions(person_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT vigil_end_sessions(%s)", [person_id])
        return int(cursor.fetchone()[0])


def _locked(person_id: UUID) -> Person:
    person = Person.objects.select_for_update(of=("self",)).filter(id=person_id).first()
    if person is None:
        raise PersonNotFound(person_id)
    return person


@transaction.atomic
def create_api_key(
    *, actor: Actor, holder_kind: str, holder_id: UUID, name: str, scopes: Iterable[str], at: datetime
) -> NewApiKey:
    """Make a key of 256 bits for a provider's or an organisation's program. The key is returned once; its SHA-256 is kept."""
    _require(actor, "key.manage")
    prefix = secrets.token_hex(4)
    key = f"{KEY_MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        holder_kind=holder_kind,
        holder_id=holder_id,
        name=name,
        prefix=prefix,
        key_hash=key_digest(key),
        scopes=sorted(set(scopes)),
        made_by=actor.id,
        made_at=at,
    )
    audit.record(
        actor=actor,
        action="key.create",
        subject_kind="api_key",
        subject_id=row.id,
        at=at,
        data={"scopes": list(row.scopes)},
    )
    return NewApiKey(row.id, key, prefix)


@transaction.atomic
def end_api_key(*, actor: Actor, key_id: UUID, at: datetime) -> None:
    """End a key: the next call with it is refused, in every process. Ending it again changes nothing."""
    _require(actor, "key.manage")
    ended = ApiKey.objects.filter(id=key_id, ended_at__isnull=True).update(ended_at=at)
    audit.record(actor=actor, action="key.end", subject_kind="api_key", subject_id=key_id, at=at, data={"ended": ended})


@transaction.atomic
def add_organisation(
    *, actor: Actor, code: str, name_en: str, name_fr: str, kind: str, email: str, language: str, at: datetime
) -> UUID:
    """Make a partner organisation that may be given keys. Returns its id. Raises BadOrganisation (`fields`: what is wrong)."""
    _require(actor, "key.manage")
    code, email = code.strip().lower(), email.strip()
    fields = {}
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,31}", code):
        fields["code"] = "organisation.code_unusable"
    elif Organisation.objects.filter(code=code).exists():
        fields["code"] = "organisation.code_taken"
    if not name_en.strip() or not name_fr.strip():
        fields["name"] = "organisation.name_missing"
    if kind not in ORGANISATION_KINDS:
        fields["kind"] = "organisation.kind_unknown"
    if language not in {"en", "fr", "both"}:
        fields["language"] = "organisation.language_unknown"
    if email:
        try:
            validate_email(email)
        except ValidationError:
            fields["email"] = "person.email_unusable"
    if fields:
        raise BadOrganisation(fields=fields)
    row = Organisation.objects.create(
        code=code,
        name_en=name_en.strip(),
        name_fr=name_fr.strip(),
        kind=kind,
        email=email,
        language=language,
        made_at=at,
    )
    audit.record(
        actor=actor,
        action="organisation.add",
        subject_kind="organisation",
        subject_id=row.id,
        at=at,
        data={"code": code, "kind": kind},
    )
    return row.id


@transaction.atomic
def end_organisation(*, actor: Actor, organisation_id: UUID, at: datetime) -> int:
    """End a partner: every key of it is refused from the next call on. Returns how many keys ended."""
    _require(actor, "key.manage")
    Organisation.objects.filter(id=organisation_id, ended_at__isnull=True).update(ended_at=at)
    keys = ApiKey.objects.filter(holder_kind="organisation", holder_id=organisation_id, ended_at__isnull=True)
    ended = keys.update(ended_at=at)
    audit.record(
        actor=actor,
        action="organisation.end",
        subject_kind="organisation",
        subject_id=organisation_id,
        at=at,
        data={"keys": ended},
    )
    return ended


def holder_of(key: str, *, scope: str) -> KeyHolder:
    """Whose key this is, noting (to the minute) that it was used. Any door for programs may ask.

    Raises ApiKeyUnusable for an unknown or ended key, an ended organisation or a missing scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, holder_kind, holder_id, scopes, partner_code, partner_kind, partner_language"
            " FROM vigil_use_api_key(%s, %s)",
            [key_digest(key), clock.now()],
        )
        row = cursor.fetchone()
    if row is None or scope not in row[3]:
        raise ApiKeyUnusable()
    return KeyHolder(row[0], row[1], row[2], frozenset(row[3]), row[4] or "", row[5] or "", row[6] or "")


def begin_session(request: HttpRequest, person: Person, *, method: str = "demo_link") -> None:
    """Sign a person in, as a fresh step-up, without asking for a factor.

    Only the demonstration's one-use links call this (`method="demo_link"`: fresh for as long as the session lasts), and the
    invitation page, where somebody who has proved the 256-bit link sets up their first factor (`method="invitation"`). The
    caller has checked what it must. Raises NotPermitted when the account belongs to the other origin.
    """
    from allauth.account.internal.flows.login import record_authentication
    from django.contrib.auth import login

    from vigil.accounts.backends import may_enter
    from vigil.accounts.middleware import SETTING_UP, become

    if method == "demo_link" and not settings.CLOCK_MAY_DRIFT:
        raise RuntimeError("one-use links exist in a demonstration only")
    if not may_enter(person, settings.PROCESS):
        raise ActionNotPermitted("person.sign_in", subject_kind="person", subject_id=person.id)
    become(request, person, fresh=True)
    record_authentication(request, person, method=method, reauthenticated=True)
    login(request, person, backend="vigil.accounts.backends.PersonBackend")
    if method == "invitation":
        request.session[SETTING_UP] = True
