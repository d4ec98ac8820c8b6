from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

TABLES = ("imagehelp_helpcase", "imagehelp_helpfingerprint", "imagehelp_helplink")

# A person's own case: found by number, opened by the code outside the database. Nothing here says whether anything matched.
FUNCTIONS = """
CREATE FUNCTION imagehelp_case_by_number(wanted text)
RETURNS TABLE (id uuid, salt bytea, wrapped_key bytea, opened_at timestamptz, language text, young boolean, state text,
               ended_at timestamptz, pictures bigint, videos bigint, is_listed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.id, c.salt, c.wrapped_key, c.opened_at, c.language::text, c.who = 'me' AND c.age = 'under_18', c.state::text,
           c.ended_at,
           (SELECT count(*) FROM imagehelp_helpfingerprint f WHERE f.case_id = c.id AND f.kind = 'pdq'),
           (SELECT count(*) FROM imagehelp_helpfingerprint f WHERE f.case_id = c.id AND f.kind = 'md5'),
           EXISTS (SELECT 1 FROM lists_declared d WHERE d.case_id = c.id AND d.withdrawn_at IS NULL)
    FROM imagehelp_helpcase c WHERE c.number = wanted
$$;

-- True when this ended the case; then every fingerprint of it has its tombstone in the same transaction.
CREATE FUNCTION imagehelp_withdraw(wanted text, withdrawn timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE withdrawn_case uuid;
BEGIN
    PERFORM lists_lock_declared_feed();
    UPDATE imagehelp_helpcase SET state = 'withdrawn', ended_at = withdrawn WHERE number = wanted AND state = 'open'
        RETURNING id INTO withdrawn_case;
    IF withdrawn_case IS NULL THEN RETURN false; END IF;
    PERFORM lists_withdraw_declared(withdrawn_case, withdrawn);
    RETURN true;
END $$;
"""
NAMES = "imagehelp_case_by_number(text), imagehelp_withdraw(text, timestamptz)"


class Migration(migrations.Migration):
    """The public door writes cases and cannot read one; staff read codes and counts; a person's own case goes by function."""

    dependencies = [
        ("imagehelp", "0001_tables"),
        ("lists", "0005_declared_grants_and_feed"),
        ("core", "0002_grants_and_event_trigger"),
        ("accounts", "0002_functions_of_the_actor"),
    ]
    operations = [
        # Drafts: the public door alone, one row at a time: the row whose digest the transaction names.
        force_rls("imagehelp_helpdraft"),
        grant("vigil_public", "SELECT, INSERT, UPDATE, DELETE", "imagehelp_helpdraft"),
        row_policy(
            "imagehelp_helpdraft",
            "help_draft_own",
            roles="vigil_public",
            using="token_hash = current_setting('vigil.draft')",
        ),
        grant("vigil_worker", "SELECT (token_hash, expires_at), DELETE", "imagehelp_helpdraft"),
        row_policy("imagehelp_helpdraft", "help_draft_expired", roles="vigil_worker", using="true"),
        # Cases and what hangs on them.
        *[force_rls(table) for table in TABLES],
        *[grant("vigil_public", "INSERT", table) for table in TABLES],
        *[
            row_policy(table, "written_by_public", roles="vigil_public", check="true", command="INSERT")
            for table in TABLES
        ],
        *[grant("vigil_console, vigil_worker", "SELECT", table) for table in TABLES],
        *[
            row_policy(
                table, "read_by_staff", roles="vigil_console", using="vigil_actor() IS NOT NULL", command="SELECT"
            )
            for table in TABLES
        ],
        *[
            row_policy(table, "read_by_worker", roles="vigil_worker", using="true", command="SELECT")
            for table in TABLES
        ],
        grant("vigil_console", "UPDATE (state, ended_at, ended_reason)", "imagehelp_helpcase"),
        row_policy(
            "imagehelp_helpcase",
            "ended_by_staff",
            roles="vigil_console",
            using="vigil_actor() IS NOT NULL",
            command="UPDATE",
        ),
        # Figures: codes and times.
        grant("vigil_stats", "SELECT (id, opened_at, language, who, age, state, ended_at)", "imagehelp_helpcase"),
        row_policy("imagehelp_helpcase", "counted_by_stats", roles="vigil_stats", using="true", command="SELECT"),
        migrations.RunSQL(
            f"{FUNCTIONS} REVOKE ALL ON FUNCTION {NAMES} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {NAMES} TO vigil_public",
            f"DROP FUNCTION {NAMES}",
        ),
    ]
