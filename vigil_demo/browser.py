"""A small browser without JavaScript: follows links, fills in forms by their labels' field names, keeps cookies.

It connects to 127.0.0.1 and names the origin's host, because resolvers outside a browser do not know *.localhost.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urljoin, urlsplit

import httpx
from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_REDIRECTS = 8
TRIES = 40


class Stuck(Exception):
    """The page is not what a person who follows the steps would expect; the text says where."""


@dataclass
class Form:
    """One form of a page: where it goes, and the values that it has so far (a name may have several)."""

    action: str
    method: str
    values: dict[str, list[str]]
    node: LexborNode

    def options(self, name: str) -> list[str]:
        """The values that a radio, checkbox or select field offers."""
        inputs = self.node.css(f'input[name="{name}"]')
        options = self.node.css(f'select[name="{name}"] option')
        return [node.attributes.get("value") or "" for node in (*inputs, *options)]


@dataclass
class Browser:
    """A person's browser. `page` is the last page seen."""

    origin: str  # http://report.localhost:8000
    cookies: dict[str, str] = field(default_factory=dict)
    url: str = ""
    status: int = 0
    body: bytes = b""
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    was_repeated: bool = False
    before_each: Callable[[], None] | None = None
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30.0, trust_env=False))

    def __post_init__(self) -> None:
        self.url = self.origin + "/"

    @property
    def text(self) -> str:
        """The page as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def tree(self) -> LexborHTMLParser:
        """The page, parsed."""
        return LexborHTMLParser(self.text)

    def words(self) -> str:
        """What the page's main part says."""
        main = self.tree.css_first("main") or self.tree.body
        return " ".join(main.text(separator=" ").split()) if main else ""

    def get(self, path: str) -> Browser:
        """Open a page and follow redirects within the origin."""
        return self._send("GET", urljoin(self.url, path), None)

    def post(self, path: str, values: dict[str, list[str]]) -> Browser:
        """Send a form's values and follow redirects."""
        return self._send("POST", urljoin(self.url, path), values)

    def forms(self) -> list[Form]:
        """Every form of the page's main part, in order (the language switch and "sign out" stand outside it)."""
        return [
            Form(
                node.attributes.get("action") or self.url,
                (node.attributes.get("method") or "get").upper(),
                _values(node),
                node,
            )
            for node in self.tree.css("main form")
        ]

    def form(self, *, having: str | None = None, action: str | None = None) -> Form:
        """The page's first form that has a field of that name and whose action ends in that text. Raises Stuck."""
        for form in self.forms():
            names = {child.attributes.get("name") for child in form.node.css("input, textarea, select, button")}
            if (having is None or having in names) and (action is None or form.action.rstrip("/").endswith(action)):
                return form
        raise Stuck(
            f"no form with field {having!r} or action {action!r} on {urlsplit(self.url).path}: {self.words()[:200]}"
        )

    def submit(self, form: Form, *, press: tuple[str, str] | None = None, **changes: str | list[str]) -> Browser:
        """Fill fields in and press the form's button (`press`: its name and value where there are several)."""
        values = {name: list(value) for name, value in form.values.items()}
        for name, value in changes.items():
            values[name] = [value] if isinstance(value, str) else list(value)
        if press is not None:
            values[press[0]] = [press[1]]
        if form.method == "GET":
            return self.get(
                f"{form.action.split('?')[0]}?{httpx.QueryParams([(n, v) for n, vs in values.items() for v in vs])}"
            )
        return self.post(form.action, values)

    def links(self, containing: str = "") -> list[str]:
        """Addresses of the page's links that contain a text."""
        found = [node.attributes.get("href") or "" for node in self.tree.css("a[href]")]
        return list(dict.fromkeys(address for address in found if containing in address))

    def expect(self, status: int = 200) -> Browser:
        """Raise Stuck unless the last answer had this status."""
        if self.status != status:
            raise Stuck(f"{urlsplit(self.url).path} answered {self.status}: {self.words()[:300]}")
        return self

    def _send(self, method: str, url: str, values: dict[str, list[str]] | None) -> Browser:
        before = self.url
        for _ in range(MAX_REDIRECTS):
            response = self._once(method, url, values)
            if method == "POST" and self.was_repeated and response.status_code == 409:
                # The first try had arrived and only its answer was lost: a person loads the page again and goes on.
                method, url, values = "GET", before, None
                continue
            if response.status_code not in {301, 302, 303, 307, 308}:
                return self
            url = urljoin(url, response.headers["location"])
            if response.status_code not in {307, 308}:
                method, values = "GET", None
        raise Stuck(f"too many redirects at {urlsplit(url).path}")

    def _once(self, method: str, url: str, values: dict[str, list[str]] | None) -> httpx.Response:
        if self.before_each is not None:
            self.before_each()
        parts = urlsplit(url)
        headers = {"Host": parts.netloc, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method == "POST":
            headers |= {
                "Origin": f"{parts.scheme}://{parts.netloc}",
                "Referer": self.url,
                "Sec-Fetch-Site": "same-origin",
            }
        target = f"http://127.0.0.1:{parts.port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
        response = self._patiently(method, target, headers, values)
        self._keep_cookies(response)
        self.url, self.status, self.body, self.headers = url, response.status_code, response.content, response.headers
        return response

    def _patiently(
        self, method: str, target: str, headers: dict[str, str], values: dict[str, list[str]] | None
    ) -> httpx.Response:
        """Try again, as a person presses "reload", when nobody answers or the page says "not now"."""
        self.was_repeated = False
        for attempt in range(TRIES):
            self.was_repeated = attempt > 0
            try:
                response = self._client.request(method, target, headers=headers, data=values)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code != 503:
                return response
            if attempt < TRIES - 1:
                time.sleep(0.5)
        if response is None:
            raise Stuck(f"nobody answers at {urlsplit(target).path}")
        return response

    def _keep_cookies(self, response: httpx.Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def _values(form: LexborNode) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for node in form.css("input, textarea, select"):
        name = node.attributes.get("name")
        if not name or "disabled" in node.attributes:
            continue
        kind = (node.attributes.get("type") or "text").lower()
        if node.tag == "textarea":
            values.setdefault(name, []).append(node.text(strip=False))
        elif node.tag == "select":
            chosen = [o for o in node.css("option") if "selected" in o.attributes] or node.css("option")[:1]
            values.setdefault(name, []).extend(o.attributes.get("value") or "" for o in chosen)
        elif kind in {"radio", "checkbox"}:
            if "checked" in node.attributes:
                values.setdefault(name, []).append(node.attributes.get("value") or "on")
        elif kind not in {"submit", "button", "image", "file"}:
            values.setdefault(name, []).append(node.attributes.get("value") or "")
    return values
