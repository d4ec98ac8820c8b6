import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids


class Migration(migrations.Migration):
    """What is half filled in, image-help cases, their fingerprints, and where a person says a picture is."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="HelpCase",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=10, unique=True)),
                ("opened_at", models.DateTimeField()),
                ("language", models.CharField(max_length=16)),
                ("who", models.CharField(max_length=8)),
                ("age", models.CharField(max_length=8)),
                ("threat", models.CharField(blank=True, max_length=4)),
                ("report_id", models.UUIDField(default=vigil.core.ids.new_id, unique=True)),
                ("state", models.CharField(default="open", max_length=12)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_reason", models.CharField(blank=True, max_length=16)),
                ("salt", models.BinaryField()),
                ("wrapped_key", models.BinaryField()),
            ],
            options={
                "indexes": [models.Index(fields=["-opened_at"], name="help_case_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("language__regex", "^[a-z]{2,3}(-[a-z0-9]{2,8})*$")),
                        name="help_case_has_language",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("who__in", ("me", "someone"))), name="help_case_known_who"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("age__in", ("under_18", "18_plus", "not_sure"))), name="help_case_known_age"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("threat__in", ("yes", "no", ""))), name="help_case_known_threat"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", True), ("state", "open")),
                            models.Q(("ended_at__isnull", False), ("state__in", ("withdrawn", "set_aside"))),
                            _connector="OR",
                        ),
                        name="help_case_ended_has_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HelpDraft",
            fields=[
                ("token_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="help_draft_expires")],
            },
        ),
        migrations.CreateModel(
            name="HelpFingerprint",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("position", models.PositiveSmallIntegerField()),
                ("kind", models.CharField(max_length=4)),
                ("value", models.BinaryField()),
                ("quality", models.PositiveSmallIntegerField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fingerprints",
                        to="imagehelp.helpcase",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("case", "position"), name="help_fingerprint_one_per_position"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "pdq"), ("quality__range", (0, 100))),
                            models.Q(("kind", "md5"), ("quality__isnull", True)),
                            _connector="OR",
                        ),
                        name="help_fingerprint_known_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HelpLink",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("position", models.PositiveSmallIntegerField()),
                ("kind", models.CharField(max_length=8)),
                ("value", models.BinaryField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="links", to="imagehelp.helpcase"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("case", "position"), name="help_link_one_per_position"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["link", "handle"])), name="help_link_known_kind"
                    ),
                ],
            },
        ),
    ]
