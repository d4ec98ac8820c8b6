import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids


class Migration(migrations.Migration):
    """The frontier, what was seen, and checks of places."""

    initial = True

    dependencies = [
        ("lists", "0002_grants_feed_and_independence"),
    ]

    operations = [
        migrations.CreateModel(
            name="Host",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("digest", models.BinaryField(unique=True)),
                ("sealed", models.BinaryField()),
                ("due_at", models.DateTimeField()),
                ("is_urgent", models.BooleanField(default=False)),
                ("not_before", models.DateTimeField()),
                ("lease_until", models.DateTimeField()),
                ("fence", models.BigIntegerField(default=0)),
                ("leased_by", models.CharField(default="", max_length=64)),
                ("failures", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["-is_urgent", "due_at"], name="host_due")],
            },
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("url_digest", models.BinaryField(unique=True)),
                ("url_sealed", models.BinaryField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("page", "Page"), ("image", "Image"), ("unknown", "Unknown")],
                        default="unknown",
                        max_length=8,
                    ),
                ),
                ("depth", models.PositiveSmallIntegerField(default=0)),
                ("is_urgent", models.BooleanField(default=False)),
                ("next_at", models.DateTimeField()),
                ("found_at", models.DateTimeField()),
                ("tried_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(default="", max_length=24)),
                ("failures", models.PositiveIntegerField(default=0)),
                (
                    "host",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="places", to="crawl.host"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("incident_id", models.UUIDField()),
                ("sha256", models.BinaryField()),
                ("md5", models.BinaryField()),
                ("pdq", models.BinaryField()),
                ("quality", models.PositiveSmallIntegerField()),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("seen_at", models.DateTimeField()),
                (
                    "page_place",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crawl.place"
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="candidates", to="crawl.place"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Seed",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("incident_id", models.UUIDField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(default="", max_length=24)),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seeds", to="crawl.place"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Shown",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField()),
                (
                    "media",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shown_on", to="crawl.place"
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shows", to="crawl.place"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Sighting",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=10, unique=True)),
                ("match", models.CharField(max_length=8)),
                ("distance", models.PositiveSmallIntegerField()),
                ("orientation", models.PositiveSmallIntegerField()),
                ("feed_version", models.BigIntegerField()),
                ("seen_at", models.DateTimeField()),
                ("server_address", models.GenericIPAddressField(null=True)),
                ("sensitivity", models.PositiveSmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[("proposed", "Proposed"), ("confirmed", "Confirmed"), ("rejected", "Rejected")],
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(default="", max_length=32)),
                ("decided_by", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "entry",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="lists.entry"),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="sightings", to="crawl.place"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Check",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("asked_by_kind", models.CharField(max_length=16)),
                ("asked_for", models.UUIDField()),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                ("verdict", models.CharField(default="", max_length=8)),
                ("detail", models.CharField(default="", max_length=32)),
                ("status", models.PositiveSmallIntegerField(default=0)),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="checks", to="crawl.place"
                    ),
                ),
                (
                    "sighting",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checks",
                        to="crawl.sighting",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("outcome", models.CharField(max_length=24)),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("server_address", models.GenericIPAddressField(null=True)),
                ("redirects", models.PositiveSmallIntegerField(default=0)),
                ("milliseconds", models.PositiveIntegerField(default=0)),
                ("size_bytes", models.PositiveIntegerField(default=0)),
                ("fence", models.BigIntegerField()),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="visits", to="crawl.place"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "place",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="reading",
                        serialize=False,
                        to="crawl.place",
                    ),
                ),
                ("sha256", models.BinaryField()),
                ("md5", models.BinaryField()),
                ("pdqs", models.BinaryField()),
                ("quality", models.PositiveSmallIntegerField()),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("read_at", models.DateTimeField()),
                ("server_address", models.GenericIPAddressField(null=True)),
                ("matched_version", models.BigIntegerField()),
                ("is_late", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("is_late", True)), fields=["read_at"], name="reading_late")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="place",
            index=models.Index(fields=["host", "next_at"], name="place_due"),
        ),
        migrations.AddConstraint(
            model_name="place",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["page", "image", "unknown"])), name="place_has_a_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.UniqueConstraint(
                fields=("incident_id", "place", "sha256"), name="candidate_once_per_incident"
            ),
        ),
        migrations.AddIndex(
            model_name="seed",
            index=models.Index(fields=["incident_id"], name="seed_of_incident"),
        ),
        migrations.AddConstraint(
            model_name="seed",
            constraint=models.UniqueConstraint(fields=("place", "incident_id"), name="seed_once_per_incident"),
        ),
        migrations.AddConstraint(
            model_name="seed",
            constraint=models.UniqueConstraint(
                condition=models.Q(("incident_id", None)), fields=("place",), name="seed_once_to_watch"
            ),
        ),
        migrations.AddConstraint(
            model_name="shown",
            constraint=models.UniqueConstraint(fields=("page", "media"), name="shown_once_per_page"),
        ),
        migrations.AddIndex(
            model_name="sighting",
            index=models.Index(fields=["state", "seen_at"], name="sighting_to_decide"),
        ),
        migrations.AddConstraint(
            model_name="sighting",
            constraint=models.UniqueConstraint(fields=("place", "entry"), name="sighting_once_per_place_and_entry"),
        ),
        migrations.AddConstraint(
            model_name="sighting",
            constraint=models.CheckConstraint(
                condition=models.Q(("match__in", ["exact", "near"])), name="sighting_is_exact_or_near"
            ),
        ),
        migrations.AddConstraint(
            model_name="sighting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("state", "proposed")),
                    models.Q(("state__in", ["confirmed", "rejected"]), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="sighting_decided_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="sighting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "confirmed"), _negated=True),
                    ("match", "exact"),
                    ("decided_by__isnull", False),
                    _connector="OR",
                ),
                name="sighting_near_needs_a_person",
            ),
        ),
        migrations.AddIndex(
            model_name="check",
            index=models.Index(condition=models.Q(("done_at", None)), fields=["due_at"], name="check_open"),
        ),
        migrations.AddConstraint(
            model_name="check",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at", None), ("verdict", "")),
                    models.Q(("done_at__isnull", False), ("verdict__in", ["up", "down", "unknown"])),
                    _connector="OR",
                ),
                name="check_done_has_a_verdict",
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["place", "at"], name="visit_of_place"),
        ),
    ]
