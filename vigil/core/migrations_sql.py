"""Migration operations for grants and row policies: they live in migrations, or a test database would have none."""

from __future__ import annotations

from django.db.migrations import RunSQL

EVERY_ROLE = (
    "vigil_public, vigil_console, vigil_partner, vigil_wire, vigil_worker, vigil_crawl, vigil_index, vigil_stats, vigil_auditor, "
    "vigil_keyd"
)


def grant(roles: str, privileges: str, table: str) -> RunSQL:
    """Grant privileges (`SELECT, INSERT (a, b)`) on one table or sequence to one or more roles, separated by commas."""
    return RunSQL(f"GRANT {privileges} ON {table} TO {roles}", f"REVOKE {privileges} ON {table} FROM {roles}")


def force_rls(table: str) -> RunSQL:
    """Turn row-level security on for a table, for its owner too."""
    return RunSQL(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    )


def row_policy(
    table: str, name: str, *, roles: str, using: str | None = "true", check: str | None = None, command: str = "ALL"
) -> RunSQL:
    """Let roles touch the rows for which `using` holds and write those for which `check` (by default `using`) holds.

    For command="INSERT" only `check` counts; for command="SELECT" or "DELETE" only `using`.
    """
    clauses = ""
    if using is not None and command != "INSERT":
        clauses += f" USING ({using})"
    if command in {"ALL", "INSERT", "UPDATE"}:
        clauses += f" WITH CHECK ({check or using})"
    return RunSQL(
        f"CREATE POLICY {name} ON {table} FOR {command} TO {roles}{clauses}", f"DROP POLICY {name} ON {table}"
    )
