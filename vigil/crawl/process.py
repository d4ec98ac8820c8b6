"""The crawl process: `vigil crawl`. Killed at any point it loses nothing: leases end, and visits are made again."""

from __future__ import annotations

import contextlib
import fcntl
import threading
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections
from django.db.utils import Error as DatabaseError

from vigil.core import clock, keyd
from vigil.core.actors import process_actor
from vigil.core.crypto import CrawlKey
from vigil.core.errors import VigilError
from vigil.core.logs import log
from vigil.crawl import services
from vigil.crawl.crawler import Crawler, keep_working
from vigil.crawl.fetch import Fetcher
from vigil.crawl.looking import Lookout
from vigil.crawl.preview_door import Previews, open_door

THREADS = 4
ASK_AGAIN_SECONDS = 0.5
TEND_EVERY_SECONDS = 1.0


def seeds_file() -> Path:
    """The operator's own list of places to watch: one address a line, `#` begins a remark. Read again when it changes."""
    return Path(settings.VAR) / "watch-seeds.txt"


def run_crawler(stop: threading.Event, *, threads: int = THREADS) -> None:
    """Crawl until `stop` is set: fetchers on the shared frontier, and the socket for previews."""
    key = _crawl_key(stop)
    if key is None:
        return
    with Fetcher() as fetcher:
        lookout = Lookout(fetcher)
        workers = [
            threading.Thread(
                target=keep_working, args=(Crawler(key, lookout), stop), name=f"crawl-{number}", daemon=True
            )
            for number in range(threads)
        ]
        with contextlib.ExitStack() as doors:
            log.info("crawl_started", count=threads)
            for worker in workers:
                worker.start()
            _tend(key, Previews(key, lookout), doors, stop)
            for worker in workers:
                worker.join(timeout=15)


def _tend(key: CrawlKey, previews: Previews, doors: contextlib.ExitStack, stop: threading.Event) -> None:
    """Until told to stop: keep the preview socket open in one of the machine's crawl processes, follow the seeds file."""
    is_door, seen_ns = False, 0
    while not stop.is_set():
        if not is_door:
            is_door = _try_to_open_door(previews, doors)
        seen_ns = _read_seeds(key, seen_ns)
        stop.wait(TEND_EVERY_SECONDS)


def _try_to_open_door(previews: Previews, doors: contextlib.ExitStack) -> bool:
    """One crawl process of a machine holds the lock and answers; when it dies, the next one takes over."""
    path = Path(settings.CRAWL_SOCKET)
    lock = doors.enter_context(path.with_suffix(".lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    doors.enter_context(open_door(path, previews))
    return True


def _crawl_key(stop: threading.Event) -> CrawlKey | None:
    """The crawl's key of the epoch, as soon as the key process gives it."""
    is_told = False
    while not stop.is_set():
        try:
            return keyd.crawl_key()
        except VigilError as exc:
            if not is_told:
                log.warning("crawl_waits_for_key", code=exc.code)
            is_told = True
            stop.wait(ASK_AGAIN_SECONDS)
    return None


def _read_seeds(key: CrawlKey, seen_ns: int) -> int:
    """Take up the operator's list when it has changed; returns the time of the version that was read."""
    try:
        changed_ns = seeds_file().stat().st_mtime_ns
        if changed_ns != seen_ns:
            close_old_connections()
            lines = (line.partition("#")[0].strip() for line in seeds_file().read_text().splitlines())
            urls = [line for line in lines if line]
            count = services.add_watch_seeds(actor=process_actor("crawl"), key=key, urls=urls, at=clock.now())
            log.info("watch_seeds_read", place_count=count)
            return changed_ns
    except FileNotFoundError:
        pass
    except (OSError, DatabaseError, UnicodeDecodeError) as exc:
        log.warning("watch_seeds_not_read", error=type(exc).__name__)
    return seen_ns
