"""Links of a page: where its pictures are and where it leads. The text of a page is not kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import can_ada
import tldextract
from selectolax.lexbor import LexborHTMLParser, LexborNode

MEDIA_MAX = 500
LINKS_MAX = 500
URL_MAX_CHARACTERS = 2048
SEGMENT_REPEATS_MAX = 3

_PICTURE_PATH = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|bmp|heic|tiff?)$", re.IGNORECASE)
_CSS_URL = re.compile(r"url\(\s*(?:\"([^\"]{1,2048})\"|'([^']{1,2048})'|([^\"'()\s]{1,2048}))\s*\)", re.IGNORECASE)
# A candidate of srcset ends at a comma that follows its descriptor or white space; a comma inside an address does not end it.
_SRCSET_CANDIDATE = re.compile(r"\s*([^\s,]\S*[^\s,]|[^\s,])(?:\s+[^,]+)?\s*(?:,|$)")
# Attribute, selector: what shows a picture.
_SHOWN = (
    ("src", "img[src]"),
    ("data-src", "img[data-src]"),
    ("poster", "video[poster]"),
    ("src", "input[type=image][src]"),
    ("href", "link[rel~=icon][href]"),
    ("href", "link[rel=apple-touch-icon][href]"),
    ("href", "link[rel=image_src][href]"),
    ("content", "meta[property='og:image'][content]"),
    ("content", "meta[property='og:image:url'][content]"),
    ("content", "meta[name='twitter:image'][content]"),
    ("href", "image[href]"),
    ("background", "[background]"),
)
_SETS = (("srcset", "img[srcset]"), ("srcset", "source[srcset]"), ("imagesrcset", "link[imagesrcset]"))

# suffix_list_urls=(): the list that comes with the package; nothing is fetched for it.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@dataclass(frozen=True, slots=True)
class Links:
    """Absolute addresses in the order of the page, each once: pictures that it shows, pages and files that it leads to."""

    media: tuple[str, ...]
    pages: tuple[str, ...]


def extract(html: bytes, base_url: str) -> Links:
    """Read a page's links. Never raises for odd markup; addresses other than http(s), too long or in a trap are left out."""
    tree = LexborHTMLParser(html)
    base = _base(tree, base_url)
    media: dict[str, None] = {}
    pages: dict[str, None] = {}
    for text in _shown(tree):
        _add(media, base, text, MEDIA_MAX)
    for node in tree.css("a[href], area[href]"):
        text = node.attributes.get("href") or ""
        path = text.partition("?")[0].partition("#")[0]
        if _PICTURE_PATH.search(path):
            _add(media, base, text, MEDIA_MAX)
        else:
            _add(pages, base, text, LINKS_MAX)
    for node in tree.css("iframe[src], frame[src]"):
        _add(pages, base, node.attributes.get("src") or "", LINKS_MAX)
    return Links(tuple(media), tuple(url for url in pages if url not in media))


def _shown(tree: LexborHTMLParser) -> list[str]:
    found = [node.attributes.get(attribute) or "" for attribute, selector in _SHOWN for node in tree.css(selector)]
    for attribute, selector in _SETS:
        for node in tree.css(selector):
            found += _SRCSET_CANDIDATE.findall(node.attributes.get(attribute) or "")
    for node in tree.css("[style]"):
        found += _css_urls(node.attributes.get("style") or "")
    for node in tree.css("style"):
        found += _css_urls(_text(node))
    return found


def _text(node: LexborNode) -> str:
    return node.text(deep=True) or ""


def _css_urls(css: str) -> list[str]:
    return [next(part for part in parts if part) for parts in _CSS_URL.findall(css[:200_000])]


def _base(tree: LexborHTMLParser, base_url: str) -> can_ada.URL:
    base = can_ada.parse(base_url)
    node = tree.css_first("base[href]")
    if node is not None:
        try:
            return base + (node.attributes.get("href") or "")
        except ValueError:
            pass
    return base


def _add(found: dict[str, None], base: can_ada.URL, text: str, limit: int) -> None:
    text = text.strip()
    if not text or len(found) >= limit:
        return
    try:
        url = base + text
    except ValueError:
        return
    if url.protocol not in {"http:", "https:"} or not url.hostname or url.username or url.password:
        return
    url.hash = ""
    address = str(url.href)
    if len(address) <= URL_MAX_CHARACTERS and not _is_trap(str(url.pathname)):
        found[address] = None


def _is_trap(path: str) -> bool:
    """A path that repeats a segment again and again comes from a loop in a site's relative links."""
    segments = [segment for segment in path.split("/") if segment]
    return len(segments) > 20 or any(segments.count(segment) > SEGMENT_REPEATS_MAX for segment in set(segments))


@lru_cache(maxsize=20_000)
def site_of(host: str) -> str:
    """The registrable domain of a host name (with its port, which separates sites on loopback), or the host itself."""
    name, colon, port = host.rpartition(":") if re.search(r":\d+$", host) and not host.endswith("]") else (host, "", "")
    parts = _suffixes(name)
    return (parts.top_domain_under_public_suffix or name) + colon + port


def is_same_site(url: str, other_url: str) -> bool:
    """Whether two addresses belong to one registrable domain."""
    return site_of(str(can_ada.parse(url).host)) == site_of(str(can_ada.parse(other_url).host))


def looks_like(body: bytes, content_type: str) -> str:
    """`page`, `image` or `other`, by the bytes first: a server's word for it is often wrong."""
    head = body[:512]
    if _is_image(head):
        return "image"
    kind = content_type.partition(";")[0].strip().lower()
    if kind in {"text/html", "application/xhtml+xml"} or re.match(
        rb"\s*<(?:!doctype html|html|head|body|\?xml[^>]*>\s*<html)", head, re.I
    ):
        return "page"
    # A picture by its name only: a truncated or hostile file, which the decoder will judge.
    return "image" if kind.startswith("image/") and kind != "image/svg+xml" else "other"


def _is_image(head: bytes) -> bool:
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
    return head.startswith(starts) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] in {
        b"ftypavif", b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"
    }  # fmt: skip
