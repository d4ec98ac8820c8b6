import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids
from vigil.core.migrations_sql import force_rls, grant, row_policy

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
STATES = ("known", "open", "removed_before", "back", "still_gone", "unknown")


class Migration(migrations.Migration):
    """Reported places that were seen before are linked with what is known of them; an incident names its report's partner."""

    dependencies = [("casework", "0003_image_help"), ("casework", "0003_language_of_any_hotline")]
    operations = [
        migrations.AddField("incident", "partner_id", models.UUIDField(null=True)),
        migrations.CreateModel(
            name="KnownPlace",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("link_id", models.UUIDField()),
                ("place_id", models.UUIDField(db_index=True)),
                ("state", models.CharField(default="known", max_length=16)),
                ("notice_id", models.UUIDField(null=True)),
                ("notice_number", models.CharField(blank=True, default="", max_length=10)),
                ("removal_number", models.CharField(blank=True, default="", max_length=10)),
                ("noted_at", models.DateTimeField()),
                ("looked_at", models.DateTimeField(null=True)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="known_places",
                        to="casework.incident",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["notice_id"], name="knownplace_of_notice")],
                "constraints": [
                    models.UniqueConstraint(fields=["incident", "link_id"], name="knownplace_one_per_link"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", STATES)), name="knownplace_has_known_state"
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint("step", "step_has_known_kind"),
        migrations.AddConstraint(
            "step", models.CheckConstraint(condition=models.Q(("kind__in", STEPS)), name="step_has_known_kind")
        ),
        grant("vigil_console", "SELECT", "casework_knownplace"),
        grant("vigil_worker", "SELECT, INSERT", "casework_knownplace"),
        grant(
            "vigil_worker",
            "UPDATE (state, notice_id, notice_number, removal_number, looked_at)",
            "casework_knownplace",
        ),
        force_rls("casework_knownplace"),
        row_policy(
            "casework_knownplace",
            "of_a_visible_incident",
            roles="vigil_console",
            using="EXISTS (SELECT 1 FROM casework_incident i WHERE i.id = incident_id)",
            command="SELECT",
        ),
        row_policy("casework_knownplace", "worked_by_jobs", roles="vigil_worker"),
    ]
