"""The worker: runs event handlers (deferred by a trigger through procrastinate) and ticks."""

from __future__ import annotations

import asyncio
import threading
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.utils import Error as DatabaseError
from django.utils.module_loading import autodiscover_modules
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from vigil.core import clock, events
from vigil.core.errors import VigilError
from vigil.core.logs import log
from vigil.core.models import Event, EventHandled

TICK_LOCK = 7_316_001  # advisory lock: one ticker, however many workers there are


@app.task(name="vigil.core.handle_event", pass_context=False, retry=RetryStrategy(max_attempts=12, exponential_wait=2))
def handle_event(event_id: str) -> None:
    """Run the handlers of one event, each at most once. A failing handler does not stop the others; it is tried again."""
    close_old_connections()
    event = Event.objects.get(id=UUID(event_id))
    failures = [
        error for handler in events.handlers.get(event.kind, []) if (error := _run_once(handler, event)) is not None
    ]
    if failures:
        raise failures[0]


def _run_once(handler: events.Handler, event: Event) -> Exception | None:
    name = events.name_of(handler)
    try:
        with transaction.atomic():
            if not _claim(event, name):
                return None
            handler(event)
    except Exception as exc:
        log.warning("event_handler_failed", handler=name, subject=str(event.id), error=_code(exc))
        return exc
    return None


def _claim(event: Event, name: str) -> bool:
    """Insert the mark that this handler has run; False when it stands already. Waits for a concurrent try to end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_eventhandled (event_id, handler) VALUES (%s, %s) ON CONFLICT DO NOTHING", [event.id, name]
        )
        return cursor.rowcount == 1


def tick_once() -> None:
    """Call every tick function, each in its own transaction; a failing one is logged and does not stop the others."""
    for function in events.ticks:
        try:
            with transaction.atomic():
                function(clock.now())
        except Exception as exc:
            log.warning("tick_failed", handler=events.name_of(function), error=_code(exc))


def _code(exc: Exception) -> str:
    return exc.code if isinstance(exc, VigilError) else type(exc).__name__


def _tick_loop(stop: threading.Event) -> None:
    while not stop.wait(settings.TICK_SECONDS):
        try:
            close_old_connections()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [TICK_LOCK])
                (held,) = cursor.fetchone()
            if held:
                tick_once()
        except DatabaseError as exc:
            # The database is away or starting: the next tick tries again.
            log.warning("tick_skipped", error=type(exc).__name__)
            connection.close()


async def _retry_stalled(stop: threading.Event) -> None:
    """Jobs whose worker died stay `doing`: procrastinate finds them by heartbeat and leaves the retry to us."""
    while not stop.is_set():
        await asyncio.sleep(settings.STALLED_JOB_SECONDS / 2)
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=settings.STALLED_JOB_SECONDS):
                await app.job_manager.retry_job(job)
                log.info("stalled_job_retried", job=job.id)
        except Exception as exc:
            log.warning("stalled_jobs_not_read", error=type(exc).__name__)


async def _work(stop: threading.Event) -> None:
    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with worker_app.open_async():
        stalled = asyncio.create_task(_retry_stalled(stop))
        try:
            await worker_app.run_worker_async(
                name="vigil-worker", concurrency=2, fetch_job_polling_interval=1.0, delete_jobs="successful",
                update_heartbeat_interval=min(5.0, settings.STALLED_JOB_SECONDS / 3),
                stalled_worker_timeout=float(settings.STALLED_JOB_SECONDS),
            )  # fmt: skip
        finally:
            stalled.cancel()


def run_worker() -> None:
    """Work until a signal arrives: events through procrastinate, ticks beside it."""
    autodiscover_modules("jobs")  # each room's handlers and ticks register themselves
    stop = threading.Event()
    ticker = threading.Thread(target=_tick_loop, args=(stop,), name="ticks", daemon=True)
    ticker.start()
    try:
        asyncio.run(_work(stop))
    finally:
        stop.set()
        ticker.join(timeout=10)


__all__ = ["EventHandled", "handle_event", "run_worker", "tick_once"]
