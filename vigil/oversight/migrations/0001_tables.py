import django.contrib.postgres.constraints
import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids
import vigil.oversight.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ReleaseRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("asked_by", models.UUIDField()),
                ("asked_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Release",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("version", models.PositiveIntegerField(unique=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("released_at", models.DateTimeField()),
                ("released_by", models.UUIDField()),
                ("definitions", models.CharField(max_length=16)),
                ("document", models.JSONField()),
                (
                    "request",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="release",
                        to="oversight.releaserequest",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Figure",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("code", models.CharField(max_length=48)),
                ("cell", models.CharField(max_length=32)),
                ("position", models.PositiveSmallIntegerField()),
                ("unit", models.CharField(max_length=8)),
                ("state", models.CharField(max_length=8)),
                ("value", models.PositiveIntegerField(null=True)),
                ("numerator", models.PositiveIntegerField(null=True)),
                ("denominator", models.PositiveIntegerField(null=True)),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="figures", to="oversight.release"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("release", "code", "cell"), name="figure_once_in_a_release"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("shown", "few", "withheld", "none"))),
                        name="figure_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("unit__in", ("count", "percent", "hours"))), name="figure_unit_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "shown"), ("value__isnull", False)),
                            models.Q(
                                models.Q(("state", "shown"), _negated=True),
                                ("denominator__isnull", True),
                                ("numerator__isnull", True),
                                ("value__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="figure_hidden_has_no_value",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("unit", "count"), _negated=True),
                            ("value__isnull", True),
                            ("value", 0),
                            ("value__gte", 10),
                            _connector="OR",
                        ),
                        name="figure_no_small_count",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(("period_end__gt", models.F("period_start"))), name="release_period_has_length"
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[(vigil.oversight.models.TsTzRange("period_start", "period_end"), "&&")],
                name="release_periods_do_not_overlap",
            ),
        ),
    ]
