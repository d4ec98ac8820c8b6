"""Image help in a real browser: fingerprints agree with the engine's, and nothing but fingerprints leaves the device."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import re
import socket
import statistics
import sys
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

import ringmatch
from tests.browser.conftest import Installation, assert_accessible, assert_reflows, take_screenshot
from tests.browser.picture_set import encoded, landscape, picture_set

START = {"en": "/en/remove-my-image", "fr": "/fr/retirer-mon-image"}
FILES = {"en": "/en/remove-my-image/files", "fr": "/fr/retirer-mon-image/fichiers"}
STATUS = {"en": "/en/remove-my-image/status", "fr": "/fr/retirer-mon-image/suivi"}
READY = {"en": re.compile("ready"), "fr": re.compile("prêtes?")}
File = dict[str, object]


def say(line: str) -> None:
    """A figure, for whoever runs the tests with -s."""
    sys.stdout.write(f"{line}\n")


def file_of(name: str, data: bytes, kind: str = "") -> File:
    return {"name": name, "mimeType": kind, "buffer": data}


def press(page: Page) -> None:
    """The page's own button, the first one below the form; then wait for what it leads to."""
    with page.expect_navigation():
        page.locator("main .actions").first.locator("button, a.button").first.click()


def go_to_files(page: Page, site: Installation, language: str = "en", *, base: str = "", age: str = "under_18") -> None:
    page.goto((base or site.url("public", "").rstrip("/")) + START[language])
    page.locator("input[name=who][value=me]").check()
    page.locator(f"input[name=age][value='{age}']").check()
    press(page)
    press(page)
    expect(page.locator("label[for=files]")).to_be_visible()


def choose(page: Page, files: list[File], *, language: str = "en", timeout: int = 120_000) -> None:
    """Choose files and wait until every one has its result."""
    before = page.locator("#fingerprints li").count()
    page.locator("#files").set_input_files(files)
    expect(page.locator("#fingerprints li")).to_have_count(before + len(files), timeout=timeout)
    expect(page.locator("#progress")).to_have_text(READY[language], timeout=timeout)


def results(page: Page) -> dict[str, tuple[str, str]]:
    """name -> (what the list says, fingerprint or nothing)."""
    rows = page.evaluate(
        "[...document.querySelectorAll('#fingerprints li')].map((li) => [li.querySelector('strong').textContent, "
        "li.querySelector('span span').textContent, (li.querySelector('input[name=fingerprint]') || {}).value || ''])"
    )
    return {name: (state, value) for name, state, value in rows}


def finish(page: Page, *, links: str = "", threat: str = "") -> tuple[str, str]:
    """From the chosen files to number and code."""
    press(page)
    if links:
        page.locator("#id_links").fill(links)
    if threat:
        page.locator(f"input[name=threat][value={threat}]").check()
    press(page)
    press(page)
    return page.locator("#number").inner_text(), page.locator("#code").inner_text()


def fetched(site: Installation, path: str | None) -> tuple[HTTPMessage, str]:
    """Headers and text of one file of the site, as a client without a browser gets it."""
    connection = HTTPConnection("127.0.0.1", site.base, timeout=10)
    connection.request("GET", path or "", headers={"Host": f"report.localhost:{site.base}"})
    answer = connection.getresponse()
    assert answer.status == 200, path
    return answer.headers, answer.read().decode()


# ---- agreement -----------------------------------------------------------------------------------------------------
def test_the_browser_agrees_with_the_engine_over_the_whole_set(public_site, new_page):
    files = dict(picture_set())
    page = new_page()
    go_to_files(page, public_site)
    choose(page, [file_of(name, data) for name, data in files.items()], timeout=300_000)
    found = results(page)
    distances: dict[str, int] = {}
    for name, data in files.items():
        state, value = found[name]
        assert value, (name, state)
        _, digits, quality = value.split(":")
        engine = ringmatch.pdq(data)
        distances[name] = (int(digits, 16) ^ int.from_bytes(engine.hash)).bit_count()
        assert abs(int(quality) - engine.quality) <= 1, name
    say(
        f"{len(files)} pictures, largest distance {max(distances.values())}, mean {statistics.mean(distances.values()):.2f}"
    )
    assert {name: bits for name, bits in distances.items() if bits > 4} == {}


@pytest.mark.parametrize("size", [1, 55, 56, 63, 64, 65, 4 * 2**20 - 1, 4 * 2**20, 9_000_001])
def test_the_md5_of_a_video_is_that_of_the_file(public_site, new_page, size):
    data = b"\0\0\0\x18ftypmp42"[:size] + os.urandom(max(0, size - 12))
    page = new_page()
    go_to_files(page, public_site)
    choose(page, [file_of("film.mp4", data, "video/mp4")])
    assert results(page)["film.mp4"][1] == f"md5:{hashlib.md5(data, usedforsecurity=False).hexdigest()}"


