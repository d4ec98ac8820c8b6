"""Logging by allow-list: a key that is not listed here is dropped and counted, so no link, word or address slips through."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED_KEYS = frozenset(
    [
        "timestamp",
        "level",
        "event",
        "process",
        "route",
        "method",
        "status",
        "duration_ms",
        "size_class",
        "actor",
        "role",
        "error",
        "handler",
        "subject",
        "kind",
        "code",
        "count",
        "job",
        "key_id",
        "chain",
        "version",
        "seconds",
        "pid",
        "port",
        "outcome",
        "attempt",
        "state",
        "signal",
        "host_count",
        "place_count",
    ]
)
dropped: Counter[str] = Counter()


def _allow_listed(_logger: Any, _method: str, values: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in set(values) - ALLOWED_KEYS:
        del values[key]
        dropped[key] += 1
    return values


def configure(_config: dict[str, Any] | None = None) -> None:
    """Set logging up for this process: JSON lines on standard error; foreign loggers only from WARNING, without arguments."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow_listed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_ForeignHandler()]
    root.setLevel(logging.WARNING)


class _ForeignHandler(logging.Handler):
    """Records of libraries become their logger's name and level: their text may carry values, addresses or links."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        structlog.get_logger().warning("library", kind=record.name, code=record.levelname, error=error)


log: Any = structlog.get_logger()
