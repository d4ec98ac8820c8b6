from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

# Held by the database, whatever the code does: nothing is published without two verdicts of two human beings who looked,
# neither of them the proposer.
INDEPENDENCE = """
CREATE FUNCTION lists_published_needs_two() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state IN ('published', 'withdrawn') AND (
        SELECT count(DISTINCT assessor.identity_id)
        FROM lists_assessment a
        JOIN lists_look l ON l.id = a.look_id AND l.entry_id = a.entry_id AND l.assessor_id = a.assessor_id
            AND l.delivered_at IS NOT NULL
        JOIN accounts_person assessor ON assessor.id = a.assessor_id
        JOIN accounts_person proposer ON proposer.id = NEW.proposed_by_id
        WHERE a.entry_id = NEW.id AND a.verdict = 'illegal' AND assessor.identity_id <> proposer.identity_id
    ) < 2 THEN
        RAISE EXCEPTION 'an entry is published by two assessors who looked' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION lists_published_needs_two() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER entry_published_needs_two AFTER INSERT OR UPDATE ON lists_entry
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION lists_published_needs_two();
"""

FEED = """
INSERT INTO lists_feedcounter (id, version) VALUES (true, 0);
CREATE FUNCTION lists_feed_is_gapless() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM lists_feedrow) THEN
        RAISE EXCEPTION 'the feed has no gaps' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION lists_feed_is_gapless() FROM PUBLIC;
CREATE TRIGGER feed_is_gapless BEFORE INSERT ON lists_feedrow FOR EACH ROW EXECUTE FUNCTION lists_feed_is_gapless();
"""

READERS = "vigil_worker, vigil_crawl, vigil_stats"


class Migration(migrations.Migration):
    """Who may touch the list; the rules that the database holds itself."""

    dependencies = [("lists", "0001_tables"), ("accounts", "0004_grants_and_policies")]
    operations = [
        migrations.RunSQL(INDEPENDENCE, "DROP FUNCTION lists_published_needs_two() CASCADE"),
        migrations.RunSQL(FEED, "DROP FUNCTION lists_feed_is_gapless() CASCADE"),
        grant("vigil_console", "SELECT, INSERT", "lists_entry"),
        grant(
            "vigil_console",
            "UPDATE (state, decided_at, withdrawn_at, withdrawn_by_id, withdrawn_reason, case_id)",
            "lists_entry",
        ),
        grant("vigil_console", "SELECT, INSERT, UPDATE (delivered_at)", "lists_look"),
        grant("vigil_console", "SELECT, INSERT", "lists_assessment"),
        grant("vigil_console", "SELECT, INSERT", "lists_feedrow"),
        grant("vigil_console", "SELECT, UPDATE", "lists_feedcounter"),
        grant(READERS, "SELECT", "lists_entry, lists_assessment, lists_look"),
        grant("vigil_wire, vigil_index", "SELECT", "lists_feedcounter"),
        grant("vigil_wire, vigil_index", "SELECT", "lists_feedrow"),
        grant(READERS, "SELECT", "lists_feedrow, lists_feedcounter"),
        force_rls("lists_entry"),
        row_policy(
            "lists_entry", "entry_within_clearance", roles="vigil_console", using="sensitivity <= vigil_clearance()"
        ),
        row_policy("lists_entry", "entry_for_processes", roles=READERS, command="SELECT"),
    ]
