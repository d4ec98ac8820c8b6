import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids


class Migration(migrations.Migration):
    """Half-filled reports, reports, their links, threads and messages."""

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("direction", models.CharField(max_length=8)),
                ("body", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=10, unique=True)),
                ("submitted_at", models.DateTimeField()),
                ("language", models.CharField(max_length=2)),
                ("source", models.CharField(max_length=16)),
                ("question_set", models.CharField(max_length=16)),
                ("answers", models.JSONField()),
                ("under_18", models.BooleanField()),
                ("narrative", models.BinaryField(null=True)),
                ("contact", models.BinaryField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReportLink",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("position", models.PositiveSmallIntegerField()),
                ("kind", models.CharField(max_length=8)),
                ("value", models.BinaryField()),
                ("blind_index", models.BinaryField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("token_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="draft_expires")],
            },
        ),
        migrations.CreateModel(
            name="Thread",
            fields=[
                (
                    "report",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="thread",
                        serialize=False,
                        to="intake.report",
                    ),
                ),
                ("salt", models.BinaryField()),
                ("wrapped_key", models.BinaryField()),
                ("state", models.CharField(default="received", max_length=8)),
                ("contact_withdrawn_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddIndex(
            model_name="report",
            index=models.Index(fields=["submitted_at"], name="report_submitted"),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["en", "fr"])), name="report_has_language"
            ),
        ),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["web", "phone", "wire"])), name="report_has_known_source"
            ),
        ),
        migrations.AddField(
            model_name="reportlink",
            name="report",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="links", to="intake.report"
            ),
        ),
        migrations.AddConstraint(
            model_name="thread",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["received", "read", "question", "closed"])),
                name="thread_has_known_state",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="thread",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="messages", to="intake.thread"
            ),
        ),
        migrations.AddConstraint(
            model_name="reportlink",
            constraint=models.UniqueConstraint(fields=("report", "position"), name="reportlink_one_per_position"),
        ),
        migrations.AddConstraint(
            model_name="reportlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["link", "handle"])), name="reportlink_has_known_kind"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["thread", "at"], name="message_thread_at"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("direction__in", ["reporter", "staff"])), name="message_has_known_direction"
            ),
        ),
    ]
