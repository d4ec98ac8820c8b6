"""Fifty reports sent a second beside the page loads of five whole journeys a second, and no report lost.

Every acknowledged number must be in the database afterwards, also when the web process is killed in the middle.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from benchmarks.experience.visitor import Page, Refused, Visitor, fill_in, number_on, send

T = TypeVar("T")

SENT_A_SECOND = 50
JOURNEYS_A_SECOND = 5
MOST_SECONDS_OF_TRYING = 60.0


@dataclass
class Load:
    """What one run showed. Times in seconds."""

    seconds: float
    sends: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0
    asked_again: int = 0
    late: float = 0.0

    def p95(self) -> float:
        """The 95th percentile of every answer, sends and pages together."""
        return percentile([*self.sends, *self.pages], 0.95)

    def rate(self) -> float:
        """Reports acknowledged a second."""
        return len(self.acknowledged) / self.seconds


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies; infinite when there are none."""
    if len(values) < 2:
        return values[0] if values else float("inf")
    return statistics.quantiles(values, n=1000, method="inclusive")[min(998, round(share * 1000) - 1)]


def measure(host: str, port: int, *, seconds: int, disturb: Callable[[], Awaitable[None]] | None = None) -> Load:
    """One run, from a thread that may have an event loop of its own."""
    return in_thread(run(host, port, seconds=seconds, disturb=disturb))


def in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in a thread of its own: the browser's driver owns the event loop of this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def prepare_drafts(host: str, port: int, count: int, *, at_once: int = 8) -> list[tuple[Visitor, Page]]:
    """Visitors who stand before the last page, each with a filled-in report of its own."""
    ready: list[tuple[Visitor, Page]] = []
    left = iter(range(count))

    async def keep_going() -> None:
        for _ in left:
            visitor = Visitor(host, port)
            page = await fill_in(visitor, "/en/")
            await visitor.close()
            visitor.timings.clear()
            ready.append((visitor, page))

    await asyncio.gather(*(keep_going() for _ in range(at_once)))
    return ready


async def run(
    host: str, port: int, *, seconds: int, disturb: Callable[[], Awaitable[None]] | None = None, scale: float = 1.0
) -> Load:
    """Send and visit at fixed moments, however slow the answers are, so that waiting is counted as waiting."""
    ready = await prepare_drafts(host, port, round(SENT_A_SECOND * scale * seconds))
    load = Load(seconds)
    loop = asyncio.get_running_loop()
    begun = loop.time() + 0.5
    tasks = [
        loop.create_task(_at(begun + index / (SENT_A_SECOND * scale), load, _one_send(visitor, page, load)))
        for index, (visitor, page) in enumerate(ready)
    ]
    tasks += [
        loop.create_task(_at(begun + index / (JOURNEYS_A_SECOND * scale), load, _one_journey(host, port, load)))
        for index in range(round(JOURNEYS_A_SECOND * scale * seconds))
    ]
    if disturb is not None:
        tasks.append(loop.create_task(_at(begun + seconds / 2, load, disturb())))
    await asyncio.gather(*tasks)
    return load


async def _at(moment: float, load: Load, work: Awaitable[None]) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(max(0.0, moment - loop.time()))
    load.late = max(load.late, loop.time() - moment)
    await work


async def _one_send(visitor: Visitor, page: Page, load: Load) -> None:
    receipt = await _patiently(lambda: send(visitor, page), load)
    await visitor.close()
    _keep_timings(visitor, load)
    number = number_on(receipt) if receipt is not None else ""
    if number:
        load.acknowledged.append(number)
    else:
        load.refused += 1


async def _one_journey(host: str, port: int, load: Load) -> None:
    visitor = Visitor(host, port)
    receipt = await _patiently(lambda: fill_in(visitor, "/en/", stop_before_sending=False), load)
    await visitor.close()
    _keep_timings(visitor, load)
    number = number_on(receipt) if receipt is not None else ""
    if number:
        load.acknowledged.append(number)
    else:
        load.refused += 1


def _keep_timings(visitor: Visitor, load: Load) -> None:
    for kind, seconds in visitor.timings:
        (load.sends if kind == "send" else load.pages).append(seconds)


async def _patiently(work: Callable[[], Awaitable[Page]], load: Load) -> Page | None:
    """Do it; when the server hangs up or says "in a moment" (503), do it again, as a person does who presses once more."""
    deadline = time.monotonic() + MOST_SECONDS_OF_TRYING
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, Refused):
            page = await work()
            if page.status != 503:
                return page
        if time.monotonic() > deadline:
            return None
        load.asked_again += 1
        await asyncio.sleep(0.5)
