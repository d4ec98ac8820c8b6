from django.db import migrations

from vigil.core.migrations_sql import grant

# The public reads what was released, and neither who released it nor who asked.
PUBLIC_RELEASE = "id, version, period_start, period_end, released_at, definitions, document"


class Migration(migrations.Migration):
    """The statistics role writes releases and nobody changes one; the public reads them; staff ask for one."""

    dependencies = [("oversight", "0001_tables"), ("core", "0002_grants_and_event_trigger")]
    operations = [
        grant("vigil_stats", "SELECT, INSERT", "oversight_release"),
        grant("vigil_stats", "SELECT, INSERT", "oversight_figure"),
        grant("vigil_stats", "SELECT", "oversight_releaserequest"),
        grant("vigil_public", f"SELECT ({PUBLIC_RELEASE})", "oversight_release"),
        grant("vigil_public", "SELECT", "oversight_figure"),
        # The worker only looks whether somebody waits.
        grant("vigil_worker", "SELECT (version, period_end)", "oversight_release"),
        grant("vigil_worker", "SELECT", "oversight_releaserequest"),
        grant("vigil_console", "SELECT", "oversight_release"),
        grant("vigil_console", "SELECT", "oversight_figure"),
        grant("vigil_console", "SELECT, INSERT", "oversight_releaserequest"),
    ]
