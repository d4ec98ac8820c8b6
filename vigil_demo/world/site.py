"""What the loopback web shows: albums of pictures on a dozen hosts, with copies of the listed pictures hidden among them."""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vigil_demo.world.pictures import FORMS, copy_of, encoded, picture

HOSTS = 12
ALBUMS = 4
CLOSED_HOSTS = 4
PAGES_PER_ALBUM = 5
PICTURES_PER_PAGE = (1, 2)
LAYOUT_VERSION = 2
CORNER = "corner.localhost"
MARKUPS = ("img", "srcset", "picture", "background", "poster", "og", "link", "icon")

_EXTENSION = {"image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one address answers. `drip_seconds` sends the body slowly; `headers` are sent as they stand."""

    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    drip_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Copy:
    """The truth about one place: this address shows this listed picture in this form, on this page."""

    url: str
    page_url: str
    listed: int
    form: str
    markup: str
    sha256: str
    is_hidden_by_robots: bool = False


@dataclass
class Layout:
    """Every address of the web and the truth about it."""

    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    originals: list[Copy] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    pages: int = 0
    pictures: int = 0


@dataclass
class _Shown:
    path: str
    markup: str


class _Pictures:
    """Files of the generated pictures, kept between runs."""

    def __init__(self, seed: int, count: int, cache: Path | None) -> None:
        self._seed = seed
        path = cache / f"pictures-{LAYOUT_VERSION}-{seed}-{count}.zip" if cache else None
        self.files = self._read(path, count) or self._make(path, count)

    @staticmethod
    def _read(path: Path | None, count: int) -> list[bytes]:
        if path is None or not path.exists():
            return []
        with zipfile.ZipFile(path) as archive:
            return [archive.read(f"{index}.jpg") for index in range(count)]

    def _make(self, path: Path | None, count: int) -> list[bytes]:
        files = [encoded(self.image(index)) for index in range(count)]
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}")
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
                for index, data in enumerate(files):
                    archive.writestr(f"{index}.jpg", data)
            partial.rename(path)
        return files

    def image(self, index: int) -> Image.Image:
        return picture(np.random.default_rng([self._seed, index]), index)


Place = tuple[int, int, int]  # host, album, page, each counted from 0


class _Builder:
    """Puts files and pages into a layout."""

    def __init__(self, seed: int, port: int) -> None:
        self.layout = Layout()
        self.shown: dict[Place, list[_Shown]] = {}
        self._seed, self._port = seed, port

    def url(self, host: int, path: str) -> str:
        return f"http://{host_name(host)}:{self._port}{path}"

    def show(self, place: Place, data: bytes, content_type: str, markup: str) -> str:
        """Put a file on a host and show it on a page; its path."""
        host, album, _page = place
        name = hashlib.sha256(f"{self._seed} {place} {len(self.layout.answers)}".encode()).hexdigest()[:10]
        path = f"/files/{album + 1}/{name}.{_EXTENSION[content_type]}"
        self.layout.answers[host_name(host), path] = Answer(content_type=content_type, body=data)
        self.layout.pictures += 1
        self.shown.setdefault(place, []).append(_Shown(path, markup))
        return path

    def copy(
        self, place: Place, listed: int, form: str, markup: str, file: tuple[bytes, str], *, closed: bool = False
    ) -> Copy:
        """Show a listed picture in one of its forms; the truth about it."""
        data, content_type = file
        path = self.show(place, data, content_type, markup)
        page_url = self.url(place[0], page_path(place[1], place[2]))
        return Copy(self.url(place[0], path), page_url, listed, form, markup, hashlib.sha256(data).hexdigest(), closed)


