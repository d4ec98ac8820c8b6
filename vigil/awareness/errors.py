"""Errors of this room."""

from __future__ import annotations

from pathlib import Path


class BadPage(SystemExit):
    """A page of prose is missing or odd: the start stops and names the file."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(f"vigil: page {file}: {problem}")
