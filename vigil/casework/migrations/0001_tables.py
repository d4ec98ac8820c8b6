import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids


class Migration(migrations.Migration):
    """Incidents, cases, their steps and notes, and what links them to the crawl."""

    initial = True

    dependencies = [
        ("intake", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=10, unique=True)),
                ("sensitivity", models.PositiveSmallIntegerField()),
                ("band", models.PositiveSmallIntegerField()),
                ("opened_by", models.UUIDField()),
                ("opened_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["-opened_at"], name="case_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sensitivity__range", (1, 3))), name="case_has_known_sensitivity"
                    ),
                    models.CheckConstraint(condition=models.Q(("band__range", (0, 5))), name="case_has_known_band"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=10, unique=True)),
                ("situation", models.CharField(max_length=16)),
                ("band", models.PositiveSmallIntegerField()),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None),
                ),
                ("sensitivity", models.PositiveSmallIntegerField()),
                ("language", models.CharField(max_length=2)),
                ("source", models.CharField(max_length=16)),
                ("under_18", models.BooleanField()),
                ("link_count", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField()),
                ("first_look_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField()),
                ("state", models.CharField(default="open", max_length=8)),
                ("claimed_by", models.UUIDField(null=True)),
                ("claim_expires_at", models.DateTimeField(null=True)),
                ("claim_fence", models.PositiveIntegerField(default=0)),
                ("decision", models.CharField(max_length=16, null=True)),
                ("decision_reason", models.CharField(max_length=32, null=True)),
                ("decided_by", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="casework.case",
                    ),
                ),
                (
                    "duplicate_of",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="casework.incident"
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="intake.report"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
                ("written_by", models.UUIDField()),
                ("at", models.DateTimeField()),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="casework.incident"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReportedPlace",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("link_id", models.UUIDField()),
                ("place_id", models.UUIDField(null=True)),
                ("error", models.CharField(blank=True, default="", max_length=48)),
                ("asked_by", models.UUIDField()),
                ("asked_at", models.DateTimeField()),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="places", to="casework.incident"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Step",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=24)),
                ("actor_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("data", models.JSONField(default=dict)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="casework.incident"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("state", "open")),
                fields=["band", "due_at", "created_at", "id"],
                name="incident_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(condition=models.Q(("state", "open")), fields=["claimed_by"], name="incident_claims"),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(fields=("report", "situation"), name="incident_one_per_situation"),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "situation__in",
                        (
                            "enticement",
                            "threat",
                            "shared_image",
                            "seen_material",
                            "trafficking",
                            "ai_image",
                            "other",
                            "not_sure",
                        ),
                    )
                ),
                name="incident_has_known_situation",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("band__range", (0, 5))), name="incident_has_known_band"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("sensitivity__range", (1, 3))), name="incident_has_known_sensitivity"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "decided"])), name="incident_has_known_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decision__isnull", True),
                    ("decision__in", ("actionable", "out_of_scope", "duplicate", "needs_more")),
                    _connector="OR",
                ),
                name="incident_has_known_decision",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("claim_expires_at__isnull", True), ("claimed_by__isnull", True)),
                    models.Q(("claim_expires_at__isnull", False), ("claimed_by__isnull", False)),
                    _connector="OR",
                ),
                name="incident_claim_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "open"),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        ("decision__in", ["actionable", "out_of_scope", "duplicate"]),
                        ("decision_reason__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="incident_decided_by_somebody_for_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decision", "duplicate"), ("duplicate_of__isnull", False)),
                    models.Q(
                        models.Q(
                            models.Q(("decision", "duplicate"), _negated=True),
                            ("decision__isnull", True),
                            _connector="OR",
                        ),
                        ("duplicate_of__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="incident_duplicate_of_something",
            ),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["incident", "at"], name="note_of_incident"),
        ),
        migrations.AddConstraint(
            model_name="reportedplace",
            constraint=models.UniqueConstraint(fields=("incident", "link_id"), name="reportedplace_one_per_link"),
        ),
        migrations.AddIndex(
            model_name="step",
            index=models.Index(fields=["incident", "at"], name="step_of_incident"),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        (
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
                        ),
                    )
                ),
                name="step_has_known_kind",
            ),
        ),
    ]
