from django.conf import settings
from django.db import migrations, models
from django.db.models import deletion

from vigil.core.migrations_sql import grant


class Migration(migrations.Migration):
    """One-use sign-in links, for trying."""

    initial = True
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("core", "0002_grants_and_event_trigger"),
    ]
    operations = [
        migrations.CreateModel(
            name="SignInLink",
            fields=[
                ("token_hash", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("person", models.ForeignKey(on_delete=deletion.CASCADE, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        grant("vigil_console, vigil_partner", "SELECT, UPDATE", "vigil_demo_signinlink"),
    ]
