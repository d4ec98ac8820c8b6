"""Where a page's pictures are, in every kind of markup, and where it leads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.crawl.extract import extract, is_same_site, looks_like, site_of

ALBUM = "https://pictures.example/albums/1/"
BASE = f"{ALBUM}page.html"


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ('<img src="a.jpg">', ["https://pictures.example/albums/1/a.jpg"]),
        ('<img src="//other.example/a.jpg#x">', ["https://other.example/a.jpg"]),
        ('<img srcset="a.jpg 1x, b,c.jpg 2x,d.jpg 300w">', [f"{ALBUM}a.jpg", f"{ALBUM}b,c.jpg", f"{ALBUM}d.jpg"]),
        ("<picture><source srcset=p.webp><img src=q.jpg></picture>", [f"{ALBUM}q.jpg", f"{ALBUM}p.webp"]),
        ('<link rel="shortcut icon" href="/i.ico">', ["https://pictures.example/i.ico"]),
        ("<div style=\"background: url('/c.png') red\"></div>", ["https://pictures.example/c.png"]),
        ("<style>p { background-image: url(/d.png) }</style>", ["https://pictures.example/d.png"]),
        ('<meta property="og:image" content="/og.jpg">', ["https://pictures.example/og.jpg"]),
        ('<video poster="/v.jpg"></video>', ["https://pictures.example/v.jpg"]),
        ('<a href="/full.JPG?size=1">full</a>', ["https://pictures.example/full.JPG?size=1"]),
        ('<base href="/b/"><img src="a.jpg">', ["https://pictures.example/b/a.jpg"]),
        ('<img src="data:image/png;base64,AAAA"><img src="javascript:x"><img src="http://[bad">', []),
        ('<img src="http://user:word@pictures.example/a.jpg">', []),
    ],
)  # fmt: skip
def test_pictures_are_found_in_every_markup(markup, found):
    assert list(extract(markup.encode(), BASE).media) == found


def test_pages_are_found_without_fragments_and_once():
    html = b'<a href="x.html#1">x</a><a href="x.html#2">x</a><area href="/y"><iframe src="/z"></iframe>'
    html += b'<a href="mailto:a@b.example">m</a>'

    assert extract(html, BASE).pages == tuple(
        f"https://pictures.example/{path}" for path in ("albums/1/x.html", "y", "z")
    )


def test_a_trap_of_repeated_segments_is_left_out():
    assert extract(b'<a href="/a/b/a/b/a/b/a/b/">trap</a>', BASE).pages == ()


def test_a_site_is_a_registrable_domain():
    assert is_same_site("https://a.example.com/x", "https://b.example.com/")
    assert not is_same_site("https://a.example.com/", "https://a.example.org/")
    assert site_of("pictures-3.localhost:8080") != site_of("pictures-4.localhost:8080")
    assert site_of("pictures-3.localhost:8080") != site_of("pictures-3.localhost:8081")


def test_the_bytes_tell_a_picture_from_a_page_whatever_the_server_says():
    assert looks_like(b"\xff\xd8\xff\xe0", "text/html") == "image"
    assert looks_like(b"<!doctype html><p>", "image/jpeg") == "page"
    assert looks_like(b"\0\0\0", "image/jpeg") == "image"
    assert looks_like(b"%PDF-1.7", "application/pdf") == "other"


@given(
    html=st.binary(max_size=2000)
    | st.text(alphabet="<>=\"'/:;,() imgsrcetylaurhfp.#?&x1", max_size=400).map(str.encode)
)
def test_no_bytes_break_the_reader(html):
    for url in (*extract(html, BASE).media, *extract(html, BASE).pages):
        assert url.startswith(("http://", "https://"))
