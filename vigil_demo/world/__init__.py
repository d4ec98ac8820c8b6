"""A web of its own on loopback, for the demonstration and for tests: benign generated pictures, and the truth about them.

Names under `.localhost` mean 127.0.0.1; the crawler fetches them only where loopback is allowed by its setting.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from vigil_demo.world.server import LoopbackServer, json_answer
from vigil_demo.world.site import FORMS, Answer, Copy, Layout, lay_out

__all__ = ["FORMS", "Copy", "World"]

_NOT_FOUND = Answer(404, body=b"<!doctype html><title>Not found</title><h1>Not found</h1>")
_GONE_PAGE = b"<!doctype html><title>Gone</title><h1>Removed</h1>"


class World:
    """The loopback web. `with World(seed=7) as world:` serves it in this process; `take_down(url)` empties a place.

    `originals` are the listed pictures where they can be reported, `copies` what hides elsewhere, `watch_seeds` the front
    page of each host, `troubles` one address for everything that can go wrong.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        listed: int = 12,
        port: int = 0,
        control_port: int | None = None,
        cache: Path | None = None,
    ) -> None:
        self.seed = seed
        self.requests: Counter[str] = Counter()
        self._taken_down: dict[tuple[str, str], Answer] = {}
        self._unknown: Answer | None = None
        self._wall: Answer | None = None
        self._lock = threading.Lock()
        # Bound but never listening: connecting to it is refused, and nobody else takes the port.
        self._dead = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._dead.bind(("127.0.0.1", 0))
        self._server = LoopbackServer(self._respond, port)
        self._control = LoopbackServer(self._respond_to_control, control_port) if control_port is not None else None
        self._layout: Layout = lay_out(seed, listed, self.port, self._dead.getsockname()[1], cache)

    # ---- the truth -----------------------------------------------------------------------------------------------------------
    @property
    def port(self) -> int:
        """Port of every host of this web."""
        return self._server.port

    @property
    def control_port(self) -> int:
        """Port of the control door; 0 when there is none."""
        return self._control.port if self._control else 0

    @property
    def originals(self) -> tuple[Copy, ...]:
        """The listed pictures, each where it can be reported (`page_url`)."""
        return tuple(self._layout.originals)

    @property
    def copies(self) -> tuple[Copy, ...]:
        """The copies on other hosts, those behind robots.txt included (`is_hidden_by_robots`)."""
        return tuple(self._layout.copies)

    @property
    def report_urls(self) -> tuple[str, ...]:
        """Pages to report: each shows one listed picture."""
        return tuple(original.page_url for original in self._layout.originals)

    @property
    def watch_seeds(self) -> tuple[str, ...]:
        """Front page of each host: an operator's own list of places to watch."""
        return tuple(self._layout.seeds)

    @property
    def troubles(self) -> dict[str, str]:
        """Name of a trouble -> an address that has it."""
        return dict(self._layout.troubles)

    @property
    def size(self) -> dict[str, int]:
        """How many pages and pictures there are."""
        return {"pages": self._layout.pages, "pictures": self._layout.pictures}

    def expected_sightings(self, listed: set[int] | None = None) -> set[tuple[str, int]]:
        """(picture address, listed picture) of every place that a polite crawler must find, for all or for some pictures."""
        places = [*self._layout.originals, *(copy for copy in self._layout.copies if not copy.is_hidden_by_robots)]
        return {(place.url, place.listed) for place in places if listed is None or place.listed in listed}

    def picture_at(self, url: str) -> bytes:
        """The file at an address, as the truth has it."""
        return self._layout.answers[_key(url)].body

    def all_pictures(self) -> Iterator[tuple[str, bytes]]:
        """(address, file) of every picture of the albums."""
        for (host, path), answer in self._layout.answers.items():
            if path.startswith("/files/"):
                yield f"http://{host}:{self.port}{path}", answer.body

    # ---- what a provider does ------------------------------------------------------------------------------------------------
    def take_down(self, url: str, status: int = 410) -> bool:
        """Empty a place: from now on it answers `status`. False when there is no such place."""
        return self.answer_with(url, Answer(status, body=_GONE_PAGE))

    def answer_with(self, url: str, answer: Answer) -> bool:
        """Let a place answer something else from now on. False when there is no such place."""
        key = _key(url)
        if key not in self._layout.answers:
            return False
        with self._lock:
            self._taken_down[key] = answer
        return True

    def put_back(self, url: str) -> None:
        """Show again what a place showed before."""
        with self._lock:
            self._taken_down.pop(_key(url), None)

    def answer_unknown_with(self, answer: Answer) -> None:
        """Let addresses where nothing is answer this instead of 404 (robots.txt excepted)."""
        self._unknown = answer

    def answer_all_with(self, answer: Answer) -> None:
        """Let every address answer this (robots.txt excepted): a wall in front of the whole web."""
        self._wall = answer

    def put_all_back(self) -> None:
        """Show everything again as it was made."""
        with self._lock:
            self._taken_down.clear()
        self._unknown = self._wall = None

    # ---- serving -------------------------------------------------------------------------------------------------------------
    def start(self) -> World:
        """Begin to serve, in threads of this process."""
        self._server.start()
        if self._control:
            self._control.start()
        return self

    def close(self) -> None:
        """Stop serving."""
        self._server.close()
        if self._control:
            self._control.close()
        self._dead.close()

    def __enter__(self) -> World:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _respond(self, method: str, host: str, target: str, _body: bytes) -> Answer:
        path = target.partition("?")[0]
        self.requests[f"{host}{path}"] += 1
        if method not in {"GET", "HEAD"}:
            return Answer(405, body=b"")
        with self._lock:
            taken_down = self._taken_down.get((host, path))
        known = taken_down or self._layout.answers.get((host, path))
        if path == "/robots.txt":
            return known or _NOT_FOUND
        return self._wall or known or self._unknown or _NOT_FOUND

    def _respond_to_control(self, method: str, _host: str, target: str, body: bytes) -> Answer:
        if method == "GET" and target == "/truth":
            return json_answer(self.truth())
        if method == "GET" and target == "/requests":
            return json_answer(dict(self.requests))
        try:
            asked = json.loads(body) if body else {}
        except ValueError:
            return json_answer({"error": "not_json"}, 400)
        if method == "POST" and target == "/take-down" and isinstance(asked, dict):
            done = self.take_down(str(asked.get("url", "")), int(asked.get("status", 410)))
            return json_answer({"taken_down": done}, 200 if done else 404)
        if method == "POST" and target == "/put-back" and isinstance(asked, dict):
            self.put_back(str(asked.get("url", "")))
            return json_answer({"put_back": True})
        return json_answer({"error": "not_found"}, 404)

    def truth(self) -> dict[str, object]:
        """Everything a test or the demonstration may want to compare with, as plain values."""
        from dataclasses import asdict

        return {
            "seed": self.seed, "port": self.port, **self.size,
            "originals": [asdict(original) for original in self.originals],
            "copies": [asdict(copy) for copy in self.copies],
            "report_urls": list(self.report_urls), "watch_seeds": list(self.watch_seeds), "troubles": self.troubles,
        }  # fmt: skip


def _key(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.path or "/"
