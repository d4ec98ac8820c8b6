"""What became of a fetch: one code each, shown to staff, counted, never merged into a guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a visit ended. Only `ok` says what the place shows; only `not_found` and `gone` say that it shows nothing."""

    OK = "ok"
    NOT_FOUND = "not_found"
    GONE = "gone"
    NOT_WEB = "not_web"
    DEAD_HOST = "dead_host"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    REDIRECT_LOOP = "redirect_loop"
    ROBOTS_REFUSED = "robots_refused"
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    BLOCKED_ADDRESS = "blocked_address"
    TLS_FAILED = "tls_failed"
    TOO_MANY_REQUESTS = "too_many_requests"
    SERVER_ERROR = "server_error"
    HTTP_ERROR = "http_error"
    CONNECTION_BROKEN = "connection_broken"
    UNDECODABLE = "undecodable"
    NO_PICTURE = "no_picture"
    NOT_READ = "not_read"


#: Outcomes after which it is known that the place has nothing to show.
ABSENT = frozenset({Outcome.NOT_FOUND, Outcome.GONE})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost. A page is cut off sooner than a picture."""

    connect_seconds: float = 10.0
    total_seconds: float = 40.0
    page_bytes: int = 8 * 1024 * 1024
    media_bytes: int = 32 * 1024 * 1024
    redirects: int = 5
    slow_bytes_per_second: int = 200
    slow_seconds: int = 15


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer of one place, in memory only. `url` is where the redirects led; `body` is empty unless the outcome is ok."""

    url: str
    outcome: Outcome
    status: int = 0
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    server_address: str = ""
    retry_after_seconds: float | None = None
    redirects: int = 0
    milliseconds: int = 0
    reason: str = ""
