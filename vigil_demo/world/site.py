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

from vigil_demo.world.pictures import FORMS, copy_of, encoded, picture

HOSTS = 12
ALBUMS = 4
PAGES_PER_ALBUM = 5
PICTURES_PER_PAGE = (1, 2)
LAYOUT_VERSION = 1
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

    def image(self, index: int):  # noqa: ANN201 - a Pillow image
        return picture(np.random.default_rng([self._seed, index]), index)


def lay_out(seed: int, listed: int, port: int, dead_port: int, cache: Path | None) -> Layout:
    """Build the whole web for one seed: the same seed gives the same web (but for the port)."""
    random = np.random.default_rng([seed, 1_000_003])
    leaves = HOSTS * ALBUMS * PAGES_PER_ALBUM
    fillers = int(leaves * sum(PICTURES_PER_PAGE) / 2)
    pictures = _Pictures(seed, listed + fillers, cache)
    layout = Layout()
    shown: dict[tuple[int, int, int], list[_Shown]] = {}
    places = [
        (host, album, page) for host in range(HOSTS) for album in range(ALBUMS) for page in range(PAGES_PER_ALBUM)
    ]

    def url(host: int, path: str) -> str:
        return f"http://{host_name(host)}:{port}{path}"

    def show(place: tuple[int, int, int], data: bytes, content_type: str, markup: str) -> str:
        host, album, _page = place
        name = hashlib.sha256(f"{seed} {place} {len(layout.answers)}".encode()).hexdigest()[:10]
        path = f"/files/{album + 1}/{name}.{_EXTENSION[content_type]}"
        layout.answers[host_name(host), path] = Answer(content_type=content_type, body=data)
        layout.pictures += 1
        shown.setdefault(place, []).append(_Shown(path, markup))
        return path

    # Album 4 of the first hosts is closed by robots.txt: what hides there stays unseen, and that is right.
    closed = [place for place in places if place[1] == ALBUMS - 1 and place[0] < 4]
    open_places = [place for place in places if place not in closed]
    for number in range(listed):
        original = pictures.files[number]
        place = (number % HOSTS, int(random.integers(0, ALBUMS - 1)), number // HOSTS % PAGES_PER_ALBUM)
        path = show(place, original, "image/jpeg", "img")
        page_url = url(place[0], page_path(place[1], place[2]))
        digest = hashlib.sha256(original).hexdigest()
        layout.originals.append(Copy(url(place[0], path), page_url, number, "original", "img", digest))
        image = pictures.image(number)
        elsewhere = [candidate for candidate in open_places if candidate[0] != place[0]]
        for form in FORMS:
            target = elsewhere[int(random.integers(0, len(elsewhere)))]
            markup = MARKUPS[(number * len(FORMS) + FORMS.index(form)) % len(MARKUPS)]
            _hide(
                layout,
                pictures_url=url,
                show=show,
                image=image,
                original=original,
                number=number,
                form=form,
                place=target,
                markup=markup,
            )
        if number % 3 == 0:
            _hide(
                layout, pictures_url=url, show=show, image=image, original=original, number=number, form="exact",
                place=closed[int(random.integers(0, len(closed)))], markup="img", is_hidden=True,
            )  # fmt: skip
    filler = listed
    for index, place in enumerate(places):
        for _ in range(PICTURES_PER_PAGE[index % len(PICTURES_PER_PAGE)]):
            if filler < len(pictures.files):
                show(place, pictures.files[filler], "image/jpeg", MARKUPS[filler % len(MARKUPS)])
                filler += 1
    _write_pages(layout, shown, url)
    _write_corner(layout, port, dead_port, pictures.files[-1])
    return layout


def _hide(layout: Layout, *, pictures_url, show, image, original, number, form, place, markup, is_hidden=False) -> None:  # noqa: ANN001
    data, content_type = copy_of(image, original, form, number)
    path = show(place, data, content_type, markup)
    page_url = pictures_url(place[0], page_path(place[1], place[2]))
    layout.copies.append(
        Copy(pictures_url(place[0], path), page_url, number, form, markup, hashlib.sha256(data).hexdigest(), is_hidden)
    )


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
        "img": ("", f'<p><img src="{path}" alt="A generated picture" width="480"></p>'),
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


def _write_pages(layout: Layout, shown: dict[tuple[int, int, int], list[_Shown]], url) -> None:  # noqa: ANN001
    for host in range(HOSTS):
        name = host_name(host)
        neighbour = url((host + 1) % HOSTS, "/")
        albums = "".join(f'<li><a href="/album-{album + 1}/">Album {album + 1}</a></li>' for album in range(ALBUMS))
        layout.answers[name, "/"] = Answer(
            body=_page(
                f"Pictures {host + 1}", f'<ul>{albums}</ul><p>See also <a href="{neighbour}">other pictures</a>.</p>'
            )
        )
        rules = "User-agent: *\n" + (
            f"Disallow: /album-{ALBUMS}/\nDisallow: /files/{ALBUMS}/\n" if host < 4 else "Disallow:\n"
        )
        layout.answers[name, "/robots.txt"] = Answer(content_type="text/plain", body=rules.encode())
        layout.seeds.append(url(host, "/"))
        layout.pages += 1
        for album in range(ALBUMS):
            items = "".join(
                f'<li><a href="page-{page + 1}.html">Page {page + 1}</a></li>' for page in range(PAGES_PER_ALBUM)
            )
            layout.answers[name, f"/album-{album + 1}/"] = Answer(body=_page(f"Album {album + 1}", f"<ul>{items}</ul>"))
            layout.pages += 1
            for page in range(PAGES_PER_ALBUM):
                parts = [_markup(item) for item in shown.get((host, album, page), [])]
                following = f'<p><a href="page-{page % PAGES_PER_ALBUM + 1}.html#top">Next</a> <a href="../">All albums</a></p>'
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
