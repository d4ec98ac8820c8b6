"""Tables of the list. The entry holds hashes and where it came from, never a picture; the feed is an append-only log."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from vigil.core.ids import new_id


class Entry(models.Model):
    """A file that people were asked to assess: its hashes, its provenance by id, its state."""

    class State(models.TextChoices):
        """Where an entry stands."""

        PROPOSED = "proposed"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=10, unique=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.PROPOSED)
    sha256 = models.BinaryField(max_length=32, unique=True)
    md5 = models.BinaryField(max_length=16)
    pdq = models.BinaryField(max_length=32)
    pdq_quality = models.PositiveSmallIntegerField()
    classification = models.CharField(max_length=32)
    # Provenance: things of rooms further left, by id only.
    candidate_id = models.UUIDField()
    place_id = models.UUIDField()
    incident_id = models.UUIDField()
    case_id = models.UUIDField(null=True)
    sensitivity = models.PositiveSmallIntegerField(default=1)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_reason = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "published", "withdrawn", "refused"]), name="entry_state_known"
            ),
            models.CheckConstraint(condition=Q(sensitivity__range=(1, 3)), name="entry_sensitivity_known"),
            models.CheckConstraint(
                condition=Q(state="withdrawn", withdrawn_at__isnull=False) | Q(withdrawn_at__isnull=True),
                name="entry_withdrawal_dated",
            ),
        ]
        indexes = [models.Index(fields=["state", "proposed_at"], name="entry_state_proposed")]


class Look(models.Model):
    """One person's one look at one entry: asked for, and delivered or not. Nothing of the picture is kept."""

    id = models.UUIDField(primary_key=True, default=new_id)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="looks")
    assessor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "assessor"], condition=Q(delivered_at__isnull=False), name="look_once_each"
            )
        ]


class Assessment(models.Model):
    """One person's verdict on one entry. `identity_id` is the human being behind the account."""

    class Verdict(models.TextChoices):
        """What an assessor may say."""

        ILLEGAL = "illegal"
        NOT_ILLEGAL = "not_illegal"
        UNSURE = "unsure"

    id = models.UUIDField(primary_key=True, default=new_id)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="assessments")
    assessor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    identity_id = models.UUIDField()
    look = models.OneToOneField(Look, on_delete=models.PROTECT)
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "identity_id"], name="assessment_one_per_human"),
            models.CheckConstraint(
                condition=Q(verdict__in=["illegal", "not_illegal", "unsure"]), name="assessment_verdict_known"
            ),
        ]


class FeedCounter(models.Model):
    """The feed's last version: one row, locked by the transaction that publishes, so versions have no gaps."""

    id = models.BooleanField(primary_key=True, default=True)
    version = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=True), name="feed_counter_has_one_row")]


class FeedRow(models.Model):
    """One change of the published list. `withdraw` is the tombstone."""

    class Change(models.TextChoices):
        """What a feed row says."""

        PUBLISH = "publish"
        WITHDRAW = "withdraw"

    version = models.BigIntegerField(primary_key=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="feed_rows")
    change = models.CharField(max_length=16, choices=Change.choices)
    at = models.DateTimeField()
    # Copied, so that subscribers and the index read this one table.
    sha256 = models.BinaryField(max_length=32)
    md5 = models.BinaryField(max_length=16)
    pdq = models.BinaryField(max_length=32)
    classification = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(change__in=["publish", "withdraw"]), name="feed_change_known")
        ]


class Declared(models.Model):
    """A fingerprint that a person sent of their own picture: a claim that nobody has looked at, so never among entries.

    `case_id` is the image-help case, by id. A match against it proposes work to a person and does nothing else.
    """

    id = models.UUIDField(primary_key=True)
    case_id = models.UUIDField()
    kind = models.CharField(max_length=4)
    value = models.BinaryField()
    quality = models.PositiveSmallIntegerField(null=True)
    listed_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["case_id"], name="declared_of_case")]
        constraints = [models.CheckConstraint(condition=Q(kind__in=["pdq", "md5"]), name="declared_kind_known")]


class DeclaredFeedRow(models.Model):
    """One change of the declared fingerprints: a log of its own, with versions of its own. `withdraw` is the tombstone."""

    version = models.BigIntegerField(primary_key=True)
    declared = models.ForeignKey(Declared, on_delete=models.PROTECT, related_name="feed_rows")
    change = models.CharField(max_length=16)
    at = models.DateTimeField()
    kind = models.CharField(max_length=4)
    value = models.BinaryField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(change__in=["publish", "withdraw"]), name="declared_change_known"),
            models.UniqueConstraint(fields=["declared", "change"], name="declared_changes_once_each"),
        ]
