from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """A host with many places is given back quickly: whether something urgent waits is read from a small index."""

    dependencies = [("crawl", "0002_grants")]
    operations = [
        migrations.AddIndex(
            model_name="place",
            index=models.Index(fields=["host"], condition=Q(is_urgent=True), name="place_urgent"),
        ),
    ]
