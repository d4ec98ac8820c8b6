"""The whole chain through its real doors, once as it should go and once with five processes killed on the way."""

import json
import os
import subprocess
import sys

import pytest

LINKS = (
    "report",
    "incident",
    "case",
    "entry",
    "sighting",
    "notice",
    "removal",
    "referral",
    "outcome",
    "audit",
    "statistics",
)


def play(*options, seconds):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("VIGIL_", "DJANGO_", "PYTEST_"))
    }
    result = subprocess.run(
        [sys.executable, "-m", "vigil.cli", "demo", "--once", "--json", *options],
        env=environment, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    return result, json.loads(result.stdout.splitlines()[-1])


@pytest.mark.timeout(600)
def test_the_demonstration_plays_the_whole_chain_and_leaves_nothing_running():
    result, played = play(seconds=500)
    assert {link: step for link, step in played["steps"].items() if not step["ok"]} == {}
    assert tuple(played["steps"]) == LINKS
    assert result.returncode == 0
    numbers = [played["steps"][link]["number"] for link in LINKS[:9]]
    assert len(set(numbers)) == 9
    assert subprocess.run(["pgrep", "-f", "vigil-demo-"], capture_output=True, check=False).stdout == b""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [11])
def test_the_chain_completes_though_five_processes_are_killed_and_nothing_is_recorded_twice(seed):
    result, played = play("--kill-seed", str(seed), seconds=800)
    assert {link: step for link, step in played["steps"].items() if not step["ok"]} == {}
    assert {victim for _, victim in played["killed"]} >= {"worker", "web-console", "postgres"}
    counts = played["counts"]
    assert counts["reports"] == counts["incidents"] == counts["cases"] == counts["entries"] == 12
    assert counts["feed"] == counts["referrals"] == counts["outcomes"] == 12
    sightings = counts["expected_sightings"]
    assert counts["sightings"] == counts["notices"] == counts["removals"] == counts["mails"] == sightings
    assert result.returncode == 0
