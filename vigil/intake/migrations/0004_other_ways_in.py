from django.db import migrations, models

import vigil.core.ids
from vigil.core.migrations_sql import force_rls, grant, row_policy

SOURCES = ("web", "phone", "letter", "bulk", "mailbox", "partner_api", "police")
OF_A_REPORT = ("intake_report", "intake_reportlink", "intake_thread")
BY_STAFF = "vigil_actor() IS NOT NULL AND vigil_has_role('intake_analyst')"
# A report by a door says which door: nothing but the public form writes "web".
SOURCES_OF_ROLE = {
    "vigil_console": "source IN ('phone', 'letter', 'bulk', 'police')",
    "vigil_wire": "source IN ('mailbox', 'partner_api', 'police') AND partner_id IS NOT NULL",
}

# What was answered to a delivery, for the door that it came by; a door that reads no table of intake learns nothing else.
DELIVERY_OF = """
CREATE FUNCTION intake_delivery_of(wanted bytea) RETURNS TABLE (delivery_id uuid, content_digest bytea, results jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.id, d.content_digest, d.results FROM intake_delivery d WHERE d.once = wanted
$$;
REVOKE ALL ON FUNCTION intake_delivery_of(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_delivery_of(bytea) TO vigil_console, vigil_wire;
"""
# A question set is stored once, by whichever door asks it first.
KEEP_QUESTIONS = """
CREATE FUNCTION intake_keep_questions(asked text, asked_name text, asked_body text, asked_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO intake_askedquestions (digest, name, body, first_asked_at)
    SELECT asked, asked_name, asked_body, asked_at
    WHERE asked = encode(sha256(convert_to(asked_body, 'UTF8')), 'hex')
    AND NOT EXISTS (SELECT 1 FROM intake_askedquestions q WHERE q.digest = asked)
    ON CONFLICT DO NOTHING
$$;
REVOKE ALL ON FUNCTION intake_keep_questions(text, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake_keep_questions(text, text, text, timestamptz)
    TO vigil_public, vigil_console, vigil_wire, vigil_worker;
"""


class Migration(migrations.Migration):
    """Reports come by telephone, letter, list, mail and program too: each says by which door and from which partner."""

    dependencies = [("intake", "0003_question_sets"), ("accounts", "0007_partner_organisations")]
    operations = [
        migrations.AddField("report", "partner_id", models.UUIDField(null=True)),
        migrations.RemoveConstraint("report", "report_has_known_source"),
        migrations.AddConstraint(
            "report",
            models.CheckConstraint(condition=models.Q(("source__in", SOURCES)), name="report_has_known_source"),
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=vigil.core.ids.new_id, primary_key=True, serialize=False)),
                ("once", models.BinaryField(unique=True)),
                ("content_digest", models.BinaryField()),
                ("source", models.CharField(max_length=16)),
                ("partner_id", models.UUIDField(null=True)),
                ("by", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("results", models.JSONField()),
                ("message_id", models.CharField(blank=True, default="", max_length=255)),
                ("attachments", models.PositiveIntegerField(default=0)),
                ("answer_due_at", models.DateTimeField(null=True)),
                ("answer_attempts", models.PositiveSmallIntegerField(default=0)),
                ("answered_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("answer_due_at__isnull", False)),
                        fields=["answer_due_at"],
                        name="delivery_answer_due",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("source__in", SOURCES)), name="delivery_has_known_source"
                    )
                ],
            },
        ),
        migrations.RunSQL(DELIVERY_OF, "DROP FUNCTION intake_delivery_of(bytea)"),
        migrations.RunSQL(KEEP_QUESTIONS, "DROP FUNCTION intake_keep_questions(text, text, text, timestamptz)"),
        *[grant("vigil_console, vigil_wire", "INSERT", table) for table in (*OF_A_REPORT, "intake_delivery")],
        *[
            row_policy("intake_report", f"handed_in_{role}", roles=role, check=check, command="INSERT")
            for role, check in (
                ("vigil_console", f"{BY_STAFF} AND {SOURCES_OF_ROLE['vigil_console']}"),
                ("vigil_wire", SOURCES_OF_ROLE["vigil_wire"]),
            )
        ],
        *[
            row_policy(table, f"handed_in_{role}", roles=role, check=check, command="INSERT")
            for table in OF_A_REPORT[1:]
            for role, check in (("vigil_console", BY_STAFF), ("vigil_wire", "true"))
        ],
        force_rls("intake_delivery"),
        row_policy("intake_delivery", "kept_by_staff", roles="vigil_console", check=BY_STAFF, command="INSERT"),
        row_policy(
            "intake_delivery",
            "kept_by_wire",
            roles="vigil_wire",
            check=SOURCES_OF_ROLE["vigil_wire"],
            command="INSERT",
        ),
        grant("vigil_worker", "SELECT, UPDATE (answer_due_at, answer_attempts, answered_at)", "intake_delivery"),
        row_policy("intake_delivery", "answered_by_worker", roles="vigil_worker"),
    ]
