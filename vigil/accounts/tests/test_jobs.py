"""What the worker sends and sweeps, under its own role."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core import mail
from django.utils import timezone

from vigil.accounts import jobs
from vigil.accounts.factories import NOON
from vigil.accounts.models import SecurityNotice, Session

KINDS = ["passkey_added", "passkey_removed", "app_added", "app_removed", "codes_made", "password_changed"]


@pytest.fixture
def notice(make_person):
    def make(kind="passkey_added", language="en"):
        person = make_person(language=language)
        return SecurityNotice.objects.create(person_id=person.id, kind=kind, at=NOON, due_at=NOON)

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_notice_has_words_in_both_languages(kind):
    from django.utils import translation

    with translation.override("en"):
        english = jobs.words_of(kind)
    with translation.override("fr"):
        french = jobs.words_of(kind)

    assert english != french and all(english) and all(french)


def test_a_notice_is_sent_once_in_the_persons_language(role, notice):
    made = notice(language="fr")
    with role("vigil_worker"):
        jobs.send_security_notices(NOON)
        jobs.send_security_notices(NOON)

    assert [message.subject for message in mail.outbox] == ["Votre façon de vous connecter a changé"]
    made.refresh_from_db()
    assert made.sent_at == NOON


def test_a_mail_server_that_is_away_delays_the_notice(role, notice, settings):
    made = notice()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with role("vigil_worker"):
        jobs.send_security_notices(NOON)
    made.refresh_from_db()
    assert (made.sent_at, made.attempts) == (None, 1)

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with role("vigil_worker"):
        jobs.send_security_notices(NOON)
        assert mail.outbox == []
        jobs.send_security_notices(NOON + timedelta(minutes=3))
    assert len(mail.outbox) == 1


def test_sessions_that_are_over_and_old_attempts_are_swept(role):
    jobs._last_sweep.clear()
    now = timezone.now()
    for name, age in (("over", 1), ("open", -1)):
        ends = now - timedelta(minutes=age)
        Session.objects.create(session_key=name, session_data="", expire_date=ends, begun_at=now, ends_at=ends)
    for name, days in (("old", 31), ("recent", 1)):
        attempt = AccessAttempt.objects.create(username=name, failures_since_start=1)
        AccessAttempt.objects.filter(id=attempt.id).update(attempt_time=now - timedelta(days=days))
    with role("vigil_worker"):
        jobs.sweep_sign_in(now)

    assert list(Session.objects.values_list("session_key", flat=True)) == ["open"]
    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["recent"]
