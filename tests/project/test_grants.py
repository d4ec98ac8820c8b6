"""What each database role may do, read from the catalogue: the whole of it as a list, and the rules that must hold."""

from pathlib import Path

import pytest
from django.db import connection

SNAPSHOT = Path(__file__).with_name("grants.txt")
LOGIN_ROLES = (
    "vigil_public", "vigil_console", "vigil_partner", "vigil_wire", "vigil_worker", "vigil_crawl", "vigil_index", "vigil_stats",
    "vigil_auditor", "vigil_keyd",
)  # fmt: skip
OWNERS = {"vigil_owner", "vigil_audit"}
SIGN_IN = {
    "accounts_session", "mfa_authenticator", "account_emailaddress", "axes_accessattempt", "axes_accessattemptexpiration",
    "axes_accessfailurelog", "axes_accesslog",
}  # fmt: skip
JOBS = {"procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers"}

# Who may delete rows, of which tables, and why. Nothing that says what happened is ever deleted by a web process.
MAY_DELETE = {
    "vigil_public": {
        "intake_draft": "its own half-filled report, when it was sent or given up",
        "imagehelp_helpdraft": "its own half-filled request for help, when it was sent or given up",
    },
    "vigil_console": dict.fromkeys(SIGN_IN, "sign-in: sessions end, passkeys are removed, lock-outs are forgotten"),
    "vigil_partner": dict.fromkeys(SIGN_IN, "sign-in, of the people that this origin sees"),
    "vigil_worker": {
        "accounts_session": "sessions that are over",
        "axes_accessattempt": "attempts that are a month old",
        "axes_accessattemptexpiration": "attempts that are a month old",
        "intake_draft": "drafts that ran out",
        "imagehelp_helpdraft": "drafts that ran out",
    } | dict.fromkeys(JOBS, "the queue of jobs"),
    "vigil_keyd": {"core_envelope": "an envelope is cleared when its key is stored"},
}  # fmt: skip

# The only tables whose rows these roles can read at all.
MAY_READ = {
    "vigil_public": {
        "core_clock",
        "imagehelp_helpdraft",
        "intake_askedquestions",
        "intake_draft",
        "oversight_release",
        "oversight_figure",
    },
    "vigil_keyd": {"core_clock", "core_envelope"},
    "vigil_auditor": {"core_clock", "audit.event", "audit.chain"},
}
# Begins of table names that a role never reads. (Releases of figures are everybody's.)
NEVER_READS = {
    "vigil_wire": (
        "accounts_", "intake_", "imagehelp_", "casework_", "referral_", "removal_", "crawl_", "procrastinate_", "mfa_",
        "account_", "axes_", "lists_declared",
    ),
    "vigil_partner": (
        "intake_", "imagehelp_", "casework_", "lists_assessment", "lists_look", "lists_declared", "crawl_visit", "procrastinate_",
    ),
    "vigil_crawl": (
        "intake_", "imagehelp_", "casework_", "accounts_", "referral_", "removal_", "mfa_", "account_", "axes_", "procrastinate_",
    ),
    "vigil_index": (
        "intake_", "imagehelp_", "lists_declared", "casework_", "accounts_", "referral_", "removal_", "crawl_", "mfa_",
        "procrastinate_",
    ),
    "vigil_stats": (
        "mfa_", "account_", "axes_", "intake_draft", "intake_message", "imagehelp_helpdraft", "procrastinate_", "core_envelope",
    ),
    "vigil_console": ("procrastinate_", "core_envelope", "intake_draft", "imagehelp_helpdraft"),
    "vigil_worker": ("core_envelope", "mfa_"),
}  # fmt: skip
# Columns that hold what is sealed, or what opens something. Figures and the list's readers never get near them.
SEALED = {
    "narrative",
    "contact",
    "value",
    "body",
    "url_sealed",
    "host_sealed",
    "wrapped_key",
    "zip",
    "session_data",
    "token_hash",
}


