"""Tables of the removal room: providers, notices, each attempt, each look at the place, each answer, each removal."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from vigil.core.ids import new_id


class Provider(models.Model):
    """Somebody who can take a file down, known by the mailbox for abuse reports, with the provenance of that mailbox."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    abuse_email = models.CharField(max_length=254, unique=True)
    source = models.CharField(
        max_length=16, choices=[("rdap.ip", "rdap.ip"), ("rdap.domain", "rdap.domain"), ("staff", "staff")]
    )
    handle = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True)
    found_at = models.DateTimeField()
    added_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(source__in=["rdap.ip", "rdap.domain", "staff"]), name="provider_source_known"
            ),
            models.CheckConstraint(
                condition=~Q(source="staff") | Q(added_by__isnull=False), name="provider_of_staff_has_author"
            ),
        ]


class NoticeState(models.TextChoices):
    """Where a notice stands. The place's own state (up, down, unknown) is a column of its own."""

    DUE = "due", "due"  # the first mail is still to be sent
    NO_ADDRESS = "no_address", "no_address"  # nobody to write to was found: a person's work
    SENT = "sent", "sent"  # waiting for the provider, reminded every 24 hours
    ANSWERED = "answered", "answered"  # the provider said that it is gone, or asked for more
    DISPUTED = "disputed", "disputed"  # the provider disagrees or is the wrong one: a person's work
    REAPPEARED = "reappeared", "reappeared"  # was confirmed gone and is back: to be sent again
    REMOVED = "removed", "removed"  # two visits found it gone after our notice
    GONE = "gone", "gone"  # two visits found it gone before any notice was sent
    STOPPED = "stopped", "stopped"  # the entry was withdrawn


CLOSED_STATES = (NoticeState.REMOVED, NoticeState.GONE, NoticeState.STOPPED)
VERDICTS = [("up", "up"), ("down", "down"), ("unknown", "unknown")]


class Notice(models.Model):
    """The demand to take one listed file down from one place, and everything that follows until it is gone.

    `place_sealed` and `page_sealed` are the crawl's sealed addresses: only the key process opens them. `exact`: the file
    there is the listed one byte for byte. `first_down_at` is the first of the visits in a row that found it gone.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=10, unique=True)
    entry = models.ForeignKey("lists.Entry", on_delete=models.PROTECT, related_name="+")
    sighting = models.OneToOneField("crawl.Sighting", on_delete=models.PROTECT, related_name="+")
    last_sighting_id = models.UUIDField()
    place_id = models.UUIDField()
    place_sealed = models.BinaryField()
    page_place_id = models.UUIDField(null=True)
    page_sealed = models.BinaryField(null=True)
    server_address = models.CharField(max_length=45, blank=True)
    exact = models.BooleanField()
    classification = models.CharField(max_length=32)
    sensitivity = models.PositiveSmallIntegerField(default=1)
    provider = models.ForeignKey(Provider, null=True, on_delete=models.PROTECT, related_name="notices")
    state = models.CharField(max_length=16, choices=NoticeState.choices, default=NoticeState.DUE)

    first_seen_at = models.DateTimeField()
    opened_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    # A place that comes back begins a new round: seen again, mailed again, confirmed again.
    round_seen_at = models.DateTimeField()
    round_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    mails_sent = models.PositiveIntegerField(default=0)
    last_answer = models.CharField(max_length=16, blank=True)

    place_state = models.CharField(max_length=8, choices=VERDICTS, default="up")
    last_checked_at = models.DateTimeField(null=True)
    first_down_at = models.DateTimeField(null=True)
    first_down_check_id = models.UUIDField(null=True)
    reappeared_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    stop_reason = models.CharField(max_length=32, blank=True)

    # What is due, by core.clock; a tick looks at these. None: nothing of the kind.
    next_lookup_at = models.DateTimeField(null=True)
    next_mail_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    pending_check_id = models.UUIDField(null=True)
    check_asked_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_failure = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=NoticeState.values), name="notice_state_known"),
            models.CheckConstraint(
                condition=Q(place_state__in=["up", "down", "unknown"]), name="notice_place_state_known"
            ),
            models.UniqueConstraint(fields=["entry", "place_id"], name="notice_one_per_entry_and_place"),
            models.CheckConstraint(
                condition=~Q(state="removed") | Q(round_sent_at__isnull=False), name="notice_removed_only_after_a_mail"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=CLOSED_STATES) | Q(closed_at__isnull=False), name="notice_closed_has_time"
            ),
            models.CheckConstraint(
                condition=Q(sensitivity__gte=1) & Q(sensitivity__lte=3), name="notice_sensitivity_in_range"
            ),
        ]
        indexes = [
            models.Index(fields=["next_mail_at"], name="notice_next_mail"),
            models.Index(fields=["next_check_at"], name="notice_next_check"),
            models.Index(fields=["next_lookup_at"], name="notice_next_lookup"),
            models.Index(fields=["state", "opened_at"], name="notice_state_opened"),
        ]

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is due: removed, gone or stopped."""
        return self.state in CLOSED_STATES

    @property
    def attempt_kind(self) -> str:
        """The name of the mail that would be sent next; with the notice's id it fixes the Message-ID."""
        return f"reminder-{self.mails_sent}" if self.mails_sent else "notice"