def test_what_cannot_be_hashed_says_so_and_stops_nothing(public_site, new_page):
    good = encoded(Image.fromarray(landscape(1, 300, 400)), "JPEG")
    cut = encoded(Image.fromarray(landscape(2, 300, 400)), "PNG")[:-400]
    files = {
        "photo.heic": b"\0\0\0\x18ftypheic" + bytes(900),
        "scan.tiff": encoded(Image.fromarray(landscape(3, 300, 400)), "TIFF"),
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        "empty.jpg": b"",
        "text.jpg": b"no picture at all",
        "dark.png": encoded(Image.new("RGB", (400, 300), "black"), "PNG"),
        "huge.jpg": good + bytes(33 * 2**20),
        "good.jpg": good,
        "again.jpg": good,
        "cut.png": cut,
    }
    page = new_page()
    go_to_files(page, public_site)
    choose(page, [file_of(name, data) for name, data in files.items()])
    said = {name: state.split(".")[0].split(",")[0] for name, (state, _) in results(page).items()}
    both = {said.pop("good.jpg"), said.pop("again.jpg")}
    assert both == {"Ready", "Already added"}
    said.pop("cut.png")  # a browser may show the part that is there
    assert said == {
        **dict.fromkeys(["photo.heic", "scan.tiff", "drawing.svg", "empty.jpg", "text.jpg"], "Cannot be read"),
        "dark.png": "Too plain",
        "huge.jpg": "Too big for this page",
    }


# ---- without a connection ------------------------------------------------------------------------------------------
def test_fingerprints_are_made_in_airplane_mode(public_site, new_page):
    page = new_page()
    go_to_files(page, public_site)
    page.context.set_offline(True)
    choose(page, [file_of("a.jpg", encoded(Image.fromarray(landscape(4, 480, 640)), "JPEG")),
                  file_of("b.mp4", b"\0\0\0\x18ftypmp42" + os.urandom(100_000))])  # fmt: skip
    assert [value[:4] for _, value in results(page).values()] == ["pdq:", "md5:"]
    page.context.set_offline(False)
    number, code = finish(page)
    assert len(number.replace("-", "")) == 10 and len(code.replace("-", "")) == 16


# ---- proof that nothing but fingerprints leaves --------------------------------------------------------------------
class Wire:
    """Between the browser and the site: forwards everything and keeps every byte that the browser sends."""

    def __init__(self, port: int) -> None:
        self.target, self.sent, self.lock = port, bytearray(), threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                theirs, _ = self.server.accept()
                ours = socket.create_connection(("127.0.0.1", self.target))
                for source, sink, kept in ((theirs, ours, True), (ours, theirs, False)):
                    threading.Thread(target=self._pump, args=(source, sink, kept), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, kept: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                if kept:
                    with self.lock:
                        self.sent += piece
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.server.close()


@pytest.fixture
def wire(public_site) -> Iterator[Wire]:
    made = Wire(public_site.base)
    yield made
    made.close()


WINDOW = 16
CANARIES = ("CANARYNAME7f3a9", "CANARYEXIF51c2d", "CANARYMAKER88e0", "CANARYGPS0417")


def planted_picture() -> bytes:
    """A picture whose name (given later), EXIF values and pixels can be told from anything else."""
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x013B] = CANARIES[1], CANARIES[2], CANARIES[1]
    exif.get_ifd(0x8825)[29] = CANARIES[3]
    return encoded(Image.fromarray(landscape(77, 150, 200)), "JPEG", quality=90, exif=exif)


def windows(data: bytes) -> set[bytes]:
    return {data[start : start + WINDOW] for start in range(len(data) - WINDOW + 1)}


