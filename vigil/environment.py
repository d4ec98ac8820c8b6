"""Typed reading of environment variables. Used by `vigil/settings.py` alone: nothing else reads the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class BadSetting(SystemExit):
    """A variable is missing or odd: the start stops and names it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"vigil: setting {name}: {problem}")


class Environment:
    """Reads one variable a call; a wrong value stops the program instead of being guessed."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str = "") -> str:
        """A text as it stands."""
        return self._variables.get(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        """0 or 1."""
        value = self._variables.get(name)
        if value is None or value == "":
            return default
        if value not in {"0", "1"}:
            raise BadSetting(name, f"must be 0 or 1, not {value!r}")
        return value == "1"

    def integer(self, name: str, default: int, *, minimum: int = 0) -> int:
        """A whole number, not below `minimum`."""
        return int(self._number(name, default, minimum, int))

    def decimal(self, name: str, default: float, *, minimum: float = 0.0) -> float:
        """A number, not below `minimum`."""
        return float(self._number(name, default, minimum, float))

    def choice(self, name: str, default: str, allowed: frozenset[str]) -> str:
        """One of the allowed words."""
        value = self._variables.get(name, default)
        if value not in allowed:
            raise BadSetting(name, f"must be one of {', '.join(sorted(allowed))}, not {value!r}")
        return value

    def path(self, name: str, default: Path) -> Path:
        """A path, made absolute."""
        value = self._variables.get(name)
        return Path(value).absolute() if value else default

    def _number(self, name: str, default: float, minimum: float, kind: type[int] | type[float]) -> float:
        value = self._variables.get(name)
        if value is None or value == "":
            return default
        try:
            number = kind(value)
        except ValueError as exc:
            raise BadSetting(name, f"must be a number, not {value!r}") from exc
        if number < minimum:
            raise BadSetting(name, f"must be at least {minimum}, not {value!r}")
        return number
