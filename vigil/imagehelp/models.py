"""Tables of image help: what is half filled in, cases, their fingerprints, and where a person says a picture is.

Field classes (security.md, section a): a link's value = P3, encrypted; fingerprints P2 (needed in clear to be matched); the
rest P1. No table has a place for a picture, a file's name or anything else about a file.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from vigil.core.hotline import LANGUAGE_MAX_LENGTH, LANGUAGE_PATTERN
from vigil.core.ids import new_id

WHO = ("me", "someone")
AGES = ("under_18", "18_plus", "not_sure")
THREAT = ("yes", "no", "")
ENDINGS = ("withdrawn", "set_aside")


class HelpDraft(models.Model):
    """What is half filled in, encrypted under a key derived from the cookie, of which this table has a digest."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    body = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="help_draft_expires")]


class HelpCase(models.Model):
    """A person asked for help with pictures. `report_id` is the report that staff get, when something besides is to be read.

    `wrapped_key` opens with the code that the person was shown once, and with nothing that is stored.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.CharField(max_length=10, unique=True)
    opened_at = models.DateTimeField()
    language = models.CharField(max_length=LANGUAGE_MAX_LENGTH)
    who = models.CharField(max_length=8)
    age = models.CharField(max_length=8)
    threat = models.CharField(max_length=4, blank=True)
    report_id = models.UUIDField(unique=True, default=new_id)
    state = models.CharField(max_length=12, default="open")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=16, blank=True)
    salt = models.BinaryField()
    wrapped_key = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["-opened_at"], name="help_case_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(language__regex=LANGUAGE_PATTERN), name="help_case_has_language"),
            models.CheckConstraint(condition=Q(who__in=WHO), name="help_case_known_who"),
            models.CheckConstraint(condition=Q(age__in=AGES), name="help_case_known_age"),
            models.CheckConstraint(condition=Q(threat__in=THREAT), name="help_case_known_threat"),
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | Q(state__in=ENDINGS, ended_at__isnull=False),
                name="help_case_ended_has_a_time",
            ),
        ]


class HelpFingerprint(models.Model):
    """One fingerprint of a case. On the list of its own it has the same id (`lists.Declared`)."""

    id = models.UUIDField(primary_key=True, default=new_id)
    case = models.ForeignKey(HelpCase, on_delete=models.PROTECT, related_name="fingerprints")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=4)
    value = models.BinaryField()
    quality = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "position"], name="help_fingerprint_one_per_position"),
            models.CheckConstraint(
                condition=Q(kind="pdq", quality__range=(0, 100)) | Q(kind="md5", quality__isnull=True),
                name="help_fingerprint_known_kind",
            ),
        ]


class HelpLink(models.Model):
    """Where a person says a picture is. Encrypted as a link of the case's report, to which it is handed without opening."""

    id = models.UUIDField(primary_key=True, default=new_id)
    case = models.ForeignKey(HelpCase, on_delete=models.PROTECT, related_name="links")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8)
    value = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "position"], name="help_link_one_per_position"),
            models.CheckConstraint(condition=Q(kind__in=["link", "handle"]), name="help_link_known_kind"),
        ]
