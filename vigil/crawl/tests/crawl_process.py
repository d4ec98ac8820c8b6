"""The real crawl process on the test database: `python -m vigil.crawl.tests.crawl_process DATABASE`."""

from __future__ import annotations

import os
import signal
import sys
import threading

if __name__ == "__main__":
    os.environ |= {"VIGIL_PROCESS": "crawl", "DJANGO_SETTINGS_MODULE": "vigil.settings"}
    from vigil import settings

    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    import django

    django.setup()
    from vigil.crawl.process import run_crawler

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_crawler(stop)
