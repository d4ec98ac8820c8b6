"""Run pytest on a copy of the package in the given folder, even where another one is installed as editable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


def main() -> int:
    """Return pytest's exit status; fail when the copy is not what got imported."""
    folder, *arguments = sys.argv[1:]
    # An editable install answers for the name through a finder of its own, before any folder is looked at.
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"]
    sys.path.insert(0, str(Path(folder).resolve()))
    import ringmatch

    print(f"testing {ringmatch.__file__}")  # noqa: T201 (a program for the terminal)
    if Path(folder).resolve() not in Path(ringmatch.__file__).parents:
        return 1
    return int(pytest.main([*arguments, "-c", "pyproject.toml", "--confcutdir=.", "--import-mode=importlib", "-q"]))


if __name__ == "__main__":
    sys.exit(main())
