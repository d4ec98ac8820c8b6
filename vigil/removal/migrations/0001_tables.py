import django.db.models.deletion
from django.db import migrations, models

import vigil.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("crawl", "0001_tables"),
        ("lists", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.CharField(max_length=10, unique=True)),
                ("last_sighting_id", models.UUIDField()),
                ("place_id", models.UUIDField()),
                ("place_sealed", models.BinaryField()),
                ("page_place_id", models.UUIDField(null=True)),
                ("page_sealed", models.BinaryField(null=True)),
                ("server_address", models.CharField(blank=True, max_length=45)),
                ("exact", models.BooleanField()),
                ("classification", models.CharField(max_length=32)),
                ("sensitivity", models.PositiveSmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "due"),
                            ("no_address", "no_address"),
                            ("sent", "sent"),
                            ("answered", "answered"),
                            ("disputed", "disputed"),
                            ("reappeared", "reappeared"),
                            ("removed", "removed"),
                            ("gone", "gone"),
                            ("stopped", "stopped"),
                        ],
                        default="due",
                        max_length=16,
                    ),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("round_seen_at", models.DateTimeField()),
                ("round_sent_at", models.DateTimeField(null=True)),
                ("last_sent_at", models.DateTimeField(null=True)),
                ("mails_sent", models.PositiveIntegerField(default=0)),
                ("last_answer", models.CharField(blank=True, max_length=16)),
                (
                    "place_state",
                    models.CharField(
                        choices=[("up", "up"), ("down", "down"), ("unknown", "unknown")], default="up", max_length=8
                    ),
                ),
                ("last_checked_at", models.DateTimeField(null=True)),
                ("first_down_at", models.DateTimeField(null=True)),
                ("first_down_check_id", models.UUIDField(null=True)),
                ("reappeared_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("stop_reason", models.CharField(blank=True, max_length=32)),
                ("next_lookup_at", models.DateTimeField(null=True)),
                ("next_mail_at", models.DateTimeField(null=True)),
                ("next_check_at", models.DateTimeField(null=True)),
                ("pending_check_id", models.UUIDField(null=True)),
                ("check_asked_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("last_failure", models.CharField(blank=True, max_length=64)),
                (
                    "entry",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="lists.entry"),
                ),
                (
                    "sighting",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crawl.sighting"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AnswerToken",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tokens", to="removal.notice"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NoticeCheck",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True, choices=[("up", "up"), ("down", "down"), ("unknown", "unknown")], max_length=8
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=64)),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="checks", to="removal.notice"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Provider",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=200)),
                ("abuse_email", models.CharField(max_length=254, unique=True)),
                (
                    "source",
                    models.CharField(
                        choices=[("rdap.ip", "rdap.ip"), ("rdap.domain", "rdap.domain"), ("staff", "staff")],
                        max_length=16,
                    ),
                ),
                ("handle", models.CharField(blank=True, max_length=100)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("found_at", models.DateTimeField()),
                ("added_by", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["rdap.ip", "rdap.domain", "staff"])),
                        name="provider_source_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("source", "staff"), _negated=True), ("added_by__isnull", False), _connector="OR"
                        ),
                        name="provider_of_staff_has_author",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeAttempt",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=24)),
                ("message_id", models.CharField(max_length=255)),
                ("at", models.DateTimeField()),
                ("outcome", models.CharField(choices=[("sent", "sent"), ("failed", "failed")], max_length=8)),
                ("code", models.CharField(blank=True, max_length=64)),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="removal.notice"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="removal.provider"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="notice",
            name="provider",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="removal.provider"
            ),
        ),
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.CharField(max_length=10, unique=True)),
                ("first_seen_at", models.DateTimeField()),
                ("notice_sent_at", models.DateTimeField()),
                ("first_down_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField()),
                (
                    "confirming_check",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="removal.noticecheck"
                    ),
                ),
                (
                    "first_down_check",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="removal.noticecheck"
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="removals", to="removal.notice"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="removals", to="removal.provider"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Answer",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vigil.core.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("removed", "removed"),
                            ("already_gone", "already_gone"),
                            ("not_ours", "not_ours"),
                            ("need_more", "need_more"),
                            ("disagree", "disagree"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "kept_evidence",
                    models.CharField(blank=True, choices=[("yes", "yes"), ("no", "no"), ("", "")], max_length=8),
                ),
                ("words", models.BinaryField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="answer", to="removal.answertoken"
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="answers", to="removal.notice"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["removed", "already_gone", "not_ours", "need_more", "disagree"])
                        ),
                        name="answer_kind_known",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="noticecheck",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("done_at__isnull", True), ("verdict", "")),
                    models.Q(("done_at__isnull", False), ("verdict__in", ["up", "down", "unknown"])),
                    _connector="OR",
                ),
                name="check_has_verdict_when_done",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticeattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["sent", "failed"])), name="attempt_outcome_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="noticeattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "sent")), fields=("notice", "kind"), name="attempt_sent_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="noticeattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "sent")), fields=("message_id",), name="attempt_message_id_once"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["next_mail_at"], name="notice_next_mail"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["next_check_at"], name="notice_next_check"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["next_lookup_at"], name="notice_next_lookup"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["state", "opened_at"], name="notice_state_opened"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "due",
                            "no_address",
                            "sent",
                            "answered",
                            "disputed",
                            "reappeared",
                            "removed",
                            "gone",
                            "stopped",
                        ],
                    )
                ),
                name="notice_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("place_state__in", ["up", "down", "unknown"])), name="notice_place_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(fields=("entry", "place_id"), name="notice_one_per_entry_and_place"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "removed"), _negated=True), ("round_sent_at__isnull", False), _connector="OR"
                ),
                name="notice_removed_only_after_a_mail",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("removed", "gone", "stopped")), _negated=True),
                    ("closed_at__isnull", False),
                    _connector="OR",
                ),
                name="notice_closed_has_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("sensitivity__gte", 1), ("sensitivity__lte", 3)), name="notice_sensitivity_in_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.CheckConstraint(
                condition=models.Q(("confirmed_at__gt", models.F("first_down_at"))), name="removal_takes_two_visits"
            ),
        ),
        migrations.AddConstraint(
            model_name="removal",
            constraint=models.UniqueConstraint(fields=("first_down_check",), name="removal_once_per_first_visit"),
        ),
    ]