def rows(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall()


def lines(statement):
    return [line for (line,) in rows(statement)]


TABLES = """
    SELECT CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname AS name, c.*
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname IN ('public', 'audit')
"""
NAME = "CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END"


def snapshot():
    """One line for each thing that a role may do, sorted."""
    found = lines(
        "SELECT 'role ' || rolname || concat_ws(' ', '', CASE WHEN rolcanlogin THEN 'login' END, CASE WHEN rolsuper THEN "
        "'SUPERUSER' END, CASE WHEN rolbypassrls THEN 'bypassrls' END, CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN "
        "rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolreplication THEN 'REPLICATION' END) FROM pg_roles WHERE rolname LIKE "
        "'vigil%'"
    )
    found += lines(
        "SELECT format('member %s of %s%s%s', member::regrole, roleid::regrole, CASE WHEN inherit_option THEN ' inherit' END, "
        "CASE WHEN set_option THEN ' set' END) FROM pg_auth_members WHERE member::regrole::text LIKE 'vigil%'"
    )
    found += lines(
        f"SELECT format('schema %s %s %s', nspname, {NAME}, privilege_type) FROM pg_namespace, aclexplode(nspacl) "
        "WHERE nspname IN ('public', 'audit') AND grantee <> nspowner AND grantee::regrole::text <> 'pg_database_owner'"
    )
    found += lines(
        f"SELECT format('%s %s %s %s', CASE relkind::text WHEN 'S' THEN 'sequence' ELSE 'table' END, name, {NAME}, "
        f"string_agg(privilege_type, ', ' ORDER BY privilege_type)) FROM ({TABLES}) c, aclexplode(relacl) "
        "WHERE grantee <> relowner GROUP BY relkind, name, grantee"
    )
    found += lines(
        f"SELECT format('columns %s %s %s (%s)', name, {NAME}, privilege_type, string_agg(attname, ', ' ORDER BY attname)) "
        f"FROM ({TABLES}) c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(attacl) GROUP BY name, grantee, privilege_type"
    )
    found += lines(
        f"SELECT format('rows %s%s', name, CASE WHEN relforcerowsecurity THEN ' forced' ELSE ' NOT FORCED' END) "
        f"FROM ({TABLES}) c WHERE relrowsecurity"
    )
    found += lines(
        "SELECT format('policy %s %s %s %s using (%s) check (%s)', polrelid::regclass, polname, polcmd, "
        "(SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ', ' ORDER BY r::regrole::text) "
        "FROM unnest(polroles) r), regexp_replace(pg_get_expr(polqual, polrelid), '\\s+', ' ', 'g'), "
        "regexp_replace(pg_get_expr(polwithcheck, polrelid), '\\s+', ' ', 'g')) FROM pg_policy"
    )
    found += lines(
        f"SELECT format('function %s%s owner %s: %s', p.oid::regprocedure, CASE WHEN prosecdef THEN ' DEFINER' END, "
        f"proowner::regrole, (SELECT string_agg(DISTINCT {NAME}, ', ' ORDER BY {NAME}) FROM aclexplode(coalesce(proacl, "
        "acldefault('f', proowner))) WHERE grantee <> proowner)) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace "
        "WHERE nspname IN ('public', 'audit') AND proname NOT LIKE 'procrastinate%'"
    )
    return sorted(found)


def test_grants_and_policies_are_the_listed_ones(db):
    """The list is grants.txt. A line more or less is a decision: make it there, in the same commit as its migration."""
    found, listed = set(snapshot()), set(SNAPSHOT.read_text().splitlines())
    assert {"not listed": sorted(found - listed), "listed, but gone": sorted(listed - found)} == {
        "not listed": [],
        "listed, but gone": [],
    }


def may(role, privilege):
    """Names of the tables on which a role has a privilege, on the whole table or on any column, by whatever way."""
    any_column = privilege in {"SELECT", "INSERT", "UPDATE"}
    test = "has_any_column_privilege(%s, c.oid, %s)" if any_column else "has_table_privilege(%s, c.oid, %s)"
    return {
        name for (name,) in rows(f"SELECT name FROM ({TABLES}) c WHERE relkind IN ('r', 'v', 'm', 'p') AND {test}", role, privilege)
    }  # fmt: skip


def columns_of(role):
    """(table, column) pairs that a role can read."""
    return set(
        rows(
            f"SELECT name, attname FROM ({TABLES}) c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relkind IN ('r', 'v', 'm') "
            "AND attnum > 0 AND NOT attisdropped AND has_column_privilege(%s, c.oid, attnum, 'SELECT')",
            role,
        )
    )


@pytest.mark.parametrize("role", sorted(MAY_READ))
def test_a_role_with_a_short_list_reads_nothing_else(db, role):
    assert may(role, "SELECT") == MAY_READ[role]


@pytest.mark.parametrize("role", sorted(NEVER_READS))
def test_no_role_reads_what_is_not_its_own(db, role):
    assert {table for table in may(role, "SELECT") if table.startswith(NEVER_READS[role])} == set()


def test_only_the_key_process_reads_or_clears_keys_on_their_way(db):
    for privilege in ("SELECT", "UPDATE", "DELETE"):
        holders = {role for role in LOGIN_ROLES if "core_envelope" in may(role, privilege)}
        assert holders == ({"vigil_keyd"} if privilege != "UPDATE" else set())


def test_figures_and_the_list_are_made_without_sealed_columns(db):
    for role in ("vigil_stats", "vigil_index", "vigil_wire"):
        sealed = {(table, column) for table, column in columns_of(role) if column in SEALED}
        assert sealed - {("oversight_figure", "value")} == set(), "a figure's value is a number"


def test_the_log_is_written_by_its_function_and_read_by_the_auditor_only(db):
    for role in LOGIN_ROLES:
        for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
            assert {table for table in may(role, privilege) if table.startswith("audit.")} == set(), role
        reads = {table for table in may(role, "SELECT") if table.startswith("audit.")}
        assert reads == ({"audit.event", "audit.chain"} if role == "vigil_auditor" else set()), role
        ((may_append, may_see_heads),) = rows(
            "SELECT has_function_privilege(%s, 'audit.append(text, text)', 'EXECUTE'), "
            "has_function_privilege(%s, 'audit.heads()', 'EXECUTE')",
            role,
            role,
        )
        assert may_append and may_see_heads == (role in {"vigil_keyd", "vigil_auditor"})
    owners = lines(f"SELECT DISTINCT relowner::regrole::text FROM ({TABLES}) c WHERE name LIKE 'audit.%'")
    assert owners == ["vigil_audit"]


@pytest.mark.parametrize("role", LOGIN_ROLES)
def test_rows_are_deleted_only_where_there_is_a_reason(db, role):
    assert may(role, "DELETE") == set(MAY_DELETE.get(role, {}))
    assert all(len(reason) > 10 for reason in MAY_DELETE.get(role, {}).values())


@pytest.mark.parametrize("role", LOGIN_ROLES)
def test_nobody_truncates_references_or_hooks_into_a_table(db, role):
    for privilege in ("TRUNCATE", "REFERENCES", "TRIGGER"):
        assert may(role, privilege) == set()


def test_row_security_is_forced_on_everything_that_has_a_sensitivity_or_an_agency(db):
    without = lines(
        f"SELECT DISTINCT name FROM ({TABLES}) c JOIN pg_attribute a ON a.attrelid = c.oid WHERE relkind = 'r' "
        "AND attname IN ('sensitivity', 'agency_id', 'provider_id', 'clearance') AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert without == []


def test_row_security_is_forced_wherever_it_is_on_and_every_such_table_has_a_policy(db):
    assert [line for line in snapshot() if line.endswith("NOT FORCED")] == []
    assert (
        lines(f"SELECT name FROM ({TABLES}) c WHERE relrowsecurity AND oid NOT IN (SELECT polrelid FROM pg_policy)")
        == []
    )


def test_no_policy_and_no_grant_is_for_everybody(db):
    for_everybody = [line for line in snapshot() if "PUBLIC" in line and not line.startswith("function ")]
    assert for_everybody == []


def test_no_process_can_become_more_than_it_is(db):
    """Only the migrating role steps into others; no role of a process bypasses row security or makes roles."""
    powers = rows(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR "
        "rolreplication)",
        list(LOGIN_ROLES),
    )
    members = rows(
        "SELECT member::regrole::text FROM pg_auth_members WHERE member::regrole::text = ANY(%s)", list(LOGIN_ROLES)
    )
    owned = rows(
        "SELECT relname FROM pg_class WHERE relowner::regrole::text = ANY(%s) UNION ALL "
        "SELECT proname FROM pg_proc WHERE proowner::regrole::text = ANY(%s)",
        list(LOGIN_ROLES),
        list(LOGIN_ROLES),
    )
    creates = rows(
        "SELECT r FROM unnest(%s::text[]) r, pg_namespace n WHERE nspname IN ('public', 'audit') "
        "AND has_schema_privilege(r, n.oid, 'CREATE')",
        list(LOGIN_ROLES),
    )
    assert (powers, members, owned, creates) == ([], [], [], [])


def test_functions_that_lend_their_owners_rights_are_closed(db):
    """Each has a fixed search path that ends in pg_temp, and nobody calls it whom it was not given to."""
    lending = rows(
        "SELECT p.oid::regprocedure::text, coalesce(array_to_string(proconfig, ' '), ''), has_function_privilege('public', p.oid, "
        "'EXECUTE') FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE prosecdef AND nspname IN ('public', 'audit')"
    )
    assert len(lending) > 5
    assert [
        name for name, config, _ in lending if not (config.startswith("search_path=") and config.endswith("pg_temp"))
    ] == []
    assert [name for name, _, is_open in lending if is_open] == []


def test_the_owner_of_everything_cannot_log_in(db):
    owners = lines(f"SELECT DISTINCT relowner::regrole::text FROM ({TABLES}) c")
    assert set(owners) == OWNERS
    assert rows("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = ANY(%s)", list(OWNERS)) == []
