from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

STAFF = "vigil_console"
PARTNER = "vigil_partner"
BOTH = "vigil_console, vigil_partner"

# A partner's process sees partners' accounts (never staff); once somebody is signed in, the own agency's or company's only.
PARTNERS_PEOPLE = (
    "roles && ARRAY['police_officer', 'provider']::varchar[] AND vigil_partner_sees(id, agency_id, provider_id)"
)
OF_A_VISIBLE_PERSON = "EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = {column})"
ADMINISTRATOR = "vigil_has_role('administrator')"


def sign_in_table(table: str, column: str) -> list[migrations.operations.base.Operation]:
    """A table of the sign-in library: all of it for the console, for the partner origin the rows of people it may see."""
    visible = OF_A_VISIBLE_PERSON.format(column=column)
    return [
        grant(BOTH, "SELECT, INSERT, UPDATE, DELETE", table),
        force_rls(table),
        row_policy(table, f"{table}_console", roles=STAFF),
        row_policy(table, f"{table}_partner", roles=PARTNER, using=visible),
    ]


class Migration(migrations.Migration):
    """Who may touch accounts: staff and partner origins sign people in, administrators change people, others read names."""

    dependencies = [
        ("accounts", "0003_sessions_and_keys_in_sql"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("axes", "0010_accessattemptexpiration"),
    ]
    operations = [
        # People: everybody on staff reads names; one's own row (language, password) or an administrator's change.
        grant(STAFF, "SELECT, INSERT, UPDATE", "accounts_person"),
        grant(PARTNER, "SELECT, UPDATE (language, password, last_login)", "accounts_person"),
        grant("vigil_worker", "SELECT", "accounts_person"),
        force_rls("accounts_person"),
        row_policy("accounts_person", "person_read_console", roles=STAFF, command="SELECT"),
        row_policy("accounts_person", "person_read_worker", roles="vigil_worker", command="SELECT"),
        row_policy("accounts_person", "person_read_partner", roles=PARTNER, using=PARTNERS_PEOPLE, command="SELECT"),
        row_policy("accounts_person", "person_make", roles=STAFF, check=ADMINISTRATOR, command="INSERT"),
        row_policy(
            "accounts_person",
            "person_change",
            roles=STAFF,
            using=f"id = vigil_actor() OR {ADMINISTRATOR}",
            command="UPDATE",
        ),
        row_policy("accounts_person", "person_change_own", roles=PARTNER, using="id = vigil_actor()", command="UPDATE"),
        # Agencies are not secret inside the system.
        grant(STAFF, "SELECT, INSERT, UPDATE", "accounts_agency"),
        grant("vigil_partner, vigil_worker", "SELECT", "accounts_agency"),
        force_rls("accounts_agency"),
        row_policy(
            "accounts_agency", "agency_read", roles="vigil_console, vigil_partner, vigil_worker", command="SELECT"
        ),
        row_policy("accounts_agency", "agency_make", roles=STAFF, check=ADMINISTRATOR, command="INSERT"),
        row_policy("accounts_agency", "agency_change", roles=STAFF, using=ADMINISTRATOR, command="UPDATE"),
        # Invitations are made by administrators and used by whoever holds the link, before anybody is signed in.
        grant(STAFF, "SELECT, INSERT, UPDATE", "accounts_invitation"),
        grant(PARTNER, "SELECT, UPDATE (used_at)", "accounts_invitation"),
        force_rls("accounts_invitation"),
        row_policy("accounts_invitation", "invitation_read", roles=STAFF, command="SELECT"),
        row_policy("accounts_invitation", "invitation_make", roles=STAFF, check=ADMINISTRATOR, command="INSERT"),
        row_policy("accounts_invitation", "invitation_use", roles=STAFF, command="UPDATE"),
        row_policy(
            "accounts_invitation",
            "invitation_partner",
            roles=PARTNER,
            using=OF_A_VISIBLE_PERSON.format(column="person_id"),
        ),
        # Keys: administrators only; the protocol doors ask vigil_api_key().
        grant(STAFF, "SELECT, INSERT, UPDATE", "accounts_apikey"),
        force_rls("accounts_apikey"),
        row_policy("accounts_apikey", "api_key_administrator", roles=STAFF, using=ADMINISTRATOR),
        # Sessions: each origin its own.
        grant(BOTH, "SELECT, INSERT, UPDATE, DELETE", "accounts_session"),
        force_rls("accounts_session"),
        row_policy("accounts_session", "session_of_this_door", roles=BOTH, using="door = current_user"),
        # Notices: written with the change, sent by the worker.
        grant(BOTH, "INSERT", "accounts_securitynotice"),
        grant("vigil_worker", "SELECT, UPDATE", "accounts_securitynotice"),
        force_rls("accounts_securitynotice"),
        row_policy(
            "accounts_securitynotice", "security_notice_write", roles=BOTH, command="INSERT", using=None, check="true"
        ),
        row_policy("accounts_securitynotice", "security_notice_send", roles="vigil_worker"),
        # The sign-in libraries' own tables.
        *sign_in_table("mfa_authenticator", "user_id"),
        *sign_in_table("account_emailaddress", "user_id"),
        grant(BOTH, "SELECT, INSERT, UPDATE, DELETE", "axes_accessattempt"),
        grant(BOTH, "SELECT, INSERT, UPDATE, DELETE", "axes_accessattemptexpiration"),
        grant(BOTH, "SELECT, INSERT, UPDATE, DELETE", "axes_accessfailurelog"),
        grant(BOTH, "SELECT, INSERT, UPDATE, DELETE", "axes_accesslog"),
    ]
