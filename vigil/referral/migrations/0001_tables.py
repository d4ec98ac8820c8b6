import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0004_grants_and_policies"),
    ]

    operations = [
        migrations.CreateModel(
            name="Package",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.CharField(max_length=10, unique=True)),
                ("case_id", models.UUIDField(db_index=True)),
                ("case_number", models.CharField(max_length=10)),
                ("sensitivity", models.PositiveSmallIntegerField()),
                ("band", models.PositiveSmallIntegerField()),
                ("language", models.CharField(max_length=2)),
                ("state", models.CharField(default="draft", max_length=16)),
                ("asked_by", models.UUIDField()),
                ("asked_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_failure", models.CharField(blank=True, max_length=64)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("sealed", models.BinaryField(null=True)),
                ("size_bytes", models.PositiveIntegerField(null=True)),
                ("manifest", models.JSONField(null=True)),
                ("manifest_digest", models.CharField(blank=True, max_length=64)),
                ("pages", models.PositiveSmallIntegerField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("acknowledged_by", models.UUIDField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                (
                    "agency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.agency"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Outcome",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.CharField(max_length=10, unique=True)),
                ("kind", models.CharField(max_length=16)),
                ("by", models.UUIDField()),
                ("at", models.DateTimeField()),
                (
                    "package",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="outcomes", to="referral.package"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Download",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("by", models.UUIDField()),
                ("at", models.DateTimeField()),
                (
                    "package",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="downloads", to="referral.package"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="package",
            index=models.Index(fields=["agency", "-sent_at"], name="package_inbox"),
        ),
        migrations.AddIndex(
            model_name="package",
            index=models.Index(condition=models.Q(("state", "draft")), fields=["next_try_at"], name="package_to_build"),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ("draft", "sent", "acknowledged", "closed"))),
                name="package_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(
                condition=models.Q(("sensitivity__gte", 1), ("sensitivity__lte", 3)), name="package_sensitivity_1_to_3"
            ),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["en", "fr"])), name="package_language_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sent_at__isnull", True), ("state", "draft")),
                    models.Q(
                        models.Q(("state", "draft"), _negated=True),
                        ("manifest__isnull", False),
                        ("sealed__isnull", False),
                        ("sent_at__isnull", False),
                        models.Q(("manifest_digest", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="package_sent_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="package",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("acknowledged_at__isnull", True), ("state__in", ["draft", "sent"])),
                    models.Q(
                        ("acknowledged_at__isnull", False),
                        ("acknowledged_by__isnull", False),
                        ("state__in", ["acknowledged", "closed"]),
                    ),
                    _connector="OR",
                ),
                name="package_acknowledged_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="outcome",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("child_safe", "identified", "charged", "no_action", "other"))),
                name="outcome_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="outcome",
            constraint=models.UniqueConstraint(fields=("package", "kind"), name="outcome_once_of_each_kind"),
        ),
    ]
