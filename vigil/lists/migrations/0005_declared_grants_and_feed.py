from django.db import migrations

from vigil.core.migrations_sql import grant

FUNCTIONS = """
CREATE FUNCTION lists_lock_declared_feed() RETURNS void
LANGUAGE sql SET search_path = public, pg_temp AS $$ SELECT pg_advisory_xact_lock(7316011) $$;

CREATE FUNCTION lists_declared_feed_is_gapless() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM lists_declaredfeedrow) THEN
        RAISE EXCEPTION 'the declared feed has no gaps' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER declared_feed_is_gapless BEFORE INSERT ON lists_declaredfeedrow
    FOR EACH ROW EXECUTE FUNCTION lists_declared_feed_is_gapless();

-- Out of every look-up with the transaction's commit, and a tombstone each. Returns how many.
CREATE FUNCTION lists_withdraw_declared(of_case uuid, withdrawn timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE one record; last bigint; found integer := 0;
BEGIN
    PERFORM lists_lock_declared_feed();
    SELECT coalesce(max(version), 0) INTO last FROM lists_declaredfeedrow;
    FOR one IN UPDATE lists_declared SET withdrawn_at = withdrawn WHERE case_id = of_case AND withdrawn_at IS NULL
               RETURNING id, kind, value LOOP
        found := found + 1;
        INSERT INTO lists_declaredfeedrow (version, declared_id, change, at, kind, value)
            VALUES (last + found, one.id, 'withdraw', withdrawn, one.kind, one.value);
    END LOOP;
    RETURN found;
END $$;
REVOKE ALL ON FUNCTION lists_lock_declared_feed(), lists_declared_feed_is_gapless(), lists_withdraw_declared(uuid, timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lists_lock_declared_feed() TO vigil_worker;
GRANT EXECUTE ON FUNCTION lists_withdraw_declared(uuid, timestamptz) TO vigil_worker, vigil_console;
"""


class Migration(migrations.Migration):
    """The worker lists what people declared; nobody deletes; taking back goes by function. The wire has nothing of it."""

    dependencies = [("lists", "0004_declared_fingerprints")]
    operations = [
        migrations.RunSQL(
            FUNCTIONS,
            "DROP FUNCTION lists_withdraw_declared(uuid, timestamptz); DROP FUNCTION lists_lock_declared_feed();"
            "DROP FUNCTION lists_declared_feed_is_gapless() CASCADE",
        ),
        grant("vigil_worker", "SELECT, INSERT", "lists_declared, lists_declaredfeedrow"),
        grant("vigil_console, vigil_crawl", "SELECT", "lists_declared, lists_declaredfeedrow"),
        grant("vigil_stats", "SELECT (id, case_id, kind, listed_at, withdrawn_at)", "lists_declared"),
    ]
