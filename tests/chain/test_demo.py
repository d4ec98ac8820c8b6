"""The whole chain through its real doors, once as it should go and once with five processes killed on the way."""

import json
import subprocess
import sys

import pytest

from tests.conftest import clean_environment

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
    environment = clean_environment()
    result = subprocess.run(
        [sys.executable, "-m", "vigil.cli", "demo", "--once", "--json", *options],
        env=environment, capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    return result, json.loads(result.stdout.splitlines()[-1])


@pytest.mark.timeout(700)
def test_the_demonstration_plays_the_whole_chain(played):
    assert {link: step for link, step in played.steps.items() if not step["ok"]} == {}
    assert tuple(played.steps) == LINKS
    numbers = [played.steps[link]["number"] for link in LINKS[:9]]
    assert len(set(numbers)) == 9


def test_every_number_of_the_chain_traces_to_every_other(played):
    numbers = [played.steps[link]["number"] for link in LINKS[:9]]
    for number in numbers:
        traced = played.command("trace", number)
        assert traced.returncode == 0, traced.stderr
        assert [other for other in numbers if other not in traced.stdout] == []


def test_the_log_is_whole_and_the_recount_agrees(played):
    assert played.command("audit", "verify").returncode == 0
    assert played.command("statistics", "recount").returncode == 0


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
    assert subprocess.run(["pgrep", "-f", "vigil-demo-"], capture_output=True, check=False).stdout == b""
