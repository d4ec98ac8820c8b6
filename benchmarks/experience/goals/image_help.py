"""U5: fingerprints are made on the person's own device, soon enough, and nothing of a picture leaves it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.experience.goal import Goal
from benchmarks.experience.rig import Rig


def u5_on_the_device(rig: Rig) -> Iterator[Goal]:
    """Ten telephone pictures on a processor four times slower."""
    raise NotImplementedError
