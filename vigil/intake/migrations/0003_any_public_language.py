from django.db import migrations, models


class Migration(migrations.Migration):
    """A report may be in any public language of its installation, which the hotline's own file names. Step 1 of 1."""

    dependencies = [("intake", "0002_grants")]
    operations = [
        migrations.RemoveConstraint(model_name="report", name="report_has_language"),
        migrations.AlterField(model_name="report", name="language", field=models.CharField(max_length=16)),
        migrations.AddConstraint(
            model_name="report",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__regex", "^[a-z]{2,3}(-[a-z0-9]{2,8})*$")), name="report_has_language"
            ),
        ),
    ]
