from django.conf import settings
from django.db import migrations

from vigil.core.migrations_sql import EVERY_ROLE, grant

ACTOR_FUNCTION = """
CREATE FUNCTION vigil_actor() RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    -- Unset and '' both fail loudly here: a forgotten actor must never look like an empty table.
    RETURN current_setting('vigil.actor')::uuid;
END $$;
"""

# Web roles cannot touch procrastinate's tables: the trigger, as owner, defers one fixed task with the event's id.
EVENT_TRIGGER = """
CREATE FUNCTION core_defer_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'events', 'vigil.core.handle_event', 0, NULL, NULL, jsonb_build_object('event_id', NEW.id::text), NULL
    )::procrastinate_job_to_defer_v1]);
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION core_defer_event() FROM PUBLIC;
CREATE TRIGGER core_event_defers AFTER INSERT ON core_event FOR EACH ROW EXECUTE FUNCTION core_defer_event();
"""

PROCRASTINATE = "procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers"
PROCRASTINATE_SEQUENCES = "procrastinate_jobs_id_seq, procrastinate_events_id_seq, procrastinate_periodic_defers_id_seq, procrastinate_workers_id_seq"


def let_the_demonstration_move_the_clock(apps, schema_editor):
    if settings.CLOCK_MAY_DRIFT:
        schema_editor.execute(
            "GRANT INSERT, UPDATE ON core_clock TO vigil_console, vigil_worker, vigil_stats, vigil_crawl"
        )


class Migration(migrations.Migration):
    """Who may touch the shared tables; events ask the worker to look."""

    dependencies = [("core", "0001_tables"), ("procrastinate", "0041_post_retry_failed_job")]
    operations = [
        migrations.RunSQL(
            f"REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {EVERY_ROLE}",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL("INSERT INTO core_clock (id, offset_seconds) VALUES (true, 0)", migrations.RunSQL.noop),
        migrations.RunSQL(ACTOR_FUNCTION, "DROP FUNCTION vigil_actor()"),
        migrations.RunSQL(
            EVENT_TRIGGER, "DROP TRIGGER core_event_defers ON core_event; DROP FUNCTION core_defer_event()"
        ),
        grant(EVERY_ROLE, "SELECT", "core_clock"),
        grant(
            "vigil_public, vigil_console, vigil_partner, vigil_wire, vigil_worker, vigil_crawl", "INSERT", "core_number"
        ),
        grant(
            "vigil_console, vigil_partner, vigil_wire, vigil_worker, vigil_crawl, vigil_stats", "SELECT", "core_number"
        ),
        grant(
            "vigil_public, vigil_console, vigil_partner, vigil_wire, vigil_worker, vigil_crawl, vigil_stats",
            "INSERT",
            "core_event",
        ),
        grant("vigil_worker, vigil_stats", "SELECT", "core_event"),
        grant("vigil_worker", "SELECT, INSERT", "core_eventhandled"),
        grant("vigil_worker", "USAGE", "SEQUENCE core_eventhandled_id_seq"),
        grant(
            "vigil_public, vigil_console, vigil_partner, vigil_wire, vigil_worker, vigil_crawl",
            "INSERT",
            "core_envelope",
        ),
        grant("vigil_keyd", "SELECT, DELETE", "core_envelope"),
        grant("vigil_worker", "SELECT, INSERT, UPDATE, DELETE", PROCRASTINATE),
        grant("vigil_worker", "USAGE", f"SEQUENCE {PROCRASTINATE_SEQUENCES}"),
        migrations.RunPython(let_the_demonstration_move_the_clock, migrations.RunPython.noop),
    ]
