"""Tables of referrals: packages, who took one out, outcomes.

Field classes (security.md, section a): `sealed` = P3, encrypted under the package's own key; the rest P1. Counts and band are
here so that an inbox can be listed without opening anything.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from vigil.core.ids import new_id

STATES = ("draft", "sent", "acknowledged", "closed")
OUTCOME_KINDS = ("child_safe", "identified", "charged", "no_action", "other")


class Package(models.Model):
    """One referral of one case to one agency. Asked for by a person, built and sent by the worker, unchanged since."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=10, unique=True)
    case_id = models.UUIDField(db_index=True)
    case_number = models.CharField(max_length=10)
    agency = models.ForeignKey("accounts.Agency", on_delete=models.PROTECT, related_name="+")
    sensitivity = models.PositiveSmallIntegerField()
    band = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=2)
    state = models.CharField(max_length=16, default="draft")
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()
    # Building is tried until it works: the key process may be away.
    attempts = models.PositiveIntegerField(default=0)
    last_failure = models.CharField(max_length=64, blank=True)
    next_try_at = models.DateTimeField(null=True)
    sealed = models.BinaryField(null=True)
    size_bytes = models.PositiveIntegerField(null=True)
    manifest = models.JSONField(null=True)
    manifest_digest = models.CharField(max_length=64, blank=True)
    pages = models.PositiveSmallIntegerField(null=True)
    sent_at = models.DateTimeField(null=True)
    acknowledged_by = models.UUIDField(null=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-sent_at"], name="package_inbox"),
            models.Index(fields=["next_try_at"], condition=Q(state="draft"), name="package_to_build"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="package_state_known"),
            models.CheckConstraint(
                condition=Q(sensitivity__gte=1, sensitivity__lte=3), name="package_sensitivity_1_to_3"
            ),
            models.CheckConstraint(condition=Q(language__in=["en", "fr"]), name="package_language_known"),
            models.CheckConstraint(
                condition=Q(state="draft", sent_at__isnull=True)
                | (
                    ~Q(state="draft")
                    & Q(sealed__isnull=False, manifest__isnull=False, sent_at__isnull=False)
                    & ~Q(manifest_digest="")
                ),
                name="package_sent_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "sent"], acknowledged_at__isnull=True)
                | Q(state__in=["acknowledged", "closed"], acknowledged_at__isnull=False, acknowledged_by__isnull=False),
                name="package_acknowledged_has_time",
            ),
        ]


class Download(models.Model):
    """Somebody took a package out of the system: both sides see this."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="downloads")
    by = models.UUIDField()
    at = models.DateTimeField()


class Outcome(models.Model):
    """What came of a referral, as the agency says. Of each kind at most one a package."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=10, unique=True)
    package = models.ForeignKey(Package, on_delete=models.PROTECT, related_name="outcomes")
    kind = models.CharField(max_length=16)
    by = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=OUTCOME_KINDS), name="outcome_kind_known"),
            models.UniqueConstraint(fields=["package", "kind"], name="outcome_once_of_each_kind"),
        ]
