from django.db import migrations, models


class Migration(migrations.Migration):
    """An incident keeps its report's language, which is any public language of the installation. Step 1 of 1."""

    dependencies = [("casework", "0002_grants_and_policies")]
    operations = [
        migrations.AlterField(
            model_name="incident",
            name="language",
            field=models.CharField(max_length=16),
        ),
    ]
