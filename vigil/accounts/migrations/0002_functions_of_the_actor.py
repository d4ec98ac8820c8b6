from django.db import migrations

# SECURITY DEFINER: the caller's role may not read every person, and a policy on accounts_person must not ask itself.
FUNCTIONS = """
CREATE FUNCTION vigil_clearance() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    -- Unknown and disabled people see nothing; no actor at all raises in vigil_actor().
    SELECT coalesce((SELECT clearance::integer FROM accounts_person WHERE id = vigil_actor() AND is_active), 0)
$$;
CREATE FUNCTION vigil_agency() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT agency_id FROM accounts_person WHERE id = vigil_actor() AND is_active)
$$;
CREATE FUNCTION vigil_provider() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT provider_id FROM accounts_person WHERE id = vigil_actor() AND is_active)
$$;
CREATE FUNCTION vigil_has_role(wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_person WHERE id = vigil_actor() AND is_active AND wanted = ANY (roles))
$$;
CREATE FUNCTION vigil_partner_sees(person uuid, agency uuid, provider uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Signing in happens before there is an actor. One function, because a policy's OR promises no order of evaluation.
    IF nullif(current_setting('vigil.actor', true), '') IS NULL THEN
        RETURN true;
    END IF;
    RETURN coalesce(person = vigil_actor(), false) OR coalesce(agency = vigil_agency(), false)
        OR coalesce(provider = vigil_provider(), false);
END $$;
"""
DROPPED = """
DROP FUNCTION vigil_partner_sees(uuid, uuid, uuid);
DROP FUNCTION vigil_has_role(text); DROP FUNCTION vigil_provider(); DROP FUNCTION vigil_agency(); DROP FUNCTION vigil_clearance();
"""


class Migration(migrations.Migration):
    """What row policies ask: clearance, agency, provider and roles of the actor of this transaction."""

    dependencies = [("accounts", "0001_tables"), ("core", "0002_grants_and_event_trigger")]
    operations = [migrations.RunSQL(FUNCTIONS, DROPPED)]
