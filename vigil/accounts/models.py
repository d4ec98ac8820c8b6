"""People, agencies, invitations, keys and sessions."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from typing_extensions import override

from vigil.accounts.policies import PARTNER_ROLES, Role
from vigil.core.ids import new_id

_ROLES = [role.value for role in Role]
ORGANISATION_KINDS = ["hotline", "helpline", "police", "other"]
_PARTNER_ROLES = sorted(role.value for role in PARTNER_ROLES)


class Agency(models.Model):
    """A police agency, or another body that receives referrals."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name_en = models.CharField(max_length=200)
    name_fr = models.CharField(max_length=200)
    region = models.CharField(max_length=16, help_text="ISO 3166-2 code, for example CA-ON; CA for the whole country.")
    kind = models.CharField(
        max_length=16, default="police", choices=[("police", "police"), ("coordination", "coordination")]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name_en"], name="agency_english_name_once"),
            models.CheckConstraint(condition=models.Q(kind__in=["police", "coordination"]), name="agency_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name_en


class Organisation(models.Model):
    """A partner that hands in reports by mail or program: another hotline, a helpline, a police service.

    `email` is the one address that answers to its mails go to, whatever a mail says; `language` is that of the answers.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=32, unique=True)
    name_en = models.CharField(max_length=200)
    name_fr = models.CharField(max_length=200)
    kind = models.CharField(max_length=16)
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=4, default="both")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=ORGANISATION_KINDS), name="organisation_kind_known"),
            models.CheckConstraint(
                condition=models.Q(language__in=["en", "fr", "both"]), name="organisation_language_known"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class PersonManager(BaseUserManager["Person"]):
    """Finds people by the address they sign in with, whatever its capitals."""

    @override
    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(email=(username or "").lower())


class Person(AbstractBaseUser):
    """Somebody with an account. The password exists only for those who use password and code instead of a passkey."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=2, default="en", choices=[("en", "English"), ("fr", "Français")])
    roles: models.Field = ArrayField(models.CharField(max_length=32), default=list)
    clearance = models.PositiveSmallIntegerField(default=1)
    # The human being behind the account: two accounts of one person share it, so they cannot be two assessors.
    identity_id = models.UUIDField(default=new_id, editable=False, db_index=True)
    agency = models.ForeignKey(Agency, null=True, blank=True, on_delete=models.PROTECT, related_name="people")
    provider_id = models.UUIDField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    made_at = models.DateTimeField()

    objects = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(clearance__gte=1, clearance__lte=3), name="person_clearance_1_to_3"
            ),
            models.CheckConstraint(condition=models.Q(roles__contained_by=_ROLES), name="person_roles_known"),
            models.CheckConstraint(condition=models.Q(language__in=["en", "fr"]), name="person_language_known"),
            models.CheckConstraint(
                condition=~models.Q(roles__contains=[Role.POLICE_OFFICER.value]) | models.Q(agency__isnull=False),
                name="police_officer_has_agency",
            ),
            models.CheckConstraint(
                condition=~models.Q(roles__contains=[Role.PROVIDER.value]) | models.Q(provider_id__isnull=False),
                name="provider_person_has_provider",
            ),
            # Nobody is on both sides: a partner's account has partner roles only.
            models.CheckConstraint(
                condition=models.Q(roles__contained_by=_PARTNER_ROLES) | ~models.Q(roles__overlap=_PARTNER_ROLES),
                name="person_staff_or_partner",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        """The name, where libraries ask for it."""
        return self.name

    def get_short_name(self) -> str:
        """The name, where libraries ask for it."""
        return self.name


class Invitation(models.Model):
    """A one-use link with which a person opens their account. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="invitations")
    token_hash = models.BinaryField(max_length=32, unique=True)
    made_by = models.UUIDField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)


class ApiKey(models.Model):
    """A key with which a provider's or an organisation's program calls the protocol doors. Shown once; its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    holder_kind = models.CharField(max_length=16, choices=[("provider", "provider"), ("organisation", "organisation")])
    holder_id = models.UUIDField()
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    scopes: models.Field = ArrayField(models.CharField(max_length=32), default=list)
    made_by = models.UUIDField()
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # To the minute: a key is not written to at every call.
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(holder_kind__in=["provider", "organisation"]), name="api_key_holder_kind_known"
            )
        ]


class Session(AbstractBaseSession):
    """One browser's session. `session_key` is the SHA-256 of the cookie and the data are sealed under the cookie itself:
    whoever holds the database can neither use a session nor read it. A column `door` (the database role that made the row)
    is added in SQL: a session of one origin does not exist for the other."""

    session_key = models.CharField(max_length=64, primary_key=True)
    person_id = models.UUIDField(null=True, db_index=True)
    begun_at = models.DateTimeField()
    # The absolute end, however busy the session is; `expire_date` is the idle end.
    ends_at = models.DateTimeField()

    objects = BaseSessionManager()  # type: ignore[misc]

    @classmethod
    @override
    def get_session_store_class(cls) -> type:
        from vigil.accounts.sessions import SessionStore

        return SessionStore


class SecurityNotice(models.Model):
    """A mail that tells a person that something about their sign-in changed. Written with the change, sent by the worker."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=64)
    at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(sent_at__isnull=True), name="security_notice_due")
        ]
