from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

OF_A_VISIBLE_PACKAGE = "EXISTS (SELECT 1 FROM referral_package p WHERE p.id = package_id)"
OWN_AGENCY = "agency_id = vigil_agency() AND sensitivity <= vigil_clearance() AND state <> 'draft'"
# No role but the owner changes what was sent: the worker writes these once, an officer only acknowledges.
BUILT = "state, sensitivity, attempts, last_failure, next_try_at, sealed, size_bytes, manifest, manifest_digest, pages, sent_at"
WITHOUT_TEXT = "id, number, case_id, case_number, agency_id, sensitivity, band, language, state, asked_at, sent_at, acknowledged_at"

SENT_STAYS = """
CREATE FUNCTION referral_sent_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.state <> 'draft' AND (NEW.sealed, NEW.manifest, NEW.manifest_digest, NEW.sent_at, NEW.agency_id, NEW.case_id, NEW.number)
        IS DISTINCT FROM (OLD.sealed, OLD.manifest, OLD.manifest_digest, OLD.sent_at, OLD.agency_id, OLD.case_id, OLD.number) THEN
        RAISE EXCEPTION 'a sent package does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.acknowledged_at IS NOT NULL AND (NEW.acknowledged_at, NEW.acknowledged_by) IS DISTINCT FROM (OLD.acknowledged_at, OLD.acknowledged_by) THEN
        RAISE EXCEPTION 'an acknowledgement does not change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER package_sent_stays BEFORE UPDATE ON referral_package FOR EACH ROW EXECUTE FUNCTION referral_sent_stays();
"""


class Migration(migrations.Migration):
    """Who may touch packages: staff by sensitivity, officers their own agency's, and nobody what was sent."""

    dependencies = [
        ("referral", "0001_tables"),
        ("accounts", "0004_grants_and_policies"),
        ("core", "0002_grants_and_event_trigger"),
    ]
    operations = [
        migrations.RunSQL(
            SENT_STAYS, "DROP TRIGGER package_sent_stays ON referral_package; DROP FUNCTION referral_sent_stays()"
        ),
        force_rls("referral_package"),
        grant("vigil_console", "SELECT, INSERT", "referral_package"),
        row_policy(
            "referral_package",
            "console_by_sensitivity",
            roles="vigil_console",
            using="sensitivity <= vigil_clearance()",
        ),
        grant("vigil_partner", "SELECT, UPDATE (state, acknowledged_by, acknowledged_at)", "referral_package"),
        row_policy("referral_package", "partner_own_agency", roles="vigil_partner", using=OWN_AGENCY),
        grant("vigil_worker", f"SELECT, UPDATE ({BUILT})", "referral_package"),
        row_policy("referral_package", "worker_all", roles="vigil_worker"),
        grant("vigil_stats", f"SELECT ({WITHOUT_TEXT})", "referral_package"),
        row_policy("referral_package", "stats_all", roles="vigil_stats", command="SELECT"),
        force_rls("referral_download"),
        grant("vigil_console", "SELECT, INSERT", "referral_download"),
        grant("vigil_partner", "SELECT, INSERT", "referral_download"),
        row_policy(
            "referral_download",
            "of_a_visible_package",
            roles="vigil_console, vigil_partner",
            using=OF_A_VISIBLE_PACKAGE,
        ),
        force_rls("referral_outcome"),
        grant("vigil_console", "SELECT", "referral_outcome"),
        grant("vigil_partner", "SELECT, INSERT", "referral_outcome"),
        row_policy(
            "referral_outcome", "of_a_visible_package", roles="vigil_console, vigil_partner", using=OF_A_VISIBLE_PACKAGE
        ),
        grant("vigil_worker, vigil_stats", "SELECT", "referral_outcome"),
        row_policy("referral_outcome", "processes_all", roles="vigil_worker, vigil_stats", command="SELECT"),
    ]
