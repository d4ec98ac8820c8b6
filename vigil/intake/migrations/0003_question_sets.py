import django.db.models.deletion
from django.db import migrations, models

from vigil.core.migrations_sql import grant


class Migration(migrations.Migration):
    """Reports keep the question set that asked them, what the answers mean, and further words, encrypted."""

    dependencies = [("intake", "0003_any_public_language")]
    operations = [
        migrations.CreateModel(
            name="AskedQuestions",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=40)),
                ("body", models.TextField()),
                ("first_asked_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="report",
            name="asked",
            field=models.ForeignKey(
                db_column="asked_digest",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="intake.askedquestions",
            ),
        ),
        migrations.AddField(model_name="report", name="signals", field=models.JSONField(null=True)),
        migrations.AddField(model_name="report", name="words", field=models.BinaryField(null=True)),
        migrations.AlterField(model_name="report", name="question_set", field=models.CharField(max_length=40)),
        # A question set says nothing about anybody: whoever takes reports in stores it once and reads it.
        grant("vigil_public, vigil_console, vigil_worker", "SELECT, INSERT", "intake_askedquestions"),
        grant("vigil_stats", "SELECT (signals)", "intake_report"),
    ]
