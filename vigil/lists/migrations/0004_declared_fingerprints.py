import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Fingerprints that people declare of their own pictures, and their feed: apart from the entries."""

    dependencies = [
        ("lists", "0003_rules_held_by_the_database"),
    ]

    operations = [
        migrations.CreateModel(
            name="Declared",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("case_id", models.UUIDField()),
                ("kind", models.CharField(max_length=4)),
                ("value", models.BinaryField()),
                ("quality", models.PositiveSmallIntegerField(null=True)),
                ("listed_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["case_id"], name="declared_of_case")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("kind__in", ["pdq", "md5"])), name="declared_kind_known")
                ],
            },
        ),
        migrations.CreateModel(
            name="DeclaredFeedRow",
            fields=[
                ("version", models.BigIntegerField(primary_key=True, serialize=False)),
                ("change", models.CharField(max_length=16)),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=4)),
                ("value", models.BinaryField()),
                (
                    "declared",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="feed_rows", to="lists.declared"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("change__in", ["publish", "withdraw"])), name="declared_change_known"
                    ),
                    models.UniqueConstraint(fields=("declared", "change"), name="declared_changes_once_each"),
                ],
            },
        ),
    ]
