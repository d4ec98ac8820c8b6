from django.db import migrations

from vigil.core.migrations_sql import EVERY_ROLE

# One chain a process, so that writers do not wait for each other. The counter row is locked until the transaction ends, so
# numbers have no gaps (a sequence would leave one at each rollback). The row's hash covers everything that it holds.
TABLES = """
SET LOCAL ROLE vigil_owner;
CREATE SCHEMA audit AUTHORIZATION vigil_audit;
SET LOCAL ROLE vigil_audit;
CREATE TABLE audit.chain (
    chain text PRIMARY KEY,
    n bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE audit.event (
    chain text NOT NULL,
    n bigint NOT NULL,
    body text NOT NULL,
    recorded_at text NOT NULL,
    db_role text NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    subject uuid GENERATED ALWAYS AS (((body::jsonb)->>'subject')::uuid) STORED,
    actor uuid GENERATED ALWAYS AS (((body::jsonb)->>'actor')::uuid) STORED,
    action text GENERATED ALWAYS AS ((body::jsonb)->>'action') STORED,
    PRIMARY KEY (chain, n)
);
CREATE INDEX event_subject ON audit.event (subject);

CREATE FUNCTION audit.append(chain_name text, event_body text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = audit, pg_catalog, pg_temp AS $$
DECLARE
    last audit.chain%ROWTYPE;
    stamp text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    digest bytea;
BEGIN
    INSERT INTO audit.chain VALUES (chain_name, 0, sha256(convert_to('vigil audit ' || chain_name, 'UTF8'))) ON CONFLICT DO NOTHING;
    SELECT * INTO last FROM audit.chain WHERE chain = chain_name FOR UPDATE;
    digest := sha256(convert_to(concat_ws(E'\\n', '1', chain_name, (last.n + 1)::text, encode(last.hash, 'hex'), stamp, session_user::text, event_body), 'UTF8'));
    INSERT INTO audit.event (chain, n, body, recorded_at, db_role, previous, hash)
        VALUES (chain_name, last.n + 1, event_body, stamp, session_user, last.hash, digest);
    UPDATE audit.chain SET n = last.n + 1, hash = digest WHERE chain = chain_name;
    RETURN last.n + 1;
END $$;

CREATE FUNCTION audit.heads() RETURNS TABLE (chain text, n bigint, hash bytea)
LANGUAGE sql SECURITY DEFINER SET search_path = audit, pg_catalog, pg_temp AS $$ SELECT chain, n, hash FROM audit.chain $$;

REVOKE ALL ON FUNCTION audit.append(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION audit.heads() FROM PUBLIC;
RESET ROLE;
"""

GRANTS = f"""
SET LOCAL ROLE vigil_audit;
GRANT USAGE ON SCHEMA audit TO {EVERY_ROLE}, vigil_owner;
GRANT EXECUTE ON FUNCTION audit.append(text, text) TO {EVERY_ROLE}, vigil_owner;
GRANT EXECUTE ON FUNCTION audit.heads() TO vigil_keyd, vigil_auditor;
GRANT SELECT ON audit.event, audit.chain TO vigil_auditor;
RESET ROLE;
"""

REMOVE = "SET LOCAL ROLE vigil_audit; DROP SCHEMA audit CASCADE; RESET ROLE;"


class Migration(migrations.Migration):
    """The audit chains, owned by a role that nobody logs in as; everybody else may only append."""

    initial = True
    dependencies = [("core", "0002_grants_and_event_trigger")]
    operations = [migrations.RunSQL(TABLES, REMOVE), migrations.RunSQL(GRANTS, migrations.RunSQL.noop)]