def traces_of(data: bytes) -> set[bytes]:
    """Every 16-byte window of the file and of its pixels, as they are, in base64 (at each offset) and in hexadecimal."""
    shown = Image.open(io.BytesIO(data))
    forms = [data, np.asarray(shown.convert("RGB")).tobytes(), np.asarray(shown.convert("RGBA")).tobytes()]
    forms.append(np.asarray(shown.convert("L")).tobytes())
    found: set[bytes] = set()
    for form in forms:
        found |= windows(form)
        found |= windows(form.hex().encode())
        for offset in range(3):
            found |= windows(base64.b64encode(form[offset:]).rstrip(b"="))
            found |= windows(base64.urlsafe_b64encode(form[offset:]).rstrip(b"="))
    return found


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_byte_of_a_picture_no_name_and_no_exif_value_leaves_the_device(public_site, new_page, wire, language):
    picture, video = planted_picture(), b"\0\0\0\x18ftypmp42" + os.urandom(40_000)
    page = new_page()
    requests: list[tuple[str, str]] = []
    page.context.on("request", lambda request: requests.append((request.method, request.url)))
    downloads: list[str] = []
    page.on("download", lambda download: downloads.append(download.url))
    base = f"http://report.localhost:{wire.port}"
    go_to_files(page, public_site, language, base=base)
    choose(page, [file_of(f"{CANARIES[0]}.jpg", picture, "image/jpeg"),
                  file_of(f"{CANARIES[0]}.mp4", video, "video/mp4")], language=language)  # fmt: skip
    made = [value for _, value in results(page).values()]
    engine = ringmatch.pdq(picture)
    assert (int(made[0].split(":")[1], 16) ^ int.from_bytes(engine.hash)).bit_count() <= 4, "it is this picture"
    # On the way: the other language and back, a page back, a reload.
    page.locator("button.language").click()
    page.locator("button.language").click()
    press(page)
    page.go_back()
    page.reload()
    number, code = finish(page, links="https://pictures.example/page/7", threat="no")
    page.goto(base + STATUS[language])
    page.locator("input[name=number]").fill(number)
    page.locator("input[name=code]").fill(code)
    press(page)
    page.locator("summary").last.click()
    page.locator("details button").last.click()

    # The wire has it all: the fingerprints, as proof that it listened, and no trace of anything else.
    sent = bytes(wire.sent)
    plain = unquote_to_bytes(sent.replace(b"+", b" "))
    assert all(value.encode() in plain for value in made)
    for canary in CANARIES:
        forms = (canary.encode(), canary.encode("utf-16-le"), canary.lower().encode(), canary.encode().hex().encode())
        assert not [form for form in forms if form in sent or form in plain], canary
        assert base64.b64encode(canary.encode())[:12] not in plain
    traces = traces_of(picture) | windows(video) | windows(base64.b64encode(video)) | windows(video.hex().encode())
    fingerprints = b" ".join(value.encode() for value in made)
    hits = [bytes(cut) for text in (sent, plain) for cut in windows(text) & traces if cut not in fingerprints]
    say(f"{len(sent)} bytes sent in {len(requests)} requests, {len(traces)} traces looked for, {len(hits)} found")
    assert hits == []
    # No request went anywhere else, or anywhere by another scheme; nothing was kept in the browser.
    assert {url.split("/")[2] for _, url in requests if url.startswith("http")} == {f"report.localhost:{wire.port}"}
    assert [url for _, url in requests if not url.startswith("http://")] == [] and downloads == []
    assert b"multipart/form-data" not in sent and b"\r\nUpgrade:" not in sent
    kept = page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, "
        "'caches' in self ? (await caches.keys()).length : 0, "
        "'serviceWorker' in navigator ? (await navigator.serviceWorker.getRegistrations()).length : 0]"
    )
    assert kept == [0, 0, 0, 0, 0]
    assert {cookie["name"] for cookie in page.context.cookies()} <= {"__Host-s", "__Host-c"}


def test_no_page_has_a_field_that_could_send_a_file(public_site, new_page):
    page = new_page()
    go_to_files(page, public_site)
    source = page.evaluate("document.documentElement.outerHTML")
    assert "multipart" not in source
    fields = page.evaluate(
        "[...document.querySelectorAll('input[type=file]')].map((one) => [one.name, one.form === null])"
    )
    assert fields == [["", True]]


def test_the_program_that_hashes_may_reach_nothing(public_site, new_page):
    """Its own policy, sent with the file, forbids every connection: also to a program that replaced it in part."""
    page = new_page()
    go_to_files(page, public_site)
    headers, program = fetched(public_site, page.locator("#chooser").get_attribute("data-worker"))
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "connect-src" not in policy and "worker-src" not in policy
    assert not re.search(
        r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|importScripts|sendBeacon|indexedDB|caches)\b", program
    )


