"""What runs inside the measured page, one script a file."""

from pathlib import Path


def script(name: str) -> str:
    """The text of one script, without its opening comment."""
    lines = (Path(__file__).parent / f"{name}.js").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("//"))
