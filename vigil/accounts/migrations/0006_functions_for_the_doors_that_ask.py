from django.db import migrations

FUNCTIONS = (
    "vigil_clearance()",
    "vigil_agency()",
    "vigil_provider()",
    "vigil_has_role(text)",
    "vigil_partner_sees(uuid, uuid, uuid)",
)
CLOSED = "".join(
    f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC; GRANT EXECUTE ON FUNCTION {name} TO vigil_console, vigil_partner;"
    for name in FUNCTIONS
)
OPENED = "".join(f"GRANT EXECUTE ON FUNCTION {name} TO PUBLIC;" for name in FUNCTIONS)


class Migration(migrations.Migration):
    """Only the doors whose row policies ask about a person may ask: they lend their owner's right to read people."""

    dependencies = [("accounts", "0005_what_the_worker_sweeps")]
    operations = [migrations.RunSQL(CLOSED, OPENED)]
