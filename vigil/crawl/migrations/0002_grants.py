from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

ALL_TABLES = (
    "crawl_host, crawl_place, crawl_shown, crawl_seed, crawl_visit, crawl_candidate, crawl_sighting, crawl_check"
)


class Migration(migrations.Migration):
    """Who may touch the crawl: fetchers work, staff ask and decide, jobs match again and ask, figures count."""

    dependencies = [
        ("crawl", "0001_tables"),
        ("core", "0002_grants_and_event_trigger"),
        ("accounts", "0002_functions_of_the_actor"),
    ]
    operations = [
        # Fetchers.
        grant(
            "vigil_crawl", "SELECT, INSERT, UPDATE", "crawl_host, crawl_place, crawl_shown, crawl_seed, crawl_reading"
        ),
        grant("vigil_crawl", "SELECT, INSERT", "crawl_visit, crawl_candidate, crawl_sighting"),
        grant("vigil_crawl", "SELECT, UPDATE (done_at, verdict, detail, status)", "crawl_check"),
        # Staff and jobs ask for looks and checks; staff decide sightings.
        grant("vigil_console, vigil_worker", "SELECT", ALL_TABLES),
        grant("vigil_console, vigil_worker", "INSERT", "crawl_host, crawl_place, crawl_seed, crawl_check"),
        grant("vigil_console, vigil_worker", "UPDATE (due_at, is_urgent)", "crawl_host"),
        grant("vigil_console, vigil_worker", "UPDATE (next_at, is_urgent, depth)", "crawl_place"),
        grant("vigil_console, vigil_worker", "UPDATE (asked_at, seen_at, done_at, outcome)", "crawl_seed"),
        grant("vigil_console, vigil_worker", "UPDATE (state, reason, decided_by, decided_at)", "crawl_sighting"),
        # Jobs match what was read before against an entry that is published now.
        grant("vigil_worker", "SELECT, UPDATE (matched_version, is_late)", "crawl_reading"),
        grant("vigil_worker", "INSERT", "crawl_sighting"),
        grant("vigil_stats", "SELECT", "crawl_sighting, crawl_check, crawl_visit, crawl_candidate"),
        # A sighting is as sensitive as the entry it shows.
        force_rls("crawl_sighting"),
        row_policy("crawl_sighting", "sighting_processes", roles="vigil_crawl, vigil_worker, vigil_stats"),
        row_policy("crawl_sighting", "sighting_staff", roles="vigil_console", using="sensitivity <= vigil_clearance()"),
    ]