def lay_out(seed: int, listed: int, port: int, dead_port: int, cache: Path | None) -> Layout:
    """Build the whole web for one seed: the same seed gives the same web (but for the port)."""
    random = np.random.default_rng([seed, 1_000_003])
    places = [
        (host, album, page) for host in range(HOSTS) for album in range(ALBUMS) for page in range(PAGES_PER_ALBUM)
    ]
    fillers = int(len(places) * sum(PICTURES_PER_PAGE) / 2)
    pictures = _Pictures(seed, listed + fillers, cache)
    build = _Builder(seed, port)
    # The last album of the first hosts is closed by robots.txt: what hides there stays unseen, and that is right.
    closed = [place for place in places if place[1] == ALBUMS - 1 and place[0] < CLOSED_HOSTS]
    for number in range(listed):
        original, image = pictures.files[number], pictures.image(number)
        home = (number % HOSTS, int(random.integers(0, ALBUMS - 1)), number // HOSTS % PAGES_PER_ALBUM)
        build.layout.originals.append(build.copy(home, number, "original", "img", (original, "image/jpeg")))
        elsewhere = [place for place in places if place not in closed and place[0] != home[0]]
        for turn, form in enumerate(FORMS):
            place = elsewhere[int(random.integers(0, len(elsewhere)))]
            markup = MARKUPS[(number * len(FORMS) + turn) % len(MARKUPS)]
            file = copy_of(image, original, form, number)
            build.layout.copies.append(build.copy(place, number, form, markup, file))
        if number % 3 == 0:
            place = closed[int(random.integers(0, len(closed)))]
            hidden = build.copy(place, number, "exact", "img", (original, "image/jpeg"), closed=True)
            build.layout.copies.append(hidden)
    filler = listed
    for index, place in enumerate(places):
        for _ in range(PICTURES_PER_PAGE[index % len(PICTURES_PER_PAGE)]):
            build.show(place, pictures.files[filler], "image/jpeg", MARKUPS[filler % len(MARKUPS)])
            filler += 1
    _write_pages(build)
    _write_corner(build.layout, port, dead_port, pictures.files[-1])
    return build.layout


def host_name(host: int) -> str:
    """Name of one of the hosts, counted from 0."""
    return f"pictures-{host + 1}.localhost"


def page_path(album: int, page: int) -> str:
    """Path of one page of an album, both counted from 0."""
    return f"/album-{album + 1}/page-{page + 1}.html"


def _page(title: str, body: str, head: str = "") -> bytes:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head>\n'
        f"<body><h1>{title}</h1>\n{body}\n<p><small>A generated page of a demonstration. "
        f'<span lang="fr">Une page créée pour une démonstration.</span></small></p></body></html>\n'
    ).encode()


def _markup(shown: _Shown) -> tuple[str, str]:
    """How a page shows a picture: (in the head, in the body)."""
    path = shown.path
    return {
        "img": ("", f'<p><img src="{path}" alt="A generated picture" width="400"></p>'),
        "srcset": ("", f'<p><img srcset="{path} 1x" alt="A generated picture"></p>'),
        "picture": (
            "",
            f'<picture><source srcset="{path}" type="image/webp"><span>A generated picture</span></picture>',
        ),
        "background": ("", f"<div style=\"background-image: url('{path}'); height: 300px\"></div>"),
        "poster": ("", f'<video poster="{path}" controls></video>'),
        "og": (f'<meta property="og:image" content="{path}">', ""),
        "link": ("", f'<p><a href="{path}">Full size</a></p>'),
        "icon": (f'<link rel="icon" href="{path}">', ""),
    }[shown.markup]


