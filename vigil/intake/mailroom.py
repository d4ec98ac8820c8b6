"""The partners' mailbox: a mail submission server whose users are partner organisations with their keys.

A mail is taken (250) when its reports are in the database, and not before. While the database is away the answer is "try again
later" (4xx), so that the sender's own server keeps the mail. Nothing of a mail is written to a disk, a log or an answer.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from vigil.accounts.errors import ApiKeyUnusable
from vigil.accounts.services import holder_of
from vigil.core import clock
from vigil.core.errors import Unavailable, VigilError
from vigil.core.hotline import hotline
from vigil.intake.errors import NothingHandedIn
from vigil.intake.services import handing_in
from vigil.intake.wire import lines, mail

SCOPE = "report.write"
MOST_CONNECTIONS_AT_WORK = 4
MOST_LINES = 200
logger = logging.getLogger("vigil.mailroom")

LATER = "451 4.3.0 Not taken now: please send again later. Pas accepte maintenant : renvoyez plus tard."
NOT_OURS = "550 5.1.1 No mailbox of that name here. Aucune boite de ce nom ici."
BAD_KEY = "535 5.7.8 User name or key not accepted. Nom ou cle refuse."
NO_TEXT = (
    "554 5.6.0 No text in this mail: nothing was kept. Attachments are never opened: write links as text. "
    "Aucun texte : rien n'a ete garde. Les pieces jointes ne sont jamais ouvertes : ecrivez les liens en texte."
)


class Door(SMTP):
    """SMTP whose keys are asked for in a thread: one slow look-up holds up nobody else."""

    def _authenticate(self, mechanism: str, auth_data: Any) -> AuthResult:
        # Checked right after, in `auth_PLAIN` and `auth_LOGIN`.
        return AuthResult(success=True, auth_data=auth_data)

    async def auth_PLAIN(self, _: Any, args: list[str]) -> AuthResult:
        """User name and key in one line."""
        return await self._checked(await super().auth_PLAIN(_, args))

    async def auth_LOGIN(self, _: Any, args: list[str]) -> AuthResult:
        """User name and key, asked for one by one."""
        return await self._checked(await super().auth_LOGIN(_, args))

    async def _checked(self, result: AuthResult) -> AuthResult:
        if not result.success:
            return result
        assert isinstance(result.auth_data, LoginPassword)
        refusal = await self.event_handler.in_thread(_refusal, result.auth_data)
        if refusal:
            return AuthResult(success=False, handled=False, message=refusal)
        return result


class Reader:
    """What happens with each command that the server lets through."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MOST_CONNECTIONS_AT_WORK, thread_name_prefix="mailroom")

    async def in_thread(self, function: Any, *arguments: Any) -> Any:
        """Run something that asks the database."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _fresh, function, *arguments)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Only mailboxes of this hotline: nothing is passed on."""
        if address.rpartition("@")[2].lower() != hotline().operator.domain.lower():
            return NOT_OURS
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        """The whole mail has come: take it, or say why not."""
        content = envelope.content
        assert isinstance(content, bytes)
        return str(await self.in_thread(take_mail, session.auth_data, content))

    async def handle_exception(self, error: Exception) -> str:
        """Whatever went wrong: the sender keeps the mail and tries again."""
        logger.error("mailroom.failed", extra={"error": type(error).__name__})
        return LATER


def take_mail(login: LoginPassword, content: bytes) -> str:
    """Take one mail; the reply to its sender's server. The key is asked for again: a key that ended a second ago ends here."""
    try:
        holder = _holder(login)
        read = mail.read_mail(content)
        origin = handing_in.origin_of(holder, source="mailbox")
        once = handing_in.once_of(origin, "mail", read.message_id, read.text, str(read.attachments))
        language = holder.partner_language if holder.partner_language in {"en", "fr"} else hotline().languages[0].code
        now = clock.now()
        answer = {
            "message_id": read.message_id,
            "attachments": read.attachments,
            "answer_due_at": None if read.is_automatic else now,
        }
        items = (
            handing_in.items_of_lines(lines.parse_list(read.text, most_rows=MOST_LINES))
            if read.is_list
            else handing_in.items_of_words(read.text, lines.links_in(read.text))
        )
        delivered = handing_in.hand_in(
            items, origin=origin, once=once, content=read.text, language=language, at=now, **answer
        )
    except NothingHandedIn:
        return NO_TEXT
    except ApiKeyUnusable:
        return BAD_KEY
    except (DatabaseError, InterfaceError, Unavailable):
        logger.error("mailroom.database_away")
        return LATER
    except VigilError as error:
        return f"554 5.6.0 {error.code}"
    refused = len(delivered.answers) - delivered.taken
    return f"250 2.0.0 Taken: {delivered.taken}. Not taken: {refused}. Attachments not opened: {read.attachments}."


def _refusal(login: LoginPassword) -> str:
    """Why a user name and key are not accepted; an empty text when they are."""
    try:
        _holder(login)
    except ApiKeyUnusable:
        return BAD_KEY
    except (DatabaseError, InterfaceError, Unavailable):
        return "454 4.7.0 Cannot be checked now: please try again later. Reessayez plus tard."
    return ""


def _holder(login: LoginPassword) -> Any:
    name, key = (part.decode("utf-8", "replace").strip() for part in (login.login, login.password))
    holder = holder_of(key, scope=SCOPE)
    if holder.kind != "organisation" or name.lower() != holder.partner_code:
        raise ApiKeyUnusable()
    return holder


def _fresh(function: Any, *arguments: Any) -> Any:
    """Run with a database connection that is alive, and give it back."""
    close_old_connections()
    try:
        return function(*arguments)
    finally:
        if not connection.in_atomic_block:
            close_old_connections()


def controller(*, host: str, port: int, tls: ssl.SSLContext | None) -> Controller:
    """The server, not started yet. Without a certificate it must stand on loopback, behind something that ends TLS."""
    reader = Reader()

    class Server(Controller):
        def factory(self) -> SMTP:
            return Door(
                reader,
                data_size_limit=mail.MOST_BYTES,
                hostname=hotline().operator.domain,
                ident="mail",
                tls_context=tls,
                require_starttls=tls is not None,
                auth_required=True,
                auth_require_tls=tls is not None,
                timeout=60,
            )

    return Server(reader, hostname=host, port=port)


def run_mailroom(stop: threading.Event) -> None:
    """Serve until told to stop (the process's main function)."""
    logging.getLogger("mail").setLevel(logging.CRITICAL)  # the library would log what it is told
    tls = None
    if settings.MAILROOM_CERTIFICATE:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(settings.MAILROOM_CERTIFICATE, settings.MAILROOM_CERTIFICATE_KEY or None)
    server = controller(host=settings.MAILROOM_HOST, port=settings.MAILROOM_PORT, tls=tls)
    server.start()
    try:
        stop.wait()
    finally:
        server.stop()
