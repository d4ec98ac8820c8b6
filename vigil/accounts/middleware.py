"""Every request of the staff origins: one transaction, one actor, and nobody in without having signed in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from vigil.accounts import signin_settings
from vigil.accounts.errors import StepUpNeeded
from vigil.accounts.selectors import actor_for, is_fresh
from vigil.audit import services as audit
from vigil.core import clock
from vigil.core.actors import Actor
from vigil.core.errors import NotPermitted, VigilError

GetResponse = Callable[[HttpRequest], HttpResponse]

# Set in a session that an invitation began, until its person has a passkey or a code: it opens the set-up pages only.
SETTING_UP = "accounts_setting_up"
LANGUAGE_COOKIE = "__Host-l"  # read by vigil.web.middleware.LanguageOfPersonMiddleware


def become(request: HttpRequest, person: Any, *, fresh: bool = False) -> None:
    """Make a person the actor of this request and of its transaction's row policies."""
    set_actor(person.id)
    request.actor = actor_for(person, fresh=fresh)  # type: ignore[attr-defined]


def set_actor(actor_id: UUID) -> None:
    """Tell this transaction's row policies who acts. Ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('vigil.actor', %s, true)", [str(actor_id)])


def keep_language(request: HttpRequest, response: HttpResponse) -> None:
    """The language belongs to the person: their choice follows them to the next browser, where it starts with the sign-in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return
    chosen = response.cookies.get(LANGUAGE_COOKIE)
    if chosen is not None and chosen.value in ("en", "fr") and chosen.value != user.language:
        user.language = chosen.value
        user.save(update_fields=["language"])
    elif chosen is None and LANGUAGE_COOKIE not in request.COOKIES:
        response.set_cookie(LANGUAGE_COOKIE, user.language, secure=True, httponly=True, samesite="Lax", path="/")


class ActorTransactionMiddleware:
    """The whole request in one transaction, with `vigil.actor` set for the row policies and `request.actor` for the views.

    Pages are rendered inside it, so that nothing lazy reads rows without an actor. An exception undoes what the view did, an
    answer of 500 and above undoes everything, and a refusal is written to the audit log afterwards, in a transaction of its own.
    Anonymous requests have no actor: a policy that asks for one raises.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request inside its transaction."""
        request.refused = None  # type: ignore[attr-defined]
        with transaction.atomic():
            user = getattr(request, "user", None)
            if user is not None and user.is_authenticated:
                become(request, user, fresh=is_fresh(request))
            request.undo_to = transaction.savepoint()  # type: ignore[attr-defined]
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            else:
                keep_language(request, response)
        refused: NotPermitted | None = request.refused  # type: ignore[attr-defined]
        if refused is not None:
            self._record_refusal(request, refused)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Undo what the view did; send the person to confirm who they are, or let the error pages answer."""
        from vigil.web.views import error_page

        with contextlib.suppress(DatabaseError):
            transaction.savepoint_rollback(request.undo_to)  # type: ignore[attr-defined]
            transaction.set_rollback(False)
        if isinstance(exception, StepUpNeeded):
            return ask_again(request)
        if isinstance(exception, NotPermitted):
            request.refused = exception  # type: ignore[attr-defined]
        if isinstance(exception, VigilError) and getattr(exception, "unseen", False):
            # The same page as for a thing that does not exist: its code says nothing either.
            return error_page(request, 404, "not_found")
        return None

    @staticmethod
    def _record_refusal(request: HttpRequest, refused: NotPermitted) -> None:
        actor = getattr(request, "actor", None)
        if not isinstance(actor, Actor):
            return
        match = request.resolver_match
        audit.record_refusal(
            actor=actor,
            action=getattr(refused, "action", "") or (match.view_name if match else "") or "request",
            subject_kind=getattr(refused, "subject_kind", "") or "page",
            subject_id=getattr(refused, "subject_id", None) or UUID(int=0),
            at=clock.now(),
            reason=refused.code,
        )


def ask_again(request: HttpRequest) -> HttpResponse:
    """Keep what was sent in the (sealed) session, let the person confirm with a passkey or a code, then go on with it."""
    from allauth.account.internal.flows.reauthentication import suspend_request

    return suspend_request(request, reverse("account_reauthenticate"))


class SignInRequiredMiddleware:
    """Console and partner: nobody sees a page without having signed in, except the views that are open.

    A view is open when it is marked with Django's `login_not_required` AND its name is in `signin_settings.OPEN_VIEWS`: a
    mark alone opens nothing. A person who was invited and has no passkey or code yet reaches the set-up pages only.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; `process_view` decides."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Send away who may not see this view."""
        from vigil.web.middleware import origin_of

        if origin_of(request) not in ("console", "partner"):
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if is_open(name, view):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("account_login"))
        if request.session.get(SETTING_UP) and name not in signin_settings.SETUP_VIEWS:
            if not _has_second_factor(request.user):
                return HttpResponseRedirect(reverse("accounts:set_up"))
            del request.session[SETTING_UP]
        return None


def _has_second_factor(person: Any) -> bool:
    from allauth.mfa.models import Authenticator

    return Authenticator.objects.filter(user=person, type__in=("webauthn", "totp")).exists()


def is_open(name: str, view: Callable[..., Any]) -> bool:
    """Whether a view answers people who have not signed in."""
    return name in signin_settings.OPEN_VIEWS and getattr(view, "login_required", True) is False
