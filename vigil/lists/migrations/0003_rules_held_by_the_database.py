from django.db import migrations

from vigil.core.migrations_sql import force_rls, row_policy

STATES = """
CREATE FUNCTION lists_entry_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state <> 'proposed' THEN
        RAISE EXCEPTION 'an entry begins as proposed' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.state, NEW.state) NOT IN
        (('proposed', 'published'), ('proposed', 'refused'), ('published', 'withdrawn')) THEN
        RAISE EXCEPTION 'an entry does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION lists_entry_moves() FROM PUBLIC;
CREATE TRIGGER entry_begins_as_proposed BEFORE INSERT ON lists_entry FOR EACH ROW EXECUTE FUNCTION lists_entry_moves();
CREATE TRIGGER entry_moves_forward BEFORE UPDATE OF state ON lists_entry FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION lists_entry_moves();
"""

# Definer's rights: the caller may read neither every person nor every entry, and the rule counts all of them.
ASSESSMENTS = """
CREATE FUNCTION lists_assessment_is_independent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE entry lists_entry;
BEGIN
    SELECT * INTO entry FROM lists_entry WHERE id = NEW.entry_id;
    IF entry.state IS DISTINCT FROM 'proposed' THEN
        RAISE EXCEPTION 'only a proposed entry is assessed' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.identity_id IS DISTINCT FROM (SELECT identity_id FROM accounts_person WHERE id = NEW.assessor_id) THEN
        RAISE EXCEPTION 'an assessment names the human being behind the account' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.identity_id = (SELECT identity_id FROM accounts_person WHERE id = entry.proposed_by_id) THEN
        RAISE EXCEPTION 'the proposer does not assess' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM lists_look WHERE id = NEW.look_id AND entry_id = NEW.entry_id
                   AND assessor_id = NEW.assessor_id AND delivered_at IS NOT NULL) THEN
        RAISE EXCEPTION 'nobody assesses without having looked' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION lists_assessment_is_independent() FROM PUBLIC;
CREATE TRIGGER assessment_is_independent BEFORE INSERT ON lists_assessment
    FOR EACH ROW EXECUTE FUNCTION lists_assessment_is_independent();

CREATE FUNCTION lists_no_objection() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM lists_assessment WHERE entry_id = NEW.id AND verdict = 'not_illegal') THEN
        RAISE EXCEPTION 'what somebody found not illegal is not published' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION lists_no_objection() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER entry_published_without_objection AFTER UPDATE ON lists_entry DEFERRABLE INITIALLY IMMEDIATE
    FOR EACH ROW WHEN (NEW.state = 'published') EXECUTE FUNCTION lists_no_objection();
"""

FEED = """
CREATE OR REPLACE FUNCTION lists_feed_is_gapless() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE entry lists_entry;
BEGIN
    -- The counter is locked by whoever writes, so the two agree only inside the transaction that took the number.
    IF NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM lists_feedrow)
        OR NEW.version IS DISTINCT FROM (SELECT version FROM lists_feedcounter) THEN
        RAISE EXCEPTION 'the feed has no gaps' USING ERRCODE = 'check_violation';
    END IF;
    SELECT * INTO entry FROM lists_entry WHERE id = NEW.entry_id;
    IF (NEW.change, entry.state) NOT IN (('publish', 'published'), ('withdraw', 'withdrawn')) THEN
        RAISE EXCEPTION 'the feed says what happened to the entry' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.sha256, NEW.md5, NEW.pdq, NEW.classification)
        IS DISTINCT FROM (entry.sha256, entry.md5, entry.pdq, entry.classification) THEN
        RAISE EXCEPTION 'the feed carries the hashes of the entry' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE UNIQUE INDEX feed_says_each_change_once ON lists_feedrow (entry_id, change);

CREATE FUNCTION lists_change_is_in_feed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE now_state text; last_change text;
BEGIN
    -- At commit, so what counts is how the row stands then.
    SELECT state INTO now_state FROM lists_entry WHERE id = NEW.id;
    SELECT change INTO last_change FROM lists_feedrow WHERE entry_id = NEW.id ORDER BY version DESC LIMIT 1;
    IF (now_state = 'published' AND last_change IS DISTINCT FROM 'publish')
        OR (now_state = 'withdrawn' AND last_change IS DISTINCT FROM 'withdraw') THEN
        RAISE EXCEPTION 'a published or withdrawn entry is in the feed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION lists_change_is_in_feed() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER entry_change_is_in_feed AFTER INSERT OR UPDATE ON lists_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lists_change_is_in_feed();

CREATE FUNCTION lists_counter_is_feed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT version FROM lists_feedcounter) <> (SELECT coalesce(max(version), 0) FROM lists_feedrow) THEN
        RAISE EXCEPTION 'the counter is the version of the last row' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION lists_counter_is_feed() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER counter_is_feed AFTER UPDATE ON lists_feedcounter DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lists_counter_is_feed();
"""

