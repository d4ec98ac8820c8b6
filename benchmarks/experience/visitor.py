"""A visitor without a browser: fetches pages over its own connection, fills forms in, keeps two cookies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

#: What the shortest honest path answers; a question that knows none of these values is left out.
ANSWERS = ("no", "saw", "seen_material")
LINK = "https://pictures.example/page/7"


class Refused(Exception):
    """A page answered otherwise than the path expects; carries the status."""


@dataclass
class Page:
    """One answer: status, where the visitor stands now, and the text."""

    status: int
    path: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def parsed(self) -> LexborHTMLParser:
        """The page as a tree."""
        return LexborHTMLParser(self.body)


@dataclass
class Visitor:
    """Speaks HTTP/1.1 to one port on loopback under a host name. `timings` gets (kind, seconds) of each request."""

    host: str
    port: int
    timings: list[tuple[str, float]] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def get(self, path: str, kind: str = "page") -> Page:
        """Load one page, following what it redirects to."""
        return await self._follow(await self._ask("GET", path, None, kind), kind)

    async def post(self, path: str, fields: list[tuple[str, str]], kind: str = "page") -> Page:
        """Send one form, following what it redirects to."""
        return await self._follow(await self._ask("POST", path, fields, kind), "page")

    async def _follow(self, page: Page, kind: str) -> Page:
        for _ in range(5):
            if page.status not in {301, 302, 303, 307, 308}:
                return page
            target = urlsplit(page.headers["location"])
            page = await self._ask("GET", target.path, None, kind)
        raise Refused(f"redirects without end at {page.path}")

    async def _ask(self, method: str, path: str, fields: list[tuple[str, str]] | None, kind: str) -> Page:
        body = urlencode(fields).encode() if fields is not None else b""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Accept-Encoding: identity"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if fields is not None:
            lines += [
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(body)}",
                f"Origin: http://{self.host}:{self.port}",
            ]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        begun = asyncio.get_running_loop().time()
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self._reader is not None
        try:
            self._writer.write(request)
            page = await self._answer(path)
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            raise
        self.timings.append((kind, asyncio.get_running_loop().time() - begun))
        return page

    async def _answer(self, path: str) -> Page:
        assert self._reader is not None
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers: dict[str, str] = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            if name == "set-cookie":
                self._keep(value)
            elif name:
                headers[name] = value
        if "content-length" in headers:
            body = await self._reader.readexactly(int(headers["content-length"]))
        else:
            body = await self._chunks() if headers.get("transfer-encoding") == "chunked" else b""
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return Page(status, path, body, headers)

    async def _chunks(self) -> bytes:
        assert self._reader is not None
        parts = []
        while size := int((await self._reader.readline()).split(b";")[0], 16):
            parts.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(parts)

    def _keep(self, cookie: str) -> None:
        pair, *attributes = cookie.split(";")
        name, _, value = pair.partition("=")
        gone = not value or any(part.strip().lower() == "max-age=0" for part in attributes)
        if gone:
            self.cookies.pop(name.strip(), None)
        else:
            self.cookies[name.strip()] = value.strip()


def answers_to(page: Page) -> list[tuple[str, str]]:
    """The fields of a question page with the shortest honest answers, as its own "continue" button would send them."""
    form = page.parsed.css_first("form#step")
    if form is None:
        raise Refused(f"no form at {page.path} ({page.status})")
    fields: list[tuple[str, str]] = []
    for field_ in form.css("input, textarea, select"):
        fields += _field_of(field_)
    return [*fields, ("action", _next_action(form))]


def _field_of(node: LexborNode) -> list[tuple[str, str]]:
    name, value = node.attributes.get("name") or "", node.attributes.get("value") or ""
    kind = node.attributes.get("type") or node.tag
    if kind == "hidden":
        return [(name, value)]
    if kind in {"radio", "checkbox"}:
        return [(name, value)] if value in ANSWERS and name in {"danger", "who", "situations"} else []
    return [(name, LINK if name == "link_0" else "")]


def _next_action(form: LexborNode) -> str:
    button = form.css_first(".actions button")
    return (button.attributes.get("value") or "next") if button is not None else "next"


async def fill_in(visitor: Visitor, start: str, stop_before_sending: bool = True) -> Page:
    """From the home page to the last page before sending (the check page), answer by answer."""
    page = await visitor.get(start)
    for link in ("before-you-start", "report/danger"):
        page = await visitor.get(f"/en/{link}")
    for _ in range(12):
        if page.path.endswith("/report/check"):
            break
        if page.status != 200:
            raise Refused(f"{page.status} at {page.path}")
        page = await visitor.post(page.path, answers_to(page))
    return page if stop_before_sending else await send(visitor, page)


async def send(visitor: Visitor, check: Page) -> Page:
    """Press "send" on the check page; the receipt comes back."""
    return await visitor.post(check.path, answers_to(check), kind="send")


def number_on(receipt: Page) -> str:
    """The report's number on a receipt, without its hyphens; an empty text when the page is no receipt."""
    node = receipt.parsed.css_first("#number")
    return node.text(strip=True).replace("-", "") if node is not None and receipt.status == 200 else ""
