from django.db import migrations

from vigil.core.migrations_sql import grant, row_policy


class Migration(migrations.Migration):
    """The worker deletes sessions that are over and attempts that are a month old. It never reads what a session holds."""

    dependencies = [("accounts", "0004_grants_and_policies")]
    operations = [
        grant("vigil_worker", "SELECT (session_key, expire_date), DELETE", "accounts_session"),
        row_policy("accounts_session", "session_over", roles="vigil_worker", using="expire_date < now()"),
        grant("vigil_worker", "SELECT, DELETE", "axes_accessattempt, axes_accessattemptexpiration"),
    ]
