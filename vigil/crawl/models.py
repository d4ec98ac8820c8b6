"""The frontier (hosts, places, seeds), what was seen (readings, candidates, sightings), and checks of places.

Due times (`next_at`, `due_at`) follow `core.clock`. Leases and politeness (`lease_until`, `not_before`) follow the database's
own time: moving a demonstration's clock must neither end a lease nor make us rude.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from vigil.core.ids import new_id


class Host(models.Model):
    """One host (name and port). A crawler works on it alone, while it holds the lease with the present fencing number."""

    id = models.UUIDField(primary_key=True, default=new_id)
    digest = models.BinaryField(unique=True)
    sealed = models.BinaryField()
    due_at = models.DateTimeField()
    is_urgent = models.BooleanField(default=False)
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField()
    fence = models.BigIntegerField(default=0)
    leased_by = models.CharField(max_length=64, default="")
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["-is_urgent", "due_at"], name="host_due")]


class Place(models.Model):
    """One address that the crawl knows. The address is encrypted under the crawl's key; its digest finds it again."""

    class Kind(models.TextChoices):
        PAGE = "page"
        IMAGE = "image"
        UNKNOWN = "unknown"

    id = models.UUIDField(primary_key=True, default=new_id)
    host = models.ForeignKey(Host, on_delete=models.PROTECT, related_name="places")
    url_digest = models.BinaryField(unique=True)
    url_sealed = models.BinaryField()
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.UNKNOWN)
    depth = models.PositiveSmallIntegerField(default=0)
    is_urgent = models.BooleanField(default=False)
    next_at = models.DateTimeField()
    found_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=24, default="")
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["host", "next_at"], name="place_due"),
            models.Index(fields=["host"], condition=Q(is_urgent=True), name="place_urgent"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["page", "image", "unknown"]), name="place_has_a_kind")
        ]


class Shown(models.Model):
    """A page shows (or links to) a picture at another address."""

    id = models.UUIDField(primary_key=True, default=new_id)
    page = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="shows")
    media = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="shown_on")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["page", "media"], name="shown_once_per_page")]


class Seed(models.Model):
    """Why the crawl starts at a place: an incident's reported link, or (without incident) the operator's list to watch."""

    id = models.UUIDField(primary_key=True, default=new_id)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="seeds")
    incident_id = models.UUIDField(null=True)
    asked_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=24, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "incident_id"], name="seed_once_per_incident"),
            models.UniqueConstraint(fields=["place"], condition=Q(incident_id=None), name="seed_once_to_watch"),
        ]
        indexes = [models.Index(fields=["incident_id"], name="seed_of_incident")]


class Visit(models.Model):
    """One look at a place and how it ended. Rows are never changed."""

    id = models.UUIDField(primary_key=True, default=new_id)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="visits")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=24)
    status = models.PositiveSmallIntegerField(default=0)
    server_address = models.GenericIPAddressField(null=True)
    redirects = models.PositiveSmallIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)
    size_bytes = models.PositiveIntegerField(default=0)
    fence = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["place", "at"], name="visit_of_place")]


class Reading(models.Model):
    """The fingerprints of the picture that a place showed last: an entry published later is found here without a fetch."""

    place = models.OneToOneField(Place, on_delete=models.PROTECT, primary_key=True, related_name="reading")
    sha256 = models.BinaryField()
    md5 = models.BinaryField()
    pdqs = models.BinaryField()
    quality = models.PositiveSmallIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    read_at = models.DateTimeField()
    server_address = models.GenericIPAddressField(null=True)
    matched_version = models.BigIntegerField()
    is_late = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["read_at"], condition=Q(is_late=True), name="reading_late")]


class Candidate(models.Model):
    """A picture found at an incident's reported place: fingerprints and place, never the picture."""

    id = models.UUIDField(primary_key=True, default=new_id)
    incident_id = models.UUIDField()
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="candidates")
    page_place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, related_name="+")
    sha256 = models.BinaryField()
    md5 = models.BinaryField()
    pdq = models.BinaryField()
    quality = models.PositiveSmallIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident_id", "place", "sha256"], name="candidate_once_per_incident")
        ]


class Sighting(models.Model):
    """A place shows a listed picture, says a match. A near match is a claim until a person decides."""

    class State(models.TextChoices):
        PROPOSED = "proposed"
        CONFIRMED = "confirmed"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=10, unique=True)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="sightings")
    page_place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, related_name="+")
    entry = models.ForeignKey("lists.Entry", on_delete=models.PROTECT, related_name="+")
    match = models.CharField(max_length=8)
    distance = models.PositiveSmallIntegerField()
    orientation = models.PositiveSmallIntegerField()
    feed_version = models.BigIntegerField()
    seen_at = models.DateTimeField()
    server_address = models.GenericIPAddressField(null=True)
    sensitivity = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=12, choices=State)
    reason = models.CharField(max_length=32, default="")
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "entry"], name="sighting_once_per_place_and_entry"),
            models.CheckConstraint(condition=Q(match__in=["exact", "near"]), name="sighting_is_exact_or_near"),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_at=None)
                | (Q(state__in=["confirmed", "rejected"]) & Q(decided_at__isnull=False)),
                name="sighting_decided_has_a_time",
            ),
            # Only an exact match is confirmed by rule: a near one needs somebody's name.
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(match="exact") | Q(decided_by__isnull=False),
                name="sighting_near_needs_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "seen_at"], name="sighting_to_decide"),
        ]


class Check(models.Model):
    """A question about one place: is it still up? Unknown is an answer, and never the same as down."""

    class Verdict(models.TextChoices):
        UP = "up"
        DOWN = "down"
        UNKNOWN = "unknown"

    id = models.UUIDField(primary_key=True, default=new_id)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="checks")
    sighting = models.ForeignKey(Sighting, on_delete=models.PROTECT, null=True, related_name="checks")
    asked_by_kind = models.CharField(max_length=16)
    asked_for = models.UUIDField()
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=8, default="")
    detail = models.CharField(max_length=32, default="")
    status = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at=None), name="check_open")]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None, verdict="")
                | (Q(done_at__isnull=False) & Q(verdict__in=["up", "down", "unknown"])),
                name="check_done_has_a_verdict",
            )
        ]


class DeclaredMatch(models.Model):
    """A place shows a picture that fits a fingerprint which somebody declared of their own picture.

    It is no sighting: nothing follows from it but work for a person. The picture's facts are those of the look that matched.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="declared_matches")
    page_place = models.ForeignKey(Place, on_delete=models.PROTECT, null=True, related_name="+")
    declared = models.ForeignKey("lists.Declared", on_delete=models.PROTECT, related_name="+")
    help_case_id = models.UUIDField()
    match = models.CharField(max_length=8)
    distance = models.PositiveSmallIntegerField()
    orientation = models.PositiveSmallIntegerField()
    feed_version = models.BigIntegerField()
    seen_at = models.DateTimeField()
    sha256 = models.BinaryField()
    md5 = models.BinaryField()
    pdq = models.BinaryField()
    quality = models.PositiveSmallIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "declared"], name="declaredmatch_once_per_place"),
            models.CheckConstraint(condition=Q(match__in=["near", "md5"]), name="declaredmatch_known_match"),
        ]
