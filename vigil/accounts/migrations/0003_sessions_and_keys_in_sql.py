from django.db import migrations

# The database role that made a session owns it: a cookie of one origin is unknown at the other. Not a Django field, so that
# inserts leave it to the default and updates cannot move it.
DOOR = "ALTER TABLE accounts_session ADD COLUMN door name NOT NULL DEFAULT current_user"

# An administrator on the console ends an officer's session on the partner origin, whose rows the console cannot touch.
# Inside this function current_user is the owner; the setting `role` still tells who called.
END_SESSIONS = """
CREATE FUNCTION vigil_end_sessions(person uuid) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE ended integer;
BEGIN
    IF current_setting('role') <> 'vigil_owner' AND vigil_actor() <> person AND NOT vigil_has_role('administrator') THEN
        RAISE EXCEPTION 'only an administrator ends the sessions of others' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM accounts_session WHERE person_id = person;
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;
REVOKE ALL ON FUNCTION vigil_end_sessions(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vigil_end_sessions(uuid) TO vigil_console, vigil_partner;
"""

# The doors for programs cannot list keys: they hand in the hash of one and learn whose it is.
API_KEY = """
CREATE FUNCTION vigil_api_key(hash bytea) RETURNS TABLE (id uuid, holder_kind text, holder_id uuid, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.holder_kind::text, k.holder_id, k.scopes::text[] FROM accounts_apikey k WHERE k.key_hash = hash AND k.ended_at IS NULL
$$;
REVOKE ALL ON FUNCTION vigil_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vigil_api_key(bytea) TO vigil_wire, vigil_partner;
"""

# Row policies let people change their own row (language, password): this holds the columns that carry rights.
OWN_RIGHTS = """
CREATE FUNCTION accounts_person_keeps_rights() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.roles, NEW.clearance, NEW.agency_id, NEW.provider_id, NEW.identity_id, NEW.is_active, NEW.email, NEW.id)
        IS DISTINCT FROM
        (OLD.roles, OLD.clearance, OLD.agency_id, OLD.provider_id, OLD.identity_id, OLD.is_active, OLD.email, OLD.id)
        AND current_user <> 'vigil_owner' AND NOT vigil_has_role('administrator')
    THEN
        RAISE EXCEPTION 'only an administrator changes rights' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER person_keeps_rights BEFORE UPDATE ON accounts_person FOR EACH ROW EXECUTE FUNCTION accounts_person_keeps_rights();
"""


class Migration(migrations.Migration):
    """Sessions belong to an origin; two narrow functions cross that line; nobody changes their own rights."""

    dependencies = [("accounts", "0002_functions_of_the_actor")]
    operations = [
        migrations.RunSQL(DOOR, "ALTER TABLE accounts_session DROP COLUMN door"),
        migrations.RunSQL(END_SESSIONS, "DROP FUNCTION vigil_end_sessions(uuid)"),
        migrations.RunSQL(API_KEY, "DROP FUNCTION vigil_api_key(bytea)"),
        migrations.RunSQL(
            OWN_RIGHTS,
            "DROP TRIGGER person_keeps_rights ON accounts_person; DROP FUNCTION accounts_person_keeps_rights()",
        ),
    ]
