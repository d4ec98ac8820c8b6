"""The fetcher: pycurl's multi interface in one thread, GET only, bodies in memory, redirects by hand.

An address is parsed and resolved once, by `policies`; libcurl is told which addresses the name has, and a veto at the moment
of connecting refuses every other one, so a second answer of a resolver (rebinding) or another reading of the address by
libcurl leads nowhere.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

import can_ada
import pycurl
from django.conf import settings

import vigil
from vigil.core.errors import NotPermitted, Unavailable
from vigil.crawl.fetch.outcomes import Fetched, Limits, Outcome
from vigil.crawl.policies import Target, permitted_target, refusal_of

RETRY_AFTER_MAX_SECONDS = 86_400.0
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
PRODUCT = "vigil"  # what robots.txt calls us
_VERSION = getattr(vigil, "__version__", "0.1")

_OUTCOME_OF_CURL_ERROR = {
    pycurl.E_COULDNT_RESOLVE_HOST: Outcome.DEAD_HOST,
    pycurl.E_COULDNT_CONNECT: Outcome.DEAD_HOST,
    pycurl.E_OPERATION_TIMEDOUT: Outcome.TIMEOUT,
    pycurl.E_FILESIZE_EXCEEDED: Outcome.TOO_LARGE,
    pycurl.E_SSL_CONNECT_ERROR: Outcome.TLS_FAILED,
    pycurl.E_PEER_FAILED_VERIFICATION: Outcome.TLS_FAILED,
    pycurl.E_SSL_CACERT: Outcome.TLS_FAILED,
    pycurl.E_SSL_CERTPROBLEM: Outcome.TLS_FAILED,
    pycurl.E_SSL_CIPHER: Outcome.TLS_FAILED,
    pycurl.E_SSL_ISSUER_ERROR: Outcome.TLS_FAILED,
    pycurl.E_URL_MALFORMAT: Outcome.NOT_WEB,
    pycurl.E_UNSUPPORTED_PROTOCOL: Outcome.NOT_WEB,
}


def user_agent() -> str:
    """What we say we are: the truth, with a page that says why and whom to ask."""
    return f"Vigil/{_VERSION} (+{settings.CRAWL_CONTACT_URL})"


class FetcherClosed(Unavailable):
    """The fetcher was closed while somebody waited for it."""

    code = "crawl.fetcher_closed"


class _Transfer:
    """One request and its answer, without redirects."""

    def __init__(self, target: Target, limits: Limits, referrer: str) -> None:
        self.target, self.limits = target, limits
        self.future: concurrent.futures.Future[_Answer] = concurrent.futures.Future()
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.size = 0
        self.too_large = self.vetoed = False
        self.handle = self._handle(referrer)

    def _handle(self, referrer: str) -> pycurl.Curl:
        target, limits = self.target, self.limits
        addresses = ",".join(f"[{a}]" if a.version == 6 else str(a) for a in target.addresses)
        handle = pycurl.Curl()
        for option, value in (
            (pycurl.URL, target.url),
            (pycurl.HTTPGET, 1),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.RESOLVE, [f"{target.host.strip('[]')}:{target.port}:{addresses}"]),
            (pycurl.PROXY, ""),
            (pycurl.NOSIGNAL, 1),
            (pycurl.USERAGENT, user_agent()),
            (pycurl.ACCEPT_ENCODING, ""),
            (pycurl.CONNECTTIMEOUT_MS, int(limits.connect_seconds * 1000)),
            (pycurl.TIMEOUT_MS, int(limits.total_seconds * 1000)),
            (pycurl.LOW_SPEED_LIMIT, limits.slow_bytes_per_second),
            (pycurl.LOW_SPEED_TIME, limits.slow_seconds),
            (pycurl.MAXFILESIZE_LARGE, limits.media_bytes),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            (pycurl.OPENSOCKETFUNCTION, self._open_socket),
            (pycurl.HEADERFUNCTION, self._header),
            (pycurl.WRITEFUNCTION, self._write),
        ):
            handle.setopt(option, value)
        if (bundle := ssl.get_default_verify_paths().cafile) is not None:
            handle.setopt(pycurl.CAINFO, bundle)
        if referrer:
            handle.setopt(pycurl.REFERER, referrer)
        return handle

    def _open_socket(
        self, _purpose: int, curl_address: tuple[int, int, int, tuple[str | bytes, int]]
    ) -> socket.socket | int:
        """The veto: the real address, at the moment of connecting, must be one of those that were judged, and still pass."""
        family, kind, protocol, address = curl_address
        try:
            text = address[0].decode() if isinstance(address[0], bytes) else address[0]
            real = ip_address(text.partition("%")[0])
            if (
                real in self.target.addresses
                and address[1] == self.target.port
                and refusal_of(real, address[1]) is None
            ):
                return socket.socket(family, kind, protocol)
        except (ValueError, OSError, IndexError, TypeError):
            pass
        self.vetoed = True
        return pycurl.SOCKET_BAD

    def _header(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            self.headers[name.strip().lower()] = value.strip()
        elif line.startswith(b"HTTP/"):
            self.headers.clear()

    def _write(self, chunk: bytes) -> int | None:
        """Counts the decoded bytes: a small compressed body can be a large one."""
        self.size += len(chunk)
        is_page = "html" in self.headers.get("content-type", "")
        if self.size > (self.limits.page_bytes if is_page else self.limits.media_bytes):
            self.too_large = True
            return 0
        self.chunks.append(chunk)
        return None

    def finish(self, error: int) -> None:
        outcome = Outcome.OK if error == 0 else _OUTCOME_OF_CURL_ERROR.get(error, Outcome.CONNECTION_BROKEN)
        if self.too_large:
            outcome = Outcome.TOO_LARGE
        elif self.vetoed and error != 0:
            outcome = Outcome.BLOCKED_ADDRESS
        status = int(self.handle.getinfo(pycurl.RESPONSE_CODE))
        server = self.handle.getinfo(pycurl.PRIMARY_IP) or ""
        body = b"".join(self.chunks) if outcome is Outcome.OK else b""
        self.chunks.clear()
        self.handle.close()
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self.future.set_result(_Answer(outcome, status, self.headers, body, server))

    def give_up(self) -> None:
        """The fetcher is closing: nothing is known about the place, so nothing may be recorded about it."""
        self.chunks.clear()
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            self.future.set_exception(FetcherClosed())


class _Answer:
    __slots__ = ("body", "headers", "outcome", "server", "status")

    def __init__(self, outcome: Outcome, status: int, headers: dict[str, str], body: bytes, server: str) -> None:
        self.outcome, self.status, self.headers, self.body, self.server = outcome, status, headers, body, server


class Fetcher:
    """Fetches many addresses at once; `fetch` may be called from any number of threads. Close it when done."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._waiting: deque[_Transfer] = deque()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="fetch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def fetch(
        self,
        url: str,
        *,
        limits: Limits | None = None,
        referrer: str = "",
        permit: Callable[[str], Outcome | None] | None = None,
    ) -> Fetched:
        """GET `url`, following at most `limits.redirects` redirects; each hop is judged anew. Never raises for a bad place.

        `permit` is asked about every hop after the address was judged (robots.txt); an outcome from it ends the fetch.
        """
        limits = limits or self.limits
        started = time.monotonic()
        seen: set[str] = set()
        fetched = Fetched(url, Outcome.REDIRECT_LOOP)
        for hop in range(limits.redirects + 1):
            fetched, following = self._hop(url, hop, limits, referrer, permit, seen)
            if following is None:
                break
            url = following
        else:
            fetched = Fetched(url, Outcome.REDIRECT_LOOP, status=fetched.status, redirects=limits.redirects + 1)
        return _with_time(fetched, started)

    def _hop(
        self,
        url: str,
        hop: int,
        limits: Limits,
        referrer: str,
        permit: Callable[[str], Outcome | None] | None,
        seen: set[str],
    ) -> tuple[Fetched, str | None]:
        try:
            target = permitted_target(url)
        except NotPermitted as exc:
            outcome = Outcome.NOT_WEB if exc.code == "crawl.not_web" else Outcome.BLOCKED_ADDRESS
            return Fetched(url, outcome, redirects=hop, reason=exc.code), None
        except Unavailable as exc:
            return Fetched(url, Outcome.DEAD_HOST, redirects=hop, reason=exc.code), None
        if target.url in seen:
            return Fetched(target.url, Outcome.REDIRECT_LOOP, redirects=hop), None
        seen.add(target.url)
        if permit is not None and (refusal := permit(target.url)) is not None:
            return Fetched(target.url, refusal, redirects=hop), None
        answer = self._transfer(_Transfer(target, limits, referrer))
        fetched = _judged(target.url, answer, hop)
        if (
            answer.outcome is Outcome.OK
            and answer.status in REDIRECT_STATUSES
            and (location := answer.headers.get("location"))
        ):
            return fetched, _joined(target.url, location)
        return fetched, None

    def _transfer(self, transfer: _Transfer) -> _Answer:
        self._waiting.append(transfer)
        if self._closing.is_set():
            transfer.give_up()
        self._wake()
        # libcurl's own time-out ends every transfer, and closing gives every waiting one up.
        return transfer.future.result(transfer.limits.total_seconds + 30)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_write.send(b"\0")

    def close(self) -> None:
        """End the loop; whoever waits gets FetcherClosed."""
        self._closing.set()
        self._wake()
        self._thread.join(timeout=10)

    # ---- the loop: libcurl says which sockets to watch and when to come back -------------------------------------------------
    def _loop(self) -> None:
        running: dict[pycurl.Curl, _Transfer] = {}
        try:
            self._serve(running)
        finally:
            # Also after an error of our own: nobody may wait for a loop that is gone.
            self._closing.set()
            for transfer in (*running.values(), *self._waiting):
                transfer.give_up()
            self._waiting.clear()

    def _serve(self, running: dict[pycurl.Curl, _Transfer]) -> None:
        multi = pycurl.CurlMulti()
        selector = selectors.DefaultSelector()
        selector.register(self._wake_read, selectors.EVENT_READ)
        due = [0.0]

        def watch(what: int, descriptor: int, _multi: object, _data: object) -> None:
            with contextlib.suppress(KeyError, ValueError):
                selector.unregister(descriptor)
            events = (selectors.EVENT_READ if what & pycurl.POLL_IN else 0) | (
                selectors.EVENT_WRITE if what & pycurl.POLL_OUT else 0
            )
            if what != pycurl.POLL_REMOVE and events:
                selector.register(descriptor, events)

        def at(milliseconds: int) -> None:
            due[0] = float("inf") if milliseconds < 0 else time.monotonic() + milliseconds / 1000

        multi.setopt(pycurl.M_SOCKETFUNCTION, watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, at)
        multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 4)
        while not self._closing.is_set():
            while self._waiting:
                transfer = self._waiting.popleft()
                running[transfer.handle] = transfer
                multi.add_handle(transfer.handle)
            for key, events in selector.select(max(0.0, min(due[0] - time.monotonic(), 1.0))):
                if key.fileobj is self._wake_read:
                    with contextlib.suppress(BlockingIOError):
                        self._wake_read.recv(4096)
                    continue
                mask = (pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0) | (
                    pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
                )
                multi.socket_action(key.fd, mask)
            if time.monotonic() >= due[0]:
                due[0] = float("inf")
                multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._collect(multi, running)
        for handle in running:
            multi.remove_handle(handle)
        multi.close()
        selector.close()
        self._wake_read.close()
        self._wake_write.close()

    @staticmethod
    def _collect(multi: pycurl.CurlMulti, running: dict[pycurl.Curl, _Transfer]) -> None:
        while True:
            left, good, bad = multi.info_read()
            for handle, error in [*((handle, 0) for handle in good), *((handle, code) for handle, code, _text in bad)]:
                multi.remove_handle(handle)
                running.pop(handle).finish(error)
            if not left:
                return


