"""Errors: five families that a caller can act on, each error with a stable code that a client can rely on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class VigilError(Exception):
    """Base of all errors. `code` is published: never reused, never renamed. The details are ids, codes and counts only."""

    code: ClassVar[str] = "internal"

    def __init__(self, *details: Any, code: str | None = None) -> None:
        super().__init__(*details)
        if code is not None:
            self.code = code  # type: ignore[misc]  # one instance may be more precise than its class

    def __str__(self) -> str:
        return f"{self.code} {' '.join(str(detail) for detail in self.args)}".strip()


class NotFound(VigilError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"


class NotPermitted(VigilError):
    """The caller may not do this."""

    code = "not_permitted"


class Invalid(VigilError):
    """The input cannot be used as it stands. `fields` maps a field's name to the code of what is wrong with it."""

    code = "invalid"

    def __init__(self, *details: Any, code: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(*details, code=code)
        self.fields = dict(fields or {})


class Conflict(VigilError):
    """The state has moved on: somebody was faster, or it was done before."""

    code = "conflict"


class Unavailable(VigilError):
    """Something we depend on does not answer; the caller may try again later. Unknown is never zero, done or removed."""

    code = "unavailable"
