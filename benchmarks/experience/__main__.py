"""make experience: every goal of the public's door as value, threshold and pass, in a real headless Chromium.

    python -m benchmarks.experience [--only U1,U7] [--json FILE]

The status is 1 when a goal is missed. The goals U1 to U16 are what the project asks of the report site.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vigil.settings")
os.environ.setdefault("VIGIL_PROCESS", "test")

import django
from rich.console import Console
from rich.table import Table

from benchmarks.experience.goal import Goal
from benchmarks.experience.rig import Rig
from benchmarks.experience.site import chromium, measured_site

Measure = Callable[[Rig], Iterator[Goal]]


def measures() -> list[tuple[str, Measure]]:
    """What can be measured, in order: the goals' numbers, then the function."""
    from benchmarks.experience.goals import access, errors, image_help, language, privacy, report, weight

    return [
        ("U1", report.u1_length),
        ("U2", report.u2_always_there),
        ("U3", report.u3_required),
        ("U4", report.u4_everyone),
        ("U5", image_help.u5_on_the_device),
        ("U6", weight.u6_weight),
        ("U7", weight.u7_speed),
        ("U7 load", weight.u7_load),
        ("U8 U9 U10", access.u8_to_u10_access),
        ("U11", language.u11_parity),
        ("U12", language.u12_readability),
        ("U13", errors.u13_errors),
        ("U14", privacy.u14_leaving),
        ("U15", privacy.u15_traces),
        ("U16", privacy.u16_status),
    ]


def main() -> int:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description="The goals of the public's door.")
    arguments.add_argument("--only", default="", help="numbers of goals, separated by commas: U1,U7")
    arguments.add_argument("--json", type=Path, help="also write the goals to this file")
    asked = arguments.parse_args()
    wanted = {part.strip().upper() for part in asked.only.split(",") if part.strip()}
    chosen = [
        (name, measure)
        for name, measure in measures()
        if not wanted or wanted & set(name.upper().split()) or name.upper() in wanted
    ]
    django.setup()
    goals: list[Goal] = []
    console = Console(width=max(120, Console().width))
    with measured_site("experience", "up") as site, chromium() as browser:
        rig = Rig(browser, site)
        for name, measure in chosen:
            begun = time.monotonic()
            try:
                for goal in measure(rig):
                    goals.append(goal)
                    console.print(_line(goal), highlight=False)
            except Exception as error:
                traceback.print_exc()
                goals.append(Goal(name, "could not be measured", type(error).__name__, "a value", False))
            console.print(f"[dim]{name}: {time.monotonic() - begun:.0f} s[/dim]")
    console.print(_table(goals))
    missed = [goal for goal in goals if not goal.passed]
    console.print(f"{len(goals) - len(missed)} of {len(goals)} goals met. {_machine(browser_name=browser.version)}")
    if asked.json:
        asked.json.write_text(json.dumps([asdict(goal) for goal in goals], indent=1))
    return 1 if missed else 0


def _line(goal: Goal) -> str:
    return (
        f"{goal.code:4} {goal.what}: {goal.value} ({goal.threshold}) {'pass' if goal.passed else 'MISSED ' + goal.note}"
    )


def _table(goals: list[Goal]) -> Table:
    table = Table(show_lines=False)
    for heading in ("goal", "what", "value", "threshold", "pass", "note"):
        table.add_column(heading, overflow="fold")
    for goal in goals:
        table.add_row(goal.code, goal.what, goal.value, goal.threshold, "pass" if goal.passed else "MISSED", goal.note)
    return table


def _machine(*, browser_name: str) -> str:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    made_with = f"Python {platform.python_version()}, Chromium {browser_name}"
    return f"{os.cpu_count()} cores, {platform.machine()}, {made_with}, load {load}."


if __name__ == "__main__":
    sys.exit(main())
