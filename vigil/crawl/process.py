"""The crawl process: `vigil crawl`. Killed at any point it loses nothing: leases end, and visits are made again."""

from __future__ import annotations

import contextlib
import fcntl
import threading
from pathlib import Path

from django.conf import settings

from vigil.core import keyd
from vigil.core.crypto import CrawlKey
from vigil.core.errors import VigilError
from vigil.core.logs import log
from vigil.crawl.crawler import Crawler, keep_working
from vigil.crawl.fetch import Fetcher
from vigil.crawl.looking import Lookout
from vigil.crawl.preview_door import Previews, open_door

THREADS = 4
ASK_AGAIN_SECONDS = 0.5
TEND_EVERY_SECONDS = 0.3


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
            previews, is_door = Previews(key, lookout), False
            while not stop.wait(TEND_EVERY_SECONDS):
                is_door = is_door or _try_to_open_door(previews, doors)
            for worker in workers:
                worker.join(timeout=15)


def _try_to_open_door(previews: Previews, doors: contextlib.ExitStack) -> bool:
    """One crawl process of a machine holds the lock and answers; when it dies, the next one takes over."""
    path = Path(settings.CRAWL_SOCKET)
    lock = path.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    doors.enter_context(lock)
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
