"""Fetching: the client, its outcomes, robots.txt."""

from vigil.crawl.fetch.client import Fetcher, user_agent
from vigil.crawl.fetch.outcomes import ABSENT, Fetched, Limits, Outcome
from vigil.crawl.fetch.robots import Robots

__all__ = ["ABSENT", "Fetched", "Fetcher", "Limits", "Outcome", "Robots", "user_agent"]
