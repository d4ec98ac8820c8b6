"""`python -m vigil_demo.world --port N --seed S --control-port M`: the loopback web as a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from vigil_demo.world import World


def main() -> int:
    """Serve until a signal arrives. Prints one line when the web answers."""
    parser = argparse.ArgumentParser(prog="python -m vigil_demo.world")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--listed", type=int, default=12)
    parser.add_argument("--cache", type=Path, default=None)
    options = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with World(
        options.seed, listed=options.listed, port=options.port, control_port=options.control_port, cache=options.cache
    ) as world:
        sys.stdout.write(
            f"ready port={world.port} control_port={world.control_port} "
            f"pages={world.size['pages']} pictures={world.size['pictures']}\n"
        )
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
