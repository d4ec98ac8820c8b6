"""Tables that every room shares: numbers, events, sealed envelopes, the clock's offset."""

from __future__ import annotations

from django.db import models


class Number(models.Model):
    """A public number and what it stands for: the thread that `vigil trace` follows."""

    number = models.CharField(max_length=10, primary_key=True)
    kind = models.CharField(max_length=16)
    subject_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="number_one_per_subject")]


class Event(models.Model):
    """Something happened that a room further left wants to know. Ids and codes only; a trigger asks the worker to look."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    actor_id = models.UUIDField()
    actor_kind = models.CharField(max_length=16)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "at"], name="event_kind_at"),
            models.Index(fields=["subject_id"], name="event_subject"),
        ]


class EventHandled(models.Model):
    """One handler has dealt with one event: written in the handler's own transaction, so it happens once."""

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.PROTECT)
    handler = models.CharField(max_length=128)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="event_handled_once")]


class Envelope(models.Model):
    """A data key on its way to the key process: sealed to its public key, taken out and deleted by it within seconds."""

    id = models.UUIDField(primary_key=True)
    record_id = models.UUIDField()
    klass = models.CharField(max_length=16)
    key_id = models.CharField(max_length=32)
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record_id", "klass"], name="envelope_one_per_record_and_class")]


class Clock(models.Model):
    """The clock's offset in a demonstration or a test: one row."""

    id = models.BooleanField(primary_key=True, default=True)
    offset_seconds = models.FloatField(default=0.0)

    class Meta:
        db_table = "core_clock"
        constraints = [models.CheckConstraint(condition=models.Q(id=True), name="clock_has_one_row")]
