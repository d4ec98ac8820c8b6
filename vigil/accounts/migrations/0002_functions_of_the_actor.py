from django.db import migrations

# SECURITY DEFINER: the caller's role may not read every person, and a policy on accounts_person must not ask itself.
_READS_THE_ACTOR = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp"

FUNCTIONS = f"""
CREATE FUNCTION vigil_clearance() RETURNS integer {_READS_THE_ACTOR} AS $$
    -- Unknown and disabled people see nothing; no actor at all raises in vigil_actor().
    SELECT coalesce((SELECT clearance::integer FROM accounts_person WHERE id = vigil_actor() AND is_active), 0)
$$;
CREATE FUNCTION vigil_agency() RETURNS uuid {_READS_THE_ACTOR} AS $$
    SELECT (SELECT agency_id FROM accounts_person WHERE id = vigil_actor() AND is_active)
$$;
CREATE FUNCTION vigil_provider() RETURNS uuid {_READS_THE_ACTOR} AS $$
    SELECT (SELECT provider_id FROM accounts_person WHERE id = vigil_actor() AND is_active)
$$;
CREATE FUNCTION vigil_has_role(wanted text) RETURNS boolean {_READS_THE_ACTOR} AS $$
    SELECT EXISTS (SELECT 1 FROM accounts_person WHERE id = vigil_actor() AND is_active AND wanted = ANY (roles))
$$;
"""
DROPPED = """
DROP FUNCTION vigil_has_role(text); DROP FUNCTION vigil_provider(); DROP FUNCTION vigil_agency(); DROP FUNCTION vigil_clearance();
"""


class Migration(migrations.Migration):
    """What row policies ask: clearance, agency, provider and roles of the actor of this transaction."""

    dependencies = [("accounts", "0001_tables"), ("core", "0002_grants_and_event_trigger")]
    operations = [migrations.RunSQL(FUNCTIONS, DROPPED)]
