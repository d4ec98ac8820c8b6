"""Tables of casework: incidents, cases, what happened to them, notes of staff, and the places that were fetched for them.

Classes (security.md, section a): a note's body = P3, encrypted per note; the rest P1, visible by sensitivity only.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from vigil.casework.triage import SITUATIONS
from vigil.core.hotline import LANGUAGE_MAX_LENGTH
from vigil.core.ids import new_id

DECISIONS = ("actionable", "out_of_scope", "duplicate", "needs_more")
#: What is known of a reported place: looked at or worked on before; confirmed removed before; and what the look then found.
KNOWN_STATES = ("known", "open", "removed_before", "back", "still_gone", "unknown")
REAPPEARANCES = ("removed_before", "back", "unknown")
STEPS = (
    "opened",
    "claimed",
    "released",
    "decided",
    "needs_more",
    "case_opened",
    "added_to_case",
    "taken_out_of_case",
    "places_fetched",
    "candidates_found",
    "entry_proposed",
    "entry_published",
    "entry_refused",
    "entry_withdrawn",
    "question_asked",
    "place_known",
    "place_back",
    "place_still_gone",
    "declared_match",
)


class Case(models.Model):
    """Incidents that belong together. Its sensitivity is the highest that any of them ever had: it never goes down."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=10, unique=True)
    sensitivity = models.PositiveSmallIntegerField()
    band = models.PositiveSmallIntegerField()
    opened_by = models.UUIDField()
    opened_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["-opened_at"], name="case_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(sensitivity__range=(1, 3)), name="case_has_known_sensitivity"),
            models.CheckConstraint(condition=Q(band__range=(0, 5)), name="case_has_known_band"),
        ]


class Incident(models.Model):
    """One situation of one report: the unit of work. Language, source and counts are copied from the immutable report."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=10, unique=True)
    report = models.ForeignKey("intake.Report", on_delete=models.PROTECT, related_name="+")
    situation = models.CharField(max_length=16)
    band = models.PositiveSmallIntegerField()
    reasons = ArrayField(models.CharField(max_length=32))
    sensitivity = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=LANGUAGE_MAX_LENGTH)
    source = models.CharField(max_length=16)
    partner_id = models.UUIDField(null=True)
    under_18 = models.BooleanField()
    link_count = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    first_look_at = models.DateTimeField(null=True)
    # When the next limit of its band is reached (limits.py): the queue is ordered by it.
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, default="open")
    claimed_by = models.UUIDField(null=True)
    claim_expires_at = models.DateTimeField(null=True)
    # Fencing number: a decision names the claim it was made under, and a claim that was lost decides nothing.
    claim_fence = models.PositiveIntegerField(default=0)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="incidents")
    decision = models.CharField(max_length=16, null=True)
    decision_reason = models.CharField(max_length=32, null=True)
    duplicate_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["band", "due_at", "created_at", "id"], condition=Q(state="open"), name="incident_queue"
            ),
            models.Index(fields=["claimed_by"], condition=Q(state="open"), name="incident_claims"),
        ]
        constraints = [
            # A report's event may be handled again after a crash: the second time finds this.
            models.UniqueConstraint(fields=["report", "situation"], name="incident_one_per_situation"),
            models.CheckConstraint(condition=Q(situation__in=SITUATIONS), name="incident_has_known_situation"),
            models.CheckConstraint(condition=Q(band__range=(0, 5)), name="incident_has_known_band"),
            models.CheckConstraint(condition=Q(sensitivity__range=(1, 3)), name="incident_has_known_sensitivity"),
            models.CheckConstraint(condition=Q(state__in=["open", "decided"]), name="incident_has_known_state"),
            models.CheckConstraint(
                condition=Q(decision__isnull=True) | Q(decision__in=DECISIONS), name="incident_has_known_decision"
            ),
            models.CheckConstraint(
                condition=Q(claimed_by__isnull=True, claim_expires_at__isnull=True)
                | Q(claimed_by__isnull=False, claim_expires_at__isnull=False),
                name="incident_claim_has_an_end",
            ),
            models.CheckConstraint(
                condition=Q(state="open")
                | Q(
                    decision__in=["actionable", "out_of_scope", "duplicate"],
                    decision_reason__isnull=False,
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                ),
                name="incident_decided_by_somebody_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(decision="duplicate", duplicate_of__isnull=False)
                | (~Q(decision="duplicate") | Q(decision__isnull=True)) & Q(duplicate_of__isnull=True),
                name="incident_duplicate_of_something",
            ),
        ]


class Step(models.Model):
    """Something that was done to an incident, for its timeline. Codes, numbers and counts only; rows are never changed."""

    id = models.UUIDField(primary_key=True, default=new_id)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=24)
    actor_id = models.UUIDField()
    at = models.DateTimeField()
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["incident", "at"], name="step_of_incident")]
        constraints = [models.CheckConstraint(condition=Q(kind__in=STEPS), name="step_has_known_kind")]


class Note(models.Model):
    """What a person wrote beside a decision, encrypted under a key of its own. The note's id is the key's record."""

    id = models.UUIDField(primary_key=True, default=new_id)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="notes")
    body = models.BinaryField()
    written_by = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["incident", "at"], name="note_of_incident")]


class ReportedPlace(models.Model):
    """A reported link that was handed to the crawl for an incident, or could not be: then `error` says why. Never a URL."""

    id = models.UUIDField(primary_key=True, default=new_id)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="places")
    link_id = models.UUIDField()
    place_id = models.UUIDField(null=True)
    error = models.CharField(max_length=48, blank=True, default="")
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "link_id"], name="reportedplace_one_per_link")]


class KnownPlace(models.Model):
    """A reported link whose place the crawl knew already. A place that was confirmed removed is a reappearance, not a double."""

    id = models.UUIDField(primary_key=True, default=new_id)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="known_places")
    link_id = models.UUIDField()
    place_id = models.UUIDField(db_index=True)
    state = models.CharField(max_length=16, default="known")
    notice_id = models.UUIDField(null=True)
    notice_number = models.CharField(max_length=10, blank=True, default="")
    removal_number = models.CharField(max_length=10, blank=True, default="")
    noted_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["notice_id"], name="knownplace_of_notice")]
        constraints = [
            models.UniqueConstraint(fields=["incident", "link_id"], name="knownplace_one_per_link"),
            models.CheckConstraint(condition=Q(state__in=KNOWN_STATES), name="knownplace_has_known_state"),
        ]
