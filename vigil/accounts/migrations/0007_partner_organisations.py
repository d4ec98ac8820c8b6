from django.db import migrations, models

import vigil.core.ids
from vigil.core.migrations_sql import force_rls, grant, row_policy

# Who calls, and that they called: the doors for programs hand in a key's hash and read no table of keys. An organisation that
# was ended takes its keys with it.
USE_API_KEY = """
CREATE FUNCTION vigil_use_api_key(hash bytea, used_at timestamptz)
RETURNS TABLE (id uuid, holder_kind text, holder_id uuid, scopes text[], partner_code text, partner_kind text,
    partner_language text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE accounts_apikey k SET last_used_at = used_at
        WHERE k.key_hash = hash AND k.ended_at IS NULL
        AND (k.last_used_at IS NULL OR k.last_used_at < used_at - interval '1 minute');
    RETURN QUERY SELECT k.id, k.holder_kind::text, k.holder_id, k.scopes::text[], o.code::text, o.kind::text,
        o.language::text
        FROM accounts_apikey k LEFT JOIN accounts_organisation o ON k.holder_kind = 'organisation' AND o.id = k.holder_id
        WHERE k.key_hash = hash AND k.ended_at IS NULL AND o.ended_at IS NULL;
END $$;
REVOKE ALL ON FUNCTION vigil_use_api_key(bytea, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vigil_use_api_key(bytea, timestamptz) TO vigil_wire, vigil_partner;
"""
BEFORE = """
CREATE FUNCTION vigil_api_key(hash bytea) RETURNS TABLE (id uuid, holder_kind text, holder_id uuid, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.holder_kind::text, k.holder_id, k.scopes::text[] FROM accounts_apikey k WHERE k.key_hash = hash AND k.ended_at IS NULL
$$;
REVOKE ALL ON FUNCTION vigil_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vigil_api_key(bytea) TO vigil_wire, vigil_partner;
"""
READERS = "vigil_console, vigil_worker"


class Migration(migrations.Migration):
    """Partner organisations that hand in reports; a key says when it was last used."""

    dependencies = [("accounts", "0006_functions_for_the_doors_that_ask")]
    operations = [
        migrations.CreateModel(
            name="Organisation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("code", models.SlugField(max_length=32, unique=True)),
                ("name_en", models.CharField(max_length=200)),
                ("name_fr", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=16)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("language", models.CharField(default="both", max_length=4)),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["hotline", "helpline", "police", "other"])),
                        name="organisation_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["en", "fr", "both"])), name="organisation_language_known"
                    ),
                ],
            },
        ),
        migrations.AddField("apikey", "last_used_at", models.DateTimeField(blank=True, null=True)),
        grant(READERS, "SELECT", "accounts_organisation"),
        force_rls("accounts_organisation"),
        row_policy("accounts_organisation", "organisation_read", roles=READERS, command="SELECT"),
        migrations.RunSQL(USE_API_KEY, "DROP FUNCTION vigil_use_api_key(bytea, timestamptz)"),
        migrations.RunSQL("DROP FUNCTION vigil_api_key(bytea)", BEFORE),
    ]
