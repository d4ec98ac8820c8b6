"""Tables of oversight: releases of figures, frozen with their definitions, and who asked for one.

All figures here are public (P0) once released. What is hidden is not stored: no row of any table holds a count below ten.
"""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from vigil.core.ids import new_id

STATES = ("shown", "few", "withheld", "none")
UNITS = ("count", "percent", "hours")


class TsTzRange(Func):
    """`tstzrange(start, end)`: the start belongs to it, the end does not."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class ReleaseRequest(models.Model):
    """A person on the console asked for a release. The figures are computed by the process that may read what they need."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()


class Release(models.Model):
    """The figures of one period, never changed. Periods do not overlap: no figure follows from the difference of two releases.

    `document` holds what the figures mean, in both languages: titles, definitions, numerators, denominators, rule, notes.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.PositiveIntegerField(unique=True)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    released_at = models.DateTimeField()
    released_by = models.UUIDField()
    request = models.OneToOneField(ReleaseRequest, null=True, on_delete=models.PROTECT, related_name="release")
    definitions = models.CharField(max_length=16)
    document = models.JSONField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="release_period_has_length"),
            ExclusionConstraint(
                name="release_periods_do_not_overlap",
                expressions=[(TsTzRange("period_start", "period_end"), RangeOperators.OVERLAPS)],
            ),
        ]


class Figure(models.Model):
    """One number of a release, or the reason why it is not shown."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="figures")
    code = models.CharField(max_length=48)
    cell = models.CharField(max_length=32)
    position = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=8)
    state = models.CharField(max_length=8)
    value = models.PositiveIntegerField(null=True)
    numerator = models.PositiveIntegerField(null=True)
    denominator = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "code", "cell"], name="figure_once_in_a_release"),
            models.CheckConstraint(condition=Q(state__in=STATES), name="figure_state_known"),
            models.CheckConstraint(condition=Q(unit__in=UNITS), name="figure_unit_known"),
            models.CheckConstraint(
                condition=Q(state="shown", value__isnull=False)
                | (~Q(state="shown") & Q(value__isnull=True, numerator__isnull=True, denominator__isnull=True)),
                name="figure_hidden_has_no_value",
            ),
            # The second fence behind suppression.py: a count of one to nine cannot be stored at all.
            models.CheckConstraint(
                condition=~Q(unit="count") | Q(value__isnull=True) | Q(value=0) | Q(value__gte=10),
                name="figure_no_small_count",
            ),
        ]
