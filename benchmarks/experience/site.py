"""The installation that is measured: an empty one of its own, with its real processes, on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, CHROMIUM_FLAGS, Installation, new_installation

ROOT = Path(__file__).resolve().parent.parent.parent

_LIST_PAGES = """
import json, django
django.setup()
from django.urls import get_resolver
def walk(resolver, names):
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern, [*names, pattern.namespace] if pattern.namespace else names)
        elif pattern.name and not pattern.pattern.converters and "(?P" not in str(pattern.pattern):
            yield ":".join([*names, pattern.name]), "/" + str(pattern.pattern)
print(json.dumps(list(walk(get_resolver("vigil.urls.public"), []))))
"""


@contextmanager
def measured_site(name: str, *processes: str, **variables: str) -> Iterator[Installation]:
    """An installation with its key process, the report site, and whatever else is named (`up` = all of them)."""
    with new_installation(ROOT, name, **variables) as site:
        if "up" in processes:
            site.start("up")
        else:
            site.start("keyd")
            site.start("web", "public")
            for process in processes:
                site.start(process)
        yield site


@contextmanager
def chromium() -> Iterator[Browser]:
    """One headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


def pages_of(site: Installation) -> dict[str, str]:
    """Every address of the report site without a variable part: route name to path."""
    environment = {**site.environment, "VIGIL_PROCESS": "public", "DJANGO_SETTINGS_MODULE": "vigil.settings"}
    done = subprocess.run(
        [sys.executable, "-c", _LIST_PAGES], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))
