"""Holds a flood back without holding a person back, and without a puzzle to look at (security.md, sections c and j).

Forms are counted by the network they come from: the first 24 bits of an IPv4 address, the first 48 of an IPv6 one, kept as a
digest in memory and never written. A network that sends too much, or everybody while the whole site is flooded, is asked for a
moment: the browser does a little work, or, without scripts, the person waits and presses again. What was typed stays on the page.

The address is read here and nowhere else: afterwards the request has none.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from vigil.core.limiter import WindowLimiter

NETWORK_WINDOW = timedelta(minutes=10)
#: For a person without scripts: how long to wait, and how often one network may go this way.
WAIT = timedelta(seconds=15)
WAITERS, WAITERS_WINDOW = 10, timedelta(minutes=1)
#: Leading zero bits of SHA-256 that the browser looks for: some 16,000 tries, a second or two on a cheap telephone.
DIFFICULTY = 14
TICKET_LIFE = timedelta(minutes=30)
MOST_TICKETS = 50_000
FLOOD_WINDOW = timedelta(seconds=10)
FLOOD_LASTS = timedelta(minutes=1)
_ADDRESS_FIELDS = (
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_PORT",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
)
_TICKET, _SOLUTION = "moment", "moment_work"
_SALT = "vigil.web.flood"

GetResponse = Callable[[HttpRequest], HttpResponse]


def network_of(request: HttpRequest) -> str:
    """The network that a request comes from, or an empty text when that cannot be told (a proxy on this machine that passes
    none on). Takes every field with an address out of the request.
    """
    named = settings.CLIENT_ADDRESS_HEADER
    field = f"HTTP_{named.upper().replace('-', '_')}" if named else "REMOTE_ADDR"
    text = str(request.META.get(field, ""))
    for name in {*_ADDRESS_FIELDS, field}:
        request.META.pop(name, None)
    request.META["REMOTE_ADDR"] = ""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(text.strip())
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if named or not address.is_loopback:
            return str(ipaddress.ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
    return ""


class Floodgate:
    """Decides whether a form may pass, from what this process has seen."""

    def __init__(self) -> None:
        self.by_network = WindowLimiter(settings.FORMS_PER_NETWORK, NETWORK_WINDOW)
        self.waiters = WindowLimiter(WAITERS, WAITERS_WINDOW)
        self.everybody = WindowLimiter(settings.FORMS_BEFORE_FLOOD, FLOOD_WINDOW)
        self._flooded_until: datetime | None = None
        self._used: set[bytes] = set()
        self._lock = threading.Lock()

    def may_pass(self, network: str, *, begins: bool, at: datetime) -> bool:
        """Count one form; False when its network sends too much, or when it begins something new while the site is flooded."""
        if not self.everybody.may("", at=at):
            self._flooded_until = at + FLOOD_LASTS
        self.everybody.count("", at=at)
        if begins and self._flooded_until is not None and at < self._flooded_until:
            return False
        if not network:
            return True
        calm = self.by_network.may(network, at=at)
        if calm:
            self.by_network.count(network, at=at)
        return calm

    def accepts(self, ticket: str, solution: str, network: str, *, at: datetime) -> bool:
        """Whether a ticket was given here, was not used, and was worked or waited for."""
        try:
            issued = datetime.fromisoformat(str(signing.loads(ticket, salt=_SALT)["at"]))
        except (signing.BadSignature, KeyError, TypeError, ValueError):
            return False
        if not issued <= at < issued + TICKET_LIFE:
            return False
        if not is_solved(ticket, solution):
            if at < issued + WAIT or not self.waiters.may(network, at=at):
                return False
            self.waiters.count(network, at=at)
        digest = hashlib.sha256(ticket.encode()).digest()
        with self._lock:
            if digest in self._used:
                return False
            if len(self._used) >= MOST_TICKETS:
                self._used.clear()
            self._used.add(digest)
        return True


def new_ticket(*, at: datetime) -> str:
    """A ticket that becomes good by work or by waiting."""
    return signing.dumps({"at": at.isoformat(), "once": secrets.token_hex(8)}, salt=_SALT)


def is_solved(ticket: str, solution: str) -> bool:
    """Whether SHA-256 of `ticket:solution` begins with enough zero bits."""
    if not solution.isascii() or not 0 < len(solution) <= 20:
        return False
    digest = hashlib.sha256(f"{ticket}:{solution}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - DIFFICULTY) == 0


class FloodMiddleware:
    """Report site only. Stands behind the check of the form's token, so that only our own pages' forms are counted."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.gate = Floodgate()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request, which has no address from here on."""
        request.network = network_of(request)  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Let a form pass, or ask for a moment with everything that was typed kept on the page."""
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        at = datetime.now(UTC)  # how fast forms arrive has nothing to do with the clock that a demonstration turns
        network: str = request.network  # type: ignore[attr-defined]
        begins = settings.SESSION_COOKIE_NAME not in request.COOKIES
        if self.gate.may_pass(network, begins=begins, at=at):
            return None
        ticket = request.POST.get(_TICKET, "")
        if ticket and self.gate.accepts(ticket, request.POST.get(_SOLUTION, ""), network, at=at):
            return None
        ours = {_TICKET, _SOLUTION, "csrfmiddlewaretoken"}
        context = {
            "typed": [(name, value) for name, values in request.POST.lists() if name not in ours for value in values],
            "ticket": new_ticket(at=at),
            "difficulty": DIFFICULTY,
            "seconds": int(WAIT.total_seconds()),
        }
        response = render(request, "web/one_moment.html", context, status=429)
        response["Retry-After"] = str(int(WAIT.total_seconds()))
        return response
