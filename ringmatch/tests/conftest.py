"""Generated data for all tests of this package: noise, waves and gradients, always from a printed seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from ringmatch import _native

Picture = NDArray[np.uint8]


@pytest.fixture(params=_native.available_paths())
def dispatch_path(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test once on every set of instructions this machine has; the others stay untested here."""
    before = _native.active_path()
    _native.select_path(request.param)
    yield request.param
    _native.select_path(before)


@pytest.fixture(params=[False, True], ids=["plain", "compact"])
def compact(request: pytest.FixtureRequest) -> bool:
    """Run the test once on each form of the index."""
    return bool(request.param)


@pytest.fixture(scope="session")
def make_picture() -> Callable[..., Picture]:
    """Return a function that draws something like a landscape: sky, hills, texture, grain."""

    def draw(seed: int, height: int = 240, width: int = 320) -> Picture:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:height, 0:width].astype(np.float64)
        y, x = y / height, x / width
        picture = np.empty((height, width, 3))
        for channel in range(3):
            picture[..., channel] = rng.uniform(90, 220) - rng.uniform(20, 120) * y + rng.uniform(-30, 30) * x
        for _ in range(5):
            ridge = rng.uniform(0.2, 0.95) + sum(
                rng.uniform(0.01, 0.08) * np.sin(rng.uniform(3, 25) * x + rng.uniform(0, 6)) for _ in range(3)
            )
            hill = y > ridge
            waves = 25 * np.sin(rng.uniform(20, 90) * x + rng.uniform(20, 90) * y + rng.uniform(0, 6))
            picture[hill] = (rng.uniform(20, 200, 3) + waves[..., np.newaxis])[hill]
        picture += rng.normal(0, 4, picture.shape)
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

    return draw
