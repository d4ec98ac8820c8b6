"""Folders of hotline facts for tests: one that may open its form in Canada, and a synthetic country of its own."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Canada, with an operator who has named readers, telephone and hours.
OPEN = HERE / "open"
