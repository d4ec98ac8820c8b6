"""A short run of fuzz_decoder.py, and proof that it notices what it looks for."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    name = "ringmatch_fuzz_decoder"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("fuzz_decoder.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_damaged_pictures_never_do_harm(fuzz: ModuleType) -> None:
    seed = 20_261_124

    report = fuzz.run(fuzz.corpus(), 300, seed, limit_addresses=not SANITIZED)

    assert report.failures == [], f"seed {seed}"
    assert sum(report.outcomes.values()) == 300
    # Damage that is always noticed at once would test very little.
    assert report.outcomes["hashed"] >= 30
    assert report.outcomes["ringmatch.undecodable"] >= 30
    assert report.outcomes["ringmatch.too_large"] >= 1
    assert report.outcomes["array refused"] >= 1


@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV IS MISSING: no video file is damaged here")
def test_damaged_videos_never_do_harm(fuzz: ModuleType) -> None:
    seed = 20_261_124

    report = fuzz.run(fuzz.corpus(["video"]), 100, seed, limit_addresses=not SANITIZED)

    assert report.failures == [], f"seed {seed}"
    assert sum(report.outcomes.values()) == 100
    assert report.outcomes["hashed"] >= 10
    assert report.outcomes["ringmatch.undecodable"] >= 10


def test_every_valid_file_is_hashed(fuzz: ModuleType) -> None:
    import ringmatch

    for kind, files in fuzz.corpus().files.items():
        for data in files:
            assert len(ringmatch.pdq(data).hash) == 32, kind


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda: os.abort(), "SIGABRT"),
        (lambda: time.sleep(5), "SIGALRM"),
        (lambda: 1 // 0, "an exception"),
        (lambda: bytearray(4 * 2**30), "an exception"),
    ],
)
@pytest.mark.skipif(SANITIZED, reason="AddressSanitizer answers to these in its own way")
def test_what_it_looks_for_is_noticed_and_the_other_cases_go_on(
    fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch, act: object, expected: str
) -> None:
    def run_case(_corpus: object, _seed: int, number: int) -> str:
        if number == 3:
            act()  # type: ignore[operator]
        return "hashed"

    monkeypatch.setattr(fuzz, "run_case", run_case)
    monkeypatch.setattr(fuzz, "SECONDS_PER_CASE", 0.3)

    report = fuzz.run(fuzz.Corpus(["png"], {}), 6, 1)

    assert len(report.failures) == 1
    assert report.failures[0].startswith(f"case 3: {expected}")
    assert report.outcomes["hashed"] == 5
