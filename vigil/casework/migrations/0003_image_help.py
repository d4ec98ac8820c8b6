from django.db import migrations, models

from vigil.core.migrations_sql import grant, row_policy


class Migration(migrations.Migration):
    """Image help: a step for what fits a person's fingerprint, and the worker may make the report of a case."""

    dependencies = [
        ("casework", "0003_language_of_any_hotline"),
        ("intake", "0003_question_sets"),
        ("imagehelp", "0002_grants_and_functions"),
        ("crawl", "0004_declared_matches"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="step",
            name="step_has_known_kind",
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        (
                            "opened",
                            "claimed",
                            "released",
                            "decided",
                            "needs_more",
                            "case_opened",
                            "added_to_case",
                            "taken_out_of_case",
                            "places_fetched",
                            "candidates_found",
                            "entry_proposed",
                            "entry_published",
                            "entry_refused",
                            "entry_withdrawn",
                            "question_asked",
                            "declared_match",
                        ),
                    )
                ),
                name="step_has_known_kind",
            ),
        ),
        grant("vigil_worker", "INSERT", "intake_report"),
        grant("vigil_worker", "INSERT", "intake_reportlink"),
        row_policy(
            "intake_report",
            "help_by_worker",
            roles="vigil_worker",
            check="question_set = 'image_help'",
            command="INSERT",
        ),
        row_policy(
            "intake_reportlink",
            "help_by_worker",
            roles="vigil_worker",
            check="EXISTS (SELECT 1 FROM intake_report r WHERE r.id = report_id AND r.question_set = 'image_help')",
            command="INSERT",
        ),
    ]
