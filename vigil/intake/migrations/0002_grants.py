from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

# The reporter's own thread: found by number, opened by the secret outside the database. The number is random (45 bits).
THREAD_FUNCTIONS = """
CREATE FUNCTION intake_thread_by_number(wanted text)
RETURNS TABLE (report_id uuid, salt bytea, wrapped_key bytea, state text, language text, under_18 boolean, has_contact boolean,
               submitted_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT r.id, t.salt, t.wrapped_key, t.state::text, r.language::text, r.under_18, r.contact IS NOT NULL, r.submitted_at
    FROM intake_report r JOIN intake_thread t ON t.report_id = r.id WHERE r.number = wanted
$$;

CREATE FUNCTION intake_messages_by_number(wanted text)
RETURNS TABLE (id uuid, direction text, body bytea, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT m.id, m.direction::text, m.body, m.at
    FROM intake_report r JOIN intake_message m ON m.thread_id = r.id WHERE r.number = wanted ORDER BY m.at, m.id
$$;

-- True when the message is new; the same id again changes nothing (a form sent twice).
CREATE FUNCTION intake_add_message(wanted text, message_id uuid, message_body bytea, message_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE thread_report uuid;
BEGIN
    SELECT r.id INTO thread_report FROM intake_report r JOIN intake_thread t ON t.report_id = r.id
        WHERE r.number = wanted FOR UPDATE OF t;
    IF thread_report IS NULL THEN RETURN false; END IF;
    INSERT INTO intake_message (id, thread_id, direction, body, at)
        VALUES (message_id, thread_report, 'reporter', message_body, message_at) ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE intake_thread SET state = 'read' WHERE report_id = thread_report AND state = 'question';
    RETURN true;
END $$;

CREATE FUNCTION intake_withdraw_contact(wanted text, withdrawn_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE withdrawn_report uuid;
BEGIN
    UPDATE intake_report SET contact = NULL WHERE number = wanted AND contact IS NOT NULL RETURNING id INTO withdrawn_report;
    IF withdrawn_report IS NULL THEN RETURN false; END IF;
    UPDATE intake_thread SET contact_withdrawn_at = withdrawn_at WHERE report_id = withdrawn_report;
    RETURN true;
END $$;
"""
FUNCTIONS = (
    "intake_thread_by_number(text), intake_messages_by_number(text), "
    "intake_add_message(text, uuid, bytea, timestamptz), intake_withdraw_contact(text, timestamptz)"
)
STAFF_TABLES = ("intake_report", "intake_reportlink", "intake_thread", "intake_message")


class Migration(migrations.Migration):
    """The public door writes reports and cannot read one; staff read them as somebody; a reporter's thread goes by function."""

    dependencies = [("intake", "0001_tables"), ("core", "0002_grants_and_event_trigger")]
    operations = [
        # Drafts: the public door alone, one row at a time: the row whose digest the transaction names.
        force_rls("intake_draft"),
        grant("vigil_public", "SELECT, INSERT, UPDATE, DELETE", "intake_draft"),
        row_policy(
            "intake_draft", "draft_own", roles="vigil_public", using="token_hash = current_setting('vigil.draft')"
        ),
        grant("vigil_worker", "SELECT (token_hash, expires_at), DELETE", "intake_draft"),
        row_policy("intake_draft", "draft_expired", roles="vigil_worker", using="true"),
        # Reports and what hangs on them.
        *[force_rls(table) for table in STAFF_TABLES],
        *[grant("vigil_public", "INSERT", table) for table in ("intake_report", "intake_reportlink", "intake_thread")],
        *[
            row_policy(table, "written_by_public", roles="vigil_public", check="true", command="INSERT")
            for table in ("intake_report", "intake_reportlink", "intake_thread")
        ],
        *[grant("vigil_console, vigil_worker", "SELECT", table) for table in STAFF_TABLES],
        *[
            row_policy(
                table, "read_by_staff", roles="vigil_console", using="vigil_actor() IS NOT NULL", command="SELECT"
            )
            for table in STAFF_TABLES
        ],
        *[
            row_policy(table, "read_by_worker", roles="vigil_worker", using="true", command="SELECT")
            for table in STAFF_TABLES
        ],
        grant("vigil_console", "UPDATE (state)", "intake_thread"),
        row_policy(
            "intake_thread",
            "state_by_staff",
            roles="vigil_console",
            using="vigil_actor() IS NOT NULL",
            command="UPDATE",
        ),
        grant("vigil_console", "INSERT", "intake_message"),
        row_policy(
            "intake_message",
            "asked_by_staff",
            roles="vigil_console",
            check="vigil_actor() IS NOT NULL AND direction = 'staff'",
            command="INSERT",
        ),
        grant("vigil_worker", "UPDATE (blind_index)", "intake_reportlink"),
        row_policy("intake_reportlink", "indexed_by_worker", roles="vigil_worker", using="true", command="UPDATE"),
        # Figures: codes and times, no words.
        grant(
            "vigil_stats",
            "SELECT (id, number, submitted_at, language, source, question_set, answers, under_18)",
            "intake_report",
        ),
        row_policy("intake_report", "counted_by_stats", roles="vigil_stats", using="true", command="SELECT"),
        migrations.RunSQL(
            f"{THREAD_FUNCTIONS} REVOKE ALL ON FUNCTION {FUNCTIONS} FROM PUBLIC; "
            f"GRANT EXECUTE ON FUNCTION {FUNCTIONS} TO vigil_public",
            f"DROP FUNCTION {FUNCTIONS}",
        ),
    ]
