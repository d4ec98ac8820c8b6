from django.db import migrations, models
from django.db.models import Q, deletion


class Migration(migrations.Migration):
    """The tables that every room shares: numbers, events, envelopes, the clock's offset."""

    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.CreateModel(
            name="Number",
            fields=[
                ("number", models.CharField(max_length=10, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=16)),
                ("subject_id", models.UUIDField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["kind", "subject_id"], name="number_one_per_subject")]
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=64)),
                ("subject_id", models.UUIDField()),
                ("actor_id", models.UUIDField()),
                ("actor_kind", models.CharField(max_length=16)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["kind", "at"], name="event_kind_at"),
                    models.Index(fields=["subject_id"], name="event_subject"),
                ]
            },
        ),
        migrations.CreateModel(
            name="EventHandled",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("handler", models.CharField(max_length=128)),
                ("event", models.ForeignKey(on_delete=deletion.PROTECT, to="core.event")),
            ],
            options={"constraints": [models.UniqueConstraint(fields=["event", "handler"], name="event_handled_once")]},
        ),
        migrations.CreateModel(
            name="Envelope",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("record_id", models.UUIDField()),
                ("klass", models.CharField(max_length=16)),
                ("key_id", models.CharField(max_length=32)),
                ("sealed", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["record_id", "klass"], name="envelope_one_per_record_and_class")
                ]
            },
        ),
        migrations.CreateModel(
            name="Clock",
            fields=[
                ("id", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("offset_seconds", models.FloatField(default=0.0)),
            ],
            options={
                "db_table": "core_clock",
                "constraints": [models.CheckConstraint(condition=Q(id=True), name="clock_has_one_row")],
            },
        ),
    ]
