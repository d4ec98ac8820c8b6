"""Receivers: sign-ins, failures, step-ups and changes of authenticators leave their trace in the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.signals import authentication_step_completed
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from vigil.accounts import signin_settings
from vigil.accounts.lockout import name_of
from vigil.accounts.middleware import become
from vigil.accounts.models import Person, Session
from vigil.accounts.selectors import actor_for
from vigil.accounts.sessions import digest
from vigil.audit import services as audit
from vigil.core import clock
from vigil.core.actors import process_actor

NOBODY = UUID(int=0)


def _record(person: Any, action: str, **data: Any) -> None:
    audit.record(
        actor=actor_for(person), action=action, subject_kind="person", subject_id=person.pk, at=clock.now(), data=data
    )


@receiver(user_logged_in)
def record_sign_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Somebody signed in: by which factors."""
    from allauth.account.internal.flows.login import get_authentication_records

    methods = [record.get("type") or record.get("method") for record in get_authentication_records(request, user)]
    if methods and methods[-1] not in ("demo_link", "invitation"):
        _end_oldest_sessions(request, user)
    _record(user, "person.sign_in", methods=methods)


def _end_oldest_sessions(request: HttpRequest, user: Any) -> None:
    """At most so many screens at once: the oldest sessions of this origin end when a new one begins."""
    others = Session.objects.filter(person_id=user.pk).exclude(session_key=digest(str(request.session.session_key)))
    kept = others.order_by("-begun_at").values_list("session_key", flat=True)[: signin_settings.SESSION_PARALLEL - 1]
    others.exclude(session_key__in=list(kept)).delete()


@receiver(user_logged_out)
def record_sign_out(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Somebody signed out."""
    if user is not None:
        _record(user, "person.sign_out")


@receiver(user_login_failed)
def record_failure(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Somebody did not get in."""
    # The address that was typed is not written: it may be a password in the wrong field.
    person = Person.objects.filter(email=name_of(request, credentials)).first()
    audit.record(
        actor=process_actor("sign-in"),
        action="person.sign_in.refused",
        subject_kind="person",
        subject_id=person.pk if person else NOBODY,
        at=clock.now(),
        data={"locked": bool(getattr(request, "axes_locked_out", False))},
    )


@receiver(authentication_failed)
def count_wrong_code(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """A wrong code counts towards the same lock-out as a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"email": user.email}, request=request)


@receiver(authentication_step_completed)
def begin_anew_after_a_step_up(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """After confirming who one is: a new session key, and a fresh actor for what was asked before."""
    if not kwargs.get("reauthenticated") or not getattr(request, "user", None) or request.user.pk != user.pk:
        return
    request.session.cycle_key()
    become(request, user, fresh=True)
    _record(user, "person.step_up", method=str(kwargs.get("type") or kwargs.get("method")))


@receiver(authenticator_added)
def record_authenticator(
    sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Somebody has another way to sign in."""
    _record(user, "person.add_authenticator", type=authenticator.type)


@receiver(authenticator_removed)
def record_removal(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    """Somebody has a way to sign in less."""
    _record(user, "person.remove_authenticator", type=authenticator.type)


@receiver(authenticator_reset)
def record_reset(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    """Somebody has new recovery codes."""
    _record(user, "person.new_recovery_codes")