def _joined(base: str, location: str) -> str:
    """The redirect's target by the WHATWG rules; what cannot be parsed is left for `permitted_target` to refuse."""
    try:
        # Header bytes beyond ASCII are UTF-8 on the web of today.
        return str((can_ada.parse(base) + location.encode("latin-1").decode("utf-8", "replace")).href)
    except ValueError:
        return location


def _judged(url: str, answer: _Answer, hop: int) -> Fetched:
    outcome = answer.outcome if answer.outcome is not Outcome.OK else outcome_of_status(answer.status)
    return Fetched(
        url, outcome, answer.status, answer.headers.get("content-type", ""), answer.body if outcome is Outcome.OK else b"",
        answer.server, retry_after(answer.headers.get("retry-after")), hop,
    )  # fmt: skip


def outcome_of_status(status: int) -> Outcome:
    """The outcome that a status code means when an answer arrived whole."""
    if status in {200, 203, 206}:
        return Outcome.OK
    special = {404: Outcome.NOT_FOUND, 410: Outcome.GONE, 429: Outcome.TOO_MANY_REQUESTS}
    return special.get(status, Outcome.SERVER_ERROR if status >= 500 else Outcome.HTTP_ERROR)


def retry_after(value: str | None) -> float | None:
    """Seconds that a server asks us to stay away (a number or a date), at most a day; None when it does not say."""
    if not value:
        return None
    if value.isdecimal():
        return min(float(value[:12]), RETRY_AFTER_MAX_SECONDS)
    try:
        return min(max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0), RETRY_AFTER_MAX_SECONDS)
    except (ValueError, TypeError, OverflowError):
        return None


def _with_time(fetched: Fetched, started: float) -> Fetched:
    from dataclasses import replace

    return replace(fetched, milliseconds=int((time.monotonic() - started) * 1000))
