from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

CONSOLE, WORKER, STATS = "vigil_console", "vigil_worker", "vigil_stats"
WITH_SENSITIVITY = ("casework_case", "casework_incident")
OF_AN_INCIDENT = ("casework_step", "casework_note", "casework_reportedplace")
# The subselect is evaluated once for a query, not once for each row.
WITHIN_CLEARANCE = "sensitivity <= (SELECT vigil_clearance())"
# The subselect runs as whoever asks, so the incident's own policy decides.
OF_A_VISIBLE_INCIDENT = "EXISTS (SELECT 1 FROM casework_incident i WHERE i.id = incident_id)"

# Rule 6 of the design, held by the database too: a case is at least as protected as everything in it, and never less than before.
NEVER_WIDENS = """
CREATE FUNCTION casework_case_never_widens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.sensitivity < OLD.sensitivity THEN
        RAISE EXCEPTION 'a case never becomes less protected' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER case_never_widens BEFORE UPDATE ON casework_case FOR EACH ROW EXECUTE FUNCTION casework_case_never_widens();

CREATE FUNCTION casework_case_covers_incident() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM casework_case c WHERE c.id = NEW.case_id AND c.sensitivity < NEW.sensitivity) THEN
        RAISE EXCEPTION 'a case is at least as protected as its incidents' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION casework_case_covers_incident() FROM PUBLIC;
CREATE TRIGGER incident_covered_by_case AFTER INSERT OR UPDATE ON casework_incident
    FOR EACH ROW EXECUTE FUNCTION casework_case_covers_incident();
"""
REMOVED = """
DROP TRIGGER incident_covered_by_case ON casework_incident; DROP FUNCTION casework_case_covers_incident();
DROP TRIGGER case_never_widens ON casework_case; DROP FUNCTION casework_case_never_widens();
"""


class Migration(migrations.Migration):
    """Staff see what their clearance reaches; the worker opens incidents; figures are counted without notes."""

    dependencies = [("casework", "0001_tables"), ("accounts", "0004_grants_and_policies")]
    operations = [
        *[force_rls(table) for table in (*WITH_SENSITIVITY, *OF_AN_INCIDENT)],
        # The console works on incidents; it does not make them, and does not change what they say about the report.
        grant(CONSOLE, "SELECT, INSERT, UPDATE (sensitivity, band)", "casework_case"),
        grant(
            CONSOLE,
            "SELECT, UPDATE (first_look_at, due_at, state, claimed_by, claim_expires_at, claim_fence, case_id, decision, "
            "decision_reason, duplicate_of_id, decided_by, decided_at)",
            "casework_incident",
        ),
        grant(CONSOLE, "SELECT, INSERT", "casework_step"),
        grant(CONSOLE, "SELECT, INSERT", "casework_note"),
        grant(CONSOLE, "SELECT, INSERT, UPDATE (place_id, error, asked_by, asked_at)", "casework_reportedplace"),
        *[row_policy(table, "within_clearance", roles=CONSOLE, using=WITHIN_CLEARANCE) for table in WITH_SENSITIVITY],
        *[
            row_policy(table, "of_a_visible_incident", roles=CONSOLE, using=OF_A_VISIBLE_INCIDENT)
            for table in OF_AN_INCIDENT
        ],
        # Jobs: incidents are opened here; cases and places are read for packages and notices.
        grant(WORKER, "SELECT, INSERT", "casework_incident"),
        grant(WORKER, "SELECT, INSERT", "casework_step"),
        *[grant(WORKER, "SELECT", table) for table in ("casework_case", "casework_reportedplace")],
        *[
            row_policy(table, "worked_by_jobs", roles=WORKER)
            for table in (*WITH_SENSITIVITY, "casework_step", "casework_reportedplace")
        ],
        *[grant(STATS, "SELECT", table) for table in (*WITH_SENSITIVITY, "casework_step")],
        *[
            row_policy(table, "counted", roles=STATS, command="SELECT")
            for table in (*WITH_SENSITIVITY, "casework_step")
        ],
        migrations.RunSQL(NEVER_WIDENS, REMOVED),
    ]
