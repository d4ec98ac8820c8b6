"""Tables of intake: half-filled reports, reports, their links, and the thread between a reporter and the readers.

Field classes (security.md, section a): narrative, words, contact, value, body = P3, encrypted per record; the rest P1.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from vigil.core.hotline import LANGUAGE_MAX_LENGTH, LANGUAGE_PATTERN
from vigil.core.ids import new_id

#: Where a report comes from: data on every report and every figure.
SOURCES = ("web", "phone", "letter", "bulk", "mailbox", "partner_api", "police")


class Draft(models.Model):
    """A half-filled report. Its body is encrypted under a key derived from the cookie, of which this table has a digest."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    body = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="draft_expires")]


class AskedQuestions(models.Model):
    """A question set as it was asked: its whole content, named by its digest, kept beside the reports that it asked."""

    digest = models.CharField(max_length=64, primary_key=True)
    name = models.CharField(max_length=40)
    body = models.TextField()
    first_asked_at = models.DateTimeField()


class Report(models.Model):
    """What somebody sent, once, unchanged since. `answers` holds codes only; words and contact details are encrypted.

    `answers` are the question set's own codes, `signals` what they mean in the fixed words that triage and figures read.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=10, unique=True)
    submitted_at = models.DateTimeField()
    language = models.CharField(max_length=LANGUAGE_MAX_LENGTH)
    source = models.CharField(max_length=16)
    # The partner organisation that handed it in (accounts), by whatever door.
    partner_id = models.UUIDField(null=True)
    question_set = models.CharField(max_length=40)
    asked = models.ForeignKey(
        AskedQuestions, on_delete=models.PROTECT, null=True, related_name="+", db_column="asked_digest"
    )
    answers = models.JSONField()
    signals = models.JSONField(null=True)
    under_18 = models.BooleanField()
    narrative = models.BinaryField(null=True)
    words = models.BinaryField(null=True)
    contact = models.BinaryField(null=True)

    class Meta:
        indexes = [models.Index(fields=["submitted_at"], name="report_submitted")]
        constraints = [
            models.CheckConstraint(condition=Q(language__regex=LANGUAGE_PATTERN), name="report_has_language"),
            models.CheckConstraint(condition=Q(source__in=SOURCES), name="report_has_known_source"),
        ]


class Delivery(models.Model):
    """One form, list, mail or call that handed in reports, and what became of each line: the same again gives the same answer.

    `once` names it, keyed, so that it says nothing; `results` holds lines, numbers and codes, never a text. A mail is answered
    when `answer_due_at` has come.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    once = models.BinaryField(unique=True)
    content_digest = models.BinaryField()
    source = models.CharField(max_length=16)
    partner_id = models.UUIDField(null=True)
    by = models.UUIDField()
    at = models.DateTimeField()
    results = models.JSONField()
    message_id = models.CharField(max_length=255, blank=True, default="")
    attachments = models.PositiveIntegerField(default=0)
    answer_due_at = models.DateTimeField(null=True)
    answer_attempts = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["answer_due_at"], condition=Q(answer_due_at__isnull=False), name="delivery_answer_due")
        ]
        constraints = [models.CheckConstraint(condition=Q(source__in=SOURCES), name="delivery_has_known_source")]


class ReportLink(models.Model):
    """One link or handle of a report, encrypted; equality search goes through the blind index made inside `keyd`."""

    id = models.UUIDField(primary_key=True, default=new_id)
    report = models.ForeignKey(Report, on_delete=models.PROTECT, related_name="links")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8)
    value = models.BinaryField()
    blind_index = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["report", "position"], name="reportlink_one_per_position"),
            models.CheckConstraint(condition=Q(kind__in=["link", "handle"]), name="reportlink_has_known_kind"),
        ]


class Thread(models.Model):
    """What number and secret open: its key is wrapped under the secret for the reporter and sealed to `keyd` for staff."""

    report = models.OneToOneField(Report, on_delete=models.PROTECT, primary_key=True, related_name="thread")
    salt = models.BinaryField()
    wrapped_key = models.BinaryField()
    state = models.CharField(max_length=8, default="received")
    contact_withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["received", "read", "question", "closed"]), name="thread_has_known_state"
            ),
        ]


class Message(models.Model):
    """One message of a thread, encrypted under the thread's key."""

    id = models.UUIDField(primary_key=True, default=new_id)
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="messages")
    direction = models.CharField(max_length=8)
    body = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["thread", "at"], name="message_thread_at")]
        constraints = [
            models.CheckConstraint(
                condition=Q(direction__in=["reporter", "staff"]), name="message_has_known_direction"
            ),
        ]