# ---- weight ------------------------------------------------------------------------------------------------
def test_the_page_that_chooses_files_is_light(public_site, new_page):
    """Everything that a first visit to the page transfers, compressed as a browser asks for it, its worker included."""
    page = new_page()
    go_to_files(page, public_site)
    addresses = page.evaluate(
        "[location.pathname, ...[...document.querySelectorAll('script[src], link[href]')].map((one) => new URL(one.src || "
        "one.href).pathname), document.getElementById('chooser').dataset.worker]"
    )
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    sizes = {}
    for address in addresses:
        connection = HTTPConnection("127.0.0.1", public_site.base, timeout=10)
        headers = {"Host": f"report.localhost:{public_site.base}", "Accept-Encoding": "gzip", "Cookie": cookies}
        connection.request("GET", address, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, address
        sizes[address.split("/")[-1]] = len(answer.read()) + len(str(answer.headers))
    say(f"{sum(sizes.values())} bytes in {len(sizes)} requests: {sizes}")
    assert sum(sizes.values()) <= 100_000 and len(sizes) <= 6


# ---- without scripts, by keyboard, in both languages -------------------------------------------------------------------
def test_without_scripts_it_says_why_and_takes_pasted_fingerprints(public_site, new_page):
    page = new_page(scripts=False)
    page.goto(public_site.url("public", START["en"]))
    page.locator("input[value=someone]").check()
    page.locator("input[value=not_sure]").check()
    press(page)
    press(page)
    expect(page.locator("label[for=files]")).to_be_hidden()
    expect(page.get_by_role("heading", name="This browser cannot make fingerprints")).to_be_visible()
    _, program = fetched(public_site, page.locator("a[download]").first.get_attribute("href"))
    assert "def pdq(" in program
    page.locator("summary").click()
    page.locator("#id_pasted").fill("pdq:" + "a5c3" * 16 + ":100\nmd5:" + "1f" * 16)
    number, _code = finish(page)
    assert number


def test_by_keyboard_alone(public_site, new_page, tmp_path: Path):
    for name, seed in (("one.jpg", 5), ("two.jpg", 6)):
        (tmp_path / name).write_bytes(encoded(Image.fromarray(landscape(seed, 200, 300)), "JPEG"))
    page = new_page()
    go_to_files(page, public_site)
    page.locator("#files").focus()
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files([tmp_path / "one.jpg", tmp_path / "two.jpg"])
    expect(page.locator("#progress")).to_have_text("2 fingerprints are ready.")
    page.keyboard.press("Tab")
    expect(page.locator("#fingerprints button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#fingerprints li")).to_have_count(1)
    expect(page.locator("#fingerprints button")).to_be_focused()
    expect(page.locator("#progress")).to_have_text("1 fingerprint is ready.")


Look = Callable[[str], None]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_state_is_accessible_and_fits(public_site, new_page, language, width):
    page = new_page(width=width, height=700)

    def look(name: str) -> None:
        assert_accessible(page)
        assert_reflows(page)
        assert page.evaluate("document.documentElement.lang") == language
        take_screenshot(page, f"image-help-{language}-{width}-{name}")

    page.goto(public_site.url("public", START[language]))
    look("1-who")
    press(page)
    look("1-who-error")
    age = "under_18" if width == 320 else "18_plus"
    page.locator("input[name=who][value=me]").check()
    page.locator(f"input[name=age][value='{age}']").check()
    press(page)
    look("2-how")
    press(page)
    look("3-files-empty")
    press(page)
    look("3-files-error")
    photo = encoded(Image.fromarray(landscape(8, 300, 400)), "JPEG")
    choose(page, [file_of("holiday at the lake, 2026.jpg", photo), file_of("a.heic", b"\0\0\0\x18ftypheic" + bytes(99)),
                  file_of("film.mp4", b"\0\0\0\x18ftypmp42" + bytes(9999)), file_of("again.jpg", photo),
                  file_of("dark.png", encoded(Image.new("RGB", (99, 99)), "PNG"))], language=language)  # fmt: skip
    look("3-files-chosen")
    page.locator("summary").click()
    page.locator("#id_pasted").fill("not a fingerprint")
    press(page)
    look("3-files-pasted-error")
    page.locator("#id_pasted").fill("")
    press(page)
    look("4-where")
    page.locator("#id_links").fill("mailto:somebody")
    press(page)
    look("4-where-error")
    page.locator("#id_links").fill("https://pictures.example/page/7")
    page.locator("input[name=threat][value=yes]").check()
    press(page)
    look("5-check")
    press(page)
    look("6-sent")
    number, code = page.locator("#number").inner_text(), page.locator("#code").inner_text()
    page.locator("main form button").click()
    page.goto(public_site.url("public", STATUS[language]))
    look("7-status")
    page.locator("input[name=number]").fill(number)
    page.locator("input[name=code]").fill("0" * 16)
    press(page)
    look("7-status-error")
    page.locator("input[name=number]").fill(number)
    page.locator("input[name=code]").fill(code)
    press(page)
    page.locator("summary").last.click()
    look("8-case")
    page.locator("details button").last.click()
    look("9-taken-back")


@pytest.mark.parametrize("width", [320])
def test_without_scripts_every_state_is_accessible(public_site, browser_process: Browser, width):
    """axe needs scripts: the page without them is shown with the chooser's program alone kept away."""
    context = browser_process.new_context(viewport={"width": width, "height": 700}, locale="en-CA")
    context.route("**/chooser*.js", lambda route: route.abort())
    page = context.new_page()
    for language in ("en", "fr"):
        page.goto(public_site.url("public", START[language]))
        page.locator("input[name=who][value=me]").check()
        page.locator("input[name=age][value=under_18]").check()
        press(page)
        press(page)
        assert_accessible(page)
        assert_reflows(page)
        take_screenshot(page, f"image-help-{language}-{width}-without-scripts")
    context.close()
