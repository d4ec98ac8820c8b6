"""U5: fingerprints are made on the person's own device, soon enough, and nothing of a picture leaves it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from benchmarks.experience.goal import Goal, all_of, at_most
from benchmarks.experience.rig import Rig, seconds_since
from tests.browser.picture_set import encoded, landscape
from tests.browser.test_image_help import READY, finish, go_to_files, results

FILES, SLOWER = 10, 4
_LONG_TASKS = (
    "() => { window.tasks = [0]; new PerformanceObserver(list => window.tasks.push(...list.getEntries()"
    ".map(one => one.duration))).observe({ type: 'longtask' }); }"
)


def u5_on_the_device(rig: Rig) -> Iterator[Goal]:
    """Ten telephone pictures of 12 megapixels on a processor four times slower; every byte that is sent is looked at."""
    with tempfile.TemporaryDirectory() as folder, rig.page() as page:
        pictures = []
        for number in range(FILES):
            pictures.append(encoded(Image.fromarray(landscape(80 + number, 3000, 4000)), "JPEG", quality=85 + number))
            (Path(folder) / f"zebra-{number}.jpg").write_bytes(pictures[-1])
        sent: list[bytes] = []
        page.on("request", lambda request: sent.append(request.url.encode() + (request.post_data_buffer or b"")))
        go_to_files(page, rig.site)
        page.evaluate(_LONG_TASKS)
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        begun = time.monotonic()
        page.locator("#files").set_input_files(sorted(Path(folder).iterdir()))
        expect(page.locator("#progress")).to_have_text(READY["en"], timeout=120_000)
        seconds, longest = seconds_since(begun), max(page.evaluate("window.tasks"))
        ready = [name for name, (_, value) in results(page).items() if value]
        finish(page)
        yield all_of("U5", "files of a telephone with a fingerprint", len(ready), FILES, [])
        yield at_most("U5", f"{FILES} files of 12 megapixels, processor {SLOWER} times slower", seconds, 10, " s")
        yield at_most("U5", "longest that the page does not react", longest, 50, " ms")
        found = sum(b"zebra" in body for body in sent) + sum(
            picture[start : start + 16] in body
            for body in sent
            for picture in pictures
            for start in range(0, len(picture) - 16, 4096)
        )
        yield at_most(
            "U5", f"names or bytes of a picture in {len(sent)} requests ({sum(map(len, sent))} bytes)", found, 0
        )