UNDO = """
DROP TRIGGER counter_is_feed ON lists_feedcounter; DROP FUNCTION lists_counter_is_feed();
DROP TRIGGER entry_change_is_in_feed ON lists_entry; DROP FUNCTION lists_change_is_in_feed();
DROP INDEX feed_says_each_change_once;
DROP TRIGGER entry_published_without_objection ON lists_entry; DROP FUNCTION lists_no_objection();
DROP TRIGGER assessment_is_independent ON lists_assessment; DROP FUNCTION lists_assessment_is_independent();
DROP TRIGGER entry_moves_forward ON lists_entry; DROP TRIGGER entry_begins_as_proposed ON lists_entry;
DROP FUNCTION lists_entry_moves();
"""

WITHIN = "sensitivity <= vigil_clearance()"
ENTRY_IS_SEEN = "EXISTS (SELECT 1 FROM lists_entry e WHERE e.id = entry_id)"  # the policy of lists_entry applies inside
MINE = "assessor_id = vigil_actor()"
READERS = "vigil_worker, vigil_crawl, vigil_stats"


class Migration(migrations.Migration):
    """What the services promise, the database holds too: how entries move, who assesses, and that feed and entries agree."""

    dependencies = [("lists", "0002_grants_feed_and_independence")]
    operations = [
        migrations.RunSQL(STATES + ASSESSMENTS + FEED, UNDO),
        # People write in their own name only.
        migrations.RunSQL(
            "DROP POLICY entry_within_clearance ON lists_entry",
            f"CREATE POLICY entry_within_clearance ON lists_entry TO vigil_console USING ({WITHIN})",
        ),
        row_policy("lists_entry", "entry_seen_within_clearance", roles="vigil_console", using=WITHIN, command="SELECT"),
        row_policy(
            "lists_entry", "entry_moved_within_clearance", roles="vigil_console", using=WITHIN, command="UPDATE"
        ),
        row_policy(
            "lists_entry",
            "entry_proposed_in_own_name",
            roles="vigil_console",
            check=f"{WITHIN} AND proposed_by_id = vigil_actor()",
            command="INSERT",
        ),
        *[
            operation
            for table, name in (("lists_look", "look"), ("lists_assessment", "assessment"))
            for operation in (
                force_rls(table),
                row_policy(
                    table, f"{name}_with_its_entry", roles="vigil_console", using=ENTRY_IS_SEEN, command="SELECT"
                ),
                row_policy(
                    table,
                    f"{name}_in_own_name",
                    roles="vigil_console",
                    check=f"{MINE} AND {ENTRY_IS_SEEN}",
                    command="INSERT",
                ),
                row_policy(table, f"{name}_for_processes", roles=READERS, command="SELECT"),
            )
        ],
        row_policy("lists_look", "look_delivered_to_oneself", roles="vigil_console", using=MINE, command="UPDATE"),
    ]
