from django.db import migrations

from vigil.core.migrations_sql import force_rls, grant, row_policy

# SECURITY DEFINER: whoever inserts need not be able to read entries and sightings, and no row policy may blind the rule.
NOTICE_RULE = """
CREATE FUNCTION removal_notice_is_called_for() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    -- FOR SHARE: an entry that is being withdrawn at this moment is waited for, and then refused.
    PERFORM 1 FROM lists_entry WHERE id = NEW.entry_id AND state = 'published' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a notice needs a published entry' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'notice_needs_published_entry';
    END IF;
    PERFORM 1 FROM crawl_sighting WHERE id = NEW.sighting_id AND entry_id = NEW.entry_id AND place_id = NEW.place_id
        AND state = 'confirmed' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a notice needs a confirmed sighting of its entry at its place' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'notice_needs_confirmed_sighting';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION removal_notice_is_called_for() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER notice_is_called_for AFTER INSERT ON removal_notice
    NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION removal_notice_is_called_for();
-- What a notice is about may not be changed into something else; closing one whose entry was withdrawn is no such change.
CREATE CONSTRAINT TRIGGER notice_stays_called_for AFTER UPDATE ON removal_notice NOT DEFERRABLE FOR EACH ROW
    WHEN ((OLD.entry_id, OLD.sighting_id, OLD.place_id) IS DISTINCT FROM (NEW.entry_id, NEW.sighting_id, NEW.place_id))
    EXECUTE FUNCTION removal_notice_is_called_for();
"""
NOTICE_RULE_DROPPED = """
DROP TRIGGER notice_stays_called_for ON removal_notice; DROP TRIGGER notice_is_called_for ON removal_notice; DROP FUNCTION removal_notice_is_called_for();
"""

REMOVAL_RULE = """
CREATE FUNCTION removal_is_confirmed_twice() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF 2 <> (SELECT count(*) FROM removal_noticecheck WHERE notice_id = NEW.notice_id AND verdict = 'down'
             AND id IN (NEW.first_down_check_id, NEW.confirming_check_id)) THEN
        RAISE EXCEPTION 'a removal needs two visits that found it gone' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'removal_needs_two_visits';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION removal_is_confirmed_twice() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER removal_is_confirmed_twice AFTER INSERT OR UPDATE ON removal_removal
    NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION removal_is_confirmed_twice();
"""
REMOVAL_RULE_DROPPED = """
DROP TRIGGER removal_is_confirmed_twice ON removal_removal; DROP FUNCTION removal_is_confirmed_twice();
"""

STAFF, WORKER, PARTNER, FIGURES = "vigil_console", "vigil_worker", "vigil_partner", "vigil_stats"
CLEARED = "sensitivity <= vigil_clearance()"
OF_A_VISIBLE_NOTICE = "EXISTS (SELECT 1 FROM removal_notice n WHERE n.id = notice_id)"
# The partner process sees one link and its notice, after it has named the digest of the link's secret. Anything else: nothing.
OF_THIS_LINK = "encode(token_hash, 'hex') = current_setting('vigil.answer', true)"
NOTICE_OF_THIS_LINK = "EXISTS (SELECT 1 FROM removal_answertoken t WHERE t.notice_id = removal_notice.id)"
CHILDREN = ("removal_noticeattempt", "removal_noticecheck", "removal_answertoken", "removal_answer", "removal_removal")
# What figures are made from: times, states and ids. No sealed address, no mailbox, no words.
COUNTED = {
    "removal_notice": "id, number, entry_id, sighting_id, provider_id, sensitivity, state, place_state, classification, exact, "
    "first_seen_at, opened_at, sent_at, closed_at, reappeared_at, mails_sent, last_answer",
    "removal_noticeattempt": "id, notice_id, kind, at, outcome",
    "removal_answer": "id, notice_id, kind, at",
    "removal_removal": "id, number, notice_id, provider_id, first_seen_at, notice_sent_at, first_down_at, confirmed_at",
    "removal_provider": "id, country",
}


class Migration(migrations.Migration):
    """Who may touch notices; a notice needs its entry and sighting, a removal its two visits, whoever writes the row."""

    dependencies = [
        ("removal", "0001_tables"),
        ("accounts", "0002_functions_of_the_actor"),
        ("core", "0002_grants_and_event_trigger"),
    ]
    operations = [
        migrations.RunSQL(NOTICE_RULE, NOTICE_RULE_DROPPED),
        migrations.RunSQL(REMOVAL_RULE, REMOVAL_RULE_DROPPED),
        *[force_rls(table) for table in ("removal_provider", "removal_notice", *CHILDREN)],
        # The worker opens, sends, counts and closes.
        grant(WORKER, "SELECT, INSERT", "removal_provider"),
        grant(WORKER, "SELECT, INSERT, UPDATE", "removal_notice"),
        grant(WORKER, "SELECT, INSERT", "removal_noticeattempt"),
        grant(WORKER, "SELECT, INSERT, UPDATE", "removal_noticecheck"),
        grant(WORKER, "SELECT, INSERT", "removal_answertoken"),
        grant(WORKER, "SELECT", "removal_answer"),
        grant(WORKER, "SELECT, INSERT", "removal_removal"),
        *[
            row_policy(table, f"{table}_worker", roles=WORKER)
            for table in ("removal_provider", "removal_notice", *CHILDREN)
        ],
        # Staff see what their clearance reaches, name a mailbox and have things tried again.
        grant(STAFF, "SELECT, INSERT", "removal_provider"),
        row_policy("removal_provider", "removal_provider_console", roles=STAFF),
        grant(STAFF, "SELECT", "removal_notice"),
        grant(
            STAFF,
            "UPDATE (state, provider_id, next_lookup_at, next_mail_at, next_check_at, failures, last_failure)",
            "removal_notice",
        ),
        row_policy("removal_notice", "removal_notice_console", roles=STAFF, using=CLEARED, command="SELECT"),
        row_policy("removal_notice", "removal_notice_console_change", roles=STAFF, using=CLEARED, command="UPDATE"),
        *[grant(STAFF, "SELECT", table) for table in CHILDREN if table != "removal_answertoken"],
        *[
            row_policy(table, f"{table}_console", roles=STAFF, using=OF_A_VISIBLE_NOTICE, command="SELECT")
            for table in CHILDREN
            if table != "removal_answertoken"
        ],
        # Providers answer without an account: one link, its notice, one answer.
        grant(PARTNER, "SELECT, UPDATE (confirmed_at, used_at)", "removal_answertoken"),
        row_policy("removal_answertoken", "removal_answertoken_partner", roles=PARTNER, using=OF_THIS_LINK),
        grant(
            PARTNER,
            "SELECT (id, number, provider_id, place_id, place_sealed, page_place_id, page_sealed, round_seen_at, sent_at, "
            "classification, sensitivity, state)",
            "removal_notice",
        ),
        row_policy(
            "removal_notice", "removal_notice_partner", roles=PARTNER, using=NOTICE_OF_THIS_LINK, command="SELECT"
        ),
        grant(PARTNER, "INSERT", "removal_answer"),
        row_policy(
            "removal_answer",
            "removal_answer_partner",
            roles=PARTNER,
            using=None,
            check="EXISTS (SELECT 1 FROM removal_answertoken t WHERE t.id = token_id AND t.notice_id = removal_answer.notice_id)",
            command="INSERT",
        ),
        # Figures.
        *[grant(FIGURES, f"SELECT ({columns})", table) for table, columns in COUNTED.items()],
        *[row_policy(table, f"{table}_figures", roles=FIGURES, command="SELECT") for table in COUNTED],
    ]
