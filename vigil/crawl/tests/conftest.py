"""The loopback web and the crawl's key, for tests of this room."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from vigil import settings as vigil_settings
from vigil.core.crypto import CrawlKey
from vigil.crawl.fetch import Fetcher, Limits
from vigil.crawl.looking import Lookout
from vigil_demo.world import World


@pytest.fixture(scope="session")
def loopback_web() -> Iterator[World]:
    """One loopback web for all tests that do not change it for good."""
    with World(7, cache=vigil_settings.VAR / "demo-world") as world:
        yield world


@pytest.fixture
def world(loopback_web: World, settings) -> Iterator[World]:
    settings.CRAWL_ALLOW_PRIVATE = True
    settings.CRAWL_MIN_DELAY_SECONDS = 0.0
    loopback_web.requests.clear()
    yield loopback_web
    loopback_web.put_all_back()


@pytest.fixture(scope="session")
def key() -> CrawlKey:
    return CrawlKey("test", os.urandom(32))


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(Limits(connect_seconds=2, total_seconds=4, slow_seconds=2)) as fetcher:
        yield fetcher


@pytest.fixture
def lookout(fetcher: Fetcher) -> Lookout:
    return Lookout(fetcher)


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    """Each test has a list of its own: what the index of this process remembers of an earlier one is wrong."""
    from vigil.matching import services as matching
    from vigil.matching.index import PublishedIndex

    monkeypatch.setattr(matching, "_index", PublishedIndex())
