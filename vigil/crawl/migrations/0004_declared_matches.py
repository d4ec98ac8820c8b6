import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids
from vigil.core.migrations_sql import grant


class Migration(migrations.Migration):
    """Matches against declared fingerprints, apart from sightings: fetchers and jobs write them, staff read them."""

    dependencies = [
        ("crawl", "0003_urgent_places"),
        ("lists", "0005_declared_grants_and_feed"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeclaredMatch",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("help_case_id", models.UUIDField()),
                ("match", models.CharField(max_length=8)),
                ("distance", models.PositiveSmallIntegerField()),
                ("orientation", models.PositiveSmallIntegerField()),
                ("feed_version", models.BigIntegerField()),
                ("seen_at", models.DateTimeField()),
                ("sha256", models.BinaryField()),
                ("md5", models.BinaryField()),
                ("pdq", models.BinaryField()),
                ("quality", models.PositiveSmallIntegerField()),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                (
                    "declared",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="lists.declared"
                    ),
                ),
                (
                    "page_place",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crawl.place"
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="declared_matches", to="crawl.place"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("place", "declared"), name="declaredmatch_once_per_place"),
                    models.CheckConstraint(
                        condition=models.Q(("match__in", ["near", "md5"])), name="declaredmatch_known_match"
                    ),
                ],
            },
        ),
        grant("vigil_crawl, vigil_worker", "SELECT, INSERT", "crawl_declaredmatch"),
        grant("vigil_console", "SELECT", "crawl_declaredmatch"),
        grant("vigil_stats", "SELECT (id, declared_id, help_case_id, match, distance, seen_at)", "crawl_declaredmatch"),
        # A job puts what matched among an incident's candidates.
        grant("vigil_worker", "INSERT", "crawl_candidate"),
    ]