def _write_pages(build: _Builder) -> None:
    layout = build.layout
    for host in range(HOSTS):
        name = host_name(host)
        neighbour = build.url((host + 1) % HOSTS, "/")
        albums = "".join(f'<li><a href="/album-{album + 1}/">Album {album + 1}</a></li>' for album in range(ALBUMS))
        layout.answers[name, "/"] = Answer(
            body=_page(
                f"Pictures {host + 1}", f'<ul>{albums}</ul><p>See also <a href="{neighbour}">other pictures</a>.</p>'
            )
        )
        rules = "User-agent: *\n" + (
            f"Disallow: /album-{ALBUMS}/\nDisallow: /files/{ALBUMS}/\n" if host < CLOSED_HOSTS else "Disallow:\n"
        )
        layout.answers[name, "/robots.txt"] = Answer(content_type="text/plain", body=rules.encode())
        layout.seeds.append(build.url(host, "/"))
        layout.pages += 1
        for album in range(ALBUMS):
            items = "".join(
                f'<li><a href="page-{page + 1}.html">Page {page + 1}</a></li>' for page in range(PAGES_PER_ALBUM)
            )
            layout.answers[name, f"/album-{album + 1}/"] = Answer(body=_page(f"Album {album + 1}", f"<ul>{items}</ul>"))
            layout.pages += 1
            for page in range(PAGES_PER_ALBUM):
                parts = [_markup(item) for item in build.shown.get((host, album, page), [])]
                following = (
                    f'<p><a href="page-{page % PAGES_PER_ALBUM + 1}.html#top">Next</a> <a href="../">All albums</a></p>'
                )
                layout.answers[name, page_path(album, page)] = Answer(
                    body=_page(
                        f"Album {album + 1}, page {page + 1}",
                        "\n".join(body for _head, body in parts) + following,
                        "".join(head for head, _body in parts),
                    )
                )
                layout.pages += 1


def _write_corner(layout: Layout, port: int, dead_port: int, whole: bytes) -> None:
    """A host where everything goes wrong, each in its own way."""
    base = f"http://{CORNER}:{port}"

    def put(name: str, path: str, answer: Answer) -> None:
        layout.answers[CORNER, path] = answer
        layout.troubles[name] = base + path

    put("redirect_loop", "/round-1", Answer(302, headers=(("Location", "/round-2"),)))
    layout.answers[CORNER, "/round-2"] = Answer(302, headers=(("Location", "/round-1"),))
    put("too_many_redirects", "/far-1", Answer(302, headers=(("Location", "/far-2"),)))
    for hop in range(2, 12):
        layout.answers[CORNER, f"/far-{hop}"] = Answer(302, headers=(("Location", f"/far-{hop + 1}"),))
    put("private_redirect", "/inside", Answer(302, headers=(("Location", "http://169.254.169.254/latest/meta-data/"),)))
    put("truncated", "/truncated.html", Answer(body=_page("Truncated", '<img src="/truncated.jpg" alt="">')))
    put("truncated_image", "/truncated.jpg", Answer(content_type="image/jpeg", body=whole[: len(whole) // 3]))
    put("bomb", "/bomb.html", Answer(body=_page("Large", '<img src="/bomb.png" alt="">')))
    put("bomb_image", "/bomb.png", Answer(content_type="image/png", body=_bomb()))
    packed = gzip.compress(b"<p>" + bytes(64 * 1024 * 1024), 9)
    put("gzip_bomb", "/packed.html", Answer(body=packed, headers=(("Content-Encoding", "gzip"),)))
    put("slow", "/slow.html", Answer(body=_page("Slow", "<p>Slow</p>"), drip_seconds=120.0))
    put("server_error", "/error.html", Answer(500, body=_page("Error", "<p>Error</p>")))
    put("not_found", "/nothing-here.html", Answer(404, body=_page("Not found", "")))
    put("robots_refused", "/closed/page.html", Answer(body=_page("Closed", '<img src="/closed/a.jpg" alt="">')))
    layout.answers[CORNER, "/closed/a.jpg"] = Answer(content_type="image/jpeg", body=whole)
    layout.answers[CORNER, "/robots.txt"] = Answer(
        content_type="text/plain", body=b"User-agent: *\nDisallow: /closed/\n"
    )
    layout.troubles["dead_host"] = f"http://dead.localhost:{dead_port}/"


def _bomb() -> bytes:
    """A PNG of 400 million black points in some 50 kB."""
    side = 20_000

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", packed)
        + chunk(b"IEND", b"")
    )