class NoticeAttempt(models.Model):
    """One try to send one mail. Of each mail (notice and kind) at most one try counts as sent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="attempts")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=24)
    message_id = models.CharField(max_length=255)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=[("sent", "sent"), ("failed", "failed")])
    code = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=["sent", "failed"]), name="attempt_outcome_known"),
            models.UniqueConstraint(fields=["notice", "kind"], condition=Q(outcome="sent"), name="attempt_sent_once"),
            models.UniqueConstraint(fields=["message_id"], condition=Q(outcome="sent"), name="attempt_message_id_once"),
        ]


class NoticeCheck(models.Model):
    """One look at the place that this notice asked the crawl for, and what it found."""

    id = models.UUIDField(primary_key=True, editable=False)  # the crawl's own id of the check
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="checks")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=8, choices=VERDICTS, blank=True)
    detail = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(done_at__isnull=True) & Q(verdict=""))
                | (Q(done_at__isnull=False) & Q(verdict__in=["up", "down", "unknown"])),
                name="check_has_verdict_when_done",
            )
        ]


class AnswerToken(models.Model):
    """The link of one mail: 128 random-looking bits, of which only the digest is kept. It answers once and expires."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="tokens")
    token_hash = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)


class AnswerKind(models.TextChoices):
    """What a provider says that it did."""

    REMOVED = "removed", "removed"
    ALREADY_GONE = "already_gone", "already_gone"
    NOT_OURS = "not_ours", "not_ours"
    NEED_MORE = "need_more", "need_more"
    DISAGREE = "disagree", "disagree"


class Answer(models.Model):
    """What a provider answered through a link. A claim: the place is looked at again. `words` are encrypted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="answers")
    token = models.OneToOneField(AnswerToken, on_delete=models.PROTECT, related_name="answer")
    kind = models.CharField(max_length=16, choices=AnswerKind.choices)
    kept_evidence = models.CharField(max_length=8, choices=[("yes", "yes"), ("no", "no"), ("", "")], blank=True)
    words = models.BinaryField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=AnswerKind.values), name="answer_kind_known")]


class Removal(models.Model):
    """A confirmed removal: after our notice, two visits far enough apart found the file gone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=10, unique=True)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="removals")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="removals")
    first_seen_at = models.DateTimeField()
    notice_sent_at = models.DateTimeField()
    first_down_at = models.DateTimeField()
    first_down_check = models.ForeignKey(NoticeCheck, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField()
    confirming_check = models.ForeignKey(NoticeCheck, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_at__gt=models.F("first_down_at")), name="removal_takes_two_visits"
            ),
            models.UniqueConstraint(fields=["first_down_check"], name="removal_once_per_first_visit"),
        ]
