"""U14 to U16: going away leaves nothing, nothing is left on the way, and nobody learns which numbers exist."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import Page

from benchmarks.experience.browsing import FIRST_QUESTION, PERSONAS, Persona
from benchmarks.experience.goal import Goal, at_most, none_of
from benchmarks.experience.load import in_thread, percentile
from benchmarks.experience.rig import Rig
from benchmarks.experience.scripts import script
from benchmarks.experience.visitor import Visitor

CANARY = Persona(
    "a person with marked answers",
    {"danger": "no", "who": "me", "age_band": "13_15", "situations": "threat"},
    {"narrative": "zebra-narrative", "handle_0": "zebra-handle", "link_0": "https://zebra-link.example/",
     "contact_name": "zebra-name", "contact_way": "zebra@mail.example"},
)  # fmt: skip
TRIES, WINDOW_TRIES = 600, 5


def u14_leaving(rig: Rig) -> Iterator[Goal]:
    """By click, by Shift, and without scripts, from a page with answers."""
    times: list[float] = []
    left: list[str] = []
    for way in ("click", "shift", "no scripts"):
        with rig.page(java_script_enabled=way != "no scripts") as page:
            page.on(
                "console", lambda message: times.extend(float(part) for part in message.text.split("blank after ")[1:])
            )
            walk = rig.walk(page, persona=CANARY)
            page.goto(rig.site.url("public", FIRST_QUESTION["en"]))
            while not page.locator("textarea[name=narrative]").count():
                walk.fill()
                walk.press(page.locator("form#step .actions button").first)
            walk.fill()
            if way != "no scripts":
                page.evaluate(script("time_to_blank"))
            with page.expect_request("https://**"):
                if way == "shift":
                    for _ in range(3):
                        page.keyboard.press("Shift")
                else:
                    page.locator("#leave").click(no_wait_after=True)
            for _ in range(100):  # the destination does not exist for this browser: wait until it has given up
                if "/report/" not in page.url and "leave" not in page.url:
                    break
                page.wait_for_timeout(100)
            left += [f"{way}: cookie" for cookie in page.context.cookies() if "localhost" in cookie["domain"]]
            page.go_back()
            left += [f"{way}: an answer on going back"] if "zebra" in page.content() else []
    yield at_most("U14", "from pressing to an empty screen", max(times) if len(times) > 1 else float("inf"), 300, " ms")
    yield none_of("U14", "cookies or answers left after leaving", left)


def u15_traces(rig: Rig) -> Iterator[Goal]:
    """One whole report with marked answers: addresses, titles, storage, cookies, logs."""
    found: list[str] = []
    secrets = ("zebra", "threat", "13_15", *(text for text in CANARY.texts.values()))

    def look(page: Page, name: str) -> None:
        for where, text in (
            ("address", page.url),
            ("title", page.title()),
            ("referrer", page.evaluate("document.referrer")),
        ):
            found.extend(f"{name}: {where}" for secret in secrets if secret in text)
        stored = page.evaluate(
            "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length]"
        )
        found.extend([f"{name}: storage"] if any(stored) else [])
        cookies = {cookie["name"] for cookie in page.context.cookies()}
        if name in {"home", "before"} and cookies:
            found.append(f"{name}: {len(cookies)} cookies before a form")

    with rig.page() as page:
        walk = rig.walk(page, persona=CANARY, look=look)
        number, secret = walk.whole()
        sent = {cookie["name"]: cookie for cookie in page.context.cookies()}
        if any(cookie["expires"] != -1 for cookie in sent.values()):
            found.append("a cookie outlives the browser")
        page.locator("main a, footer a").first.click()
        page.wait_for_load_state("load")
    for path in sorted(rig.site.var.rglob("*")):
        if path.is_file() and ("log" in path.parts or path.suffix in {".out", ".log"}):
            text = path.read_bytes()
            words = (b"zebra", number.encode(), number.replace("-", "").encode(), secret.encode())
            found.extend(f"log {path.name}" for word in words if word in text)
    yield none_of("U15", "answers in addresses, titles, referrers, storage or logs; cookies before a form", found)


def u16_status(rig: Rig) -> Iterator[Goal]:
    """A number that exists with a wrong secret against one that does not, and the sixth try."""
    with rig.page(java_script_enabled=False) as page:
        number, secret = rig.walk(page, persona=PERSONAS[0]).whole()
        timings, bodies = in_thread(_compare(rig, number))
        yield at_most("U16", "median difference between a number that exists and one that does not",
                      abs(percentile(timings[0], 0.5) - percentile(timings[1], 0.5)) * 1000, 5, " ms")  # fmt: skip
        yield at_most("U16", "different answers to the two", len(bodies), 1)
        yield from _limit(rig, page, number, secret)


async def _compare(rig: Rig, number: str) -> tuple[tuple[list[float], list[float]], set[bytes]]:
    """Numbers of both kinds in turn. The limit counts by number, so none is asked more than four times."""
    existing = [number.replace("-", "")]
    existing += rig.site.sql(
        "SELECT string_agg(number, ',') FROM (SELECT number FROM intake_report LIMIT 400) AS known"
    ).split(",")
    path = rig.public_pages()["intake:status-en"]
    visitor = Visitor("report.localhost", rig.site.base)
    kinds: tuple[list[float], list[float]] = ([], [])
    bodies: set[bytes] = set()
    for index in range(min(TRIES, 4 * len(existing))):
        asked = existing[index // 4] if index % 2 else _made_up(index)
        form = await visitor.get(path)
        fields = [
            (node.attributes["name"] or "", node.attributes.get("value") or "")
            for node in form.parsed.css("main form input, header form input")
            if node.attributes.get("name") and node.attributes["name"] not in {"number", "secret"}
        ]
        names = {name for name, _ in fields}
        fields = [(name, value) for name, value in fields if name in names]
        visitor.timings.clear()
        answer = await visitor.post(
            path, [*dict(fields).items(), ("number", asked), ("secret", "0" * 16), ("action", "look")]
        )
        kinds[index % 2].append(visitor.timings[0][1])
        bodies.add(_without_what_changes(answer.body, asked))
    await visitor.close()
    return kinds, bodies


def _made_up(seed: int) -> str:
    """A well-formed number that no report has (its check character is right)."""
    from vigil.core.ids import number_from_bits  # Django has to be set up first

    return number_from_bits((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)


def _without_what_changes(body: bytes, asked: str) -> bytes:
    import re

    text = re.sub(rb'value="[A-Za-z0-9]{60,}"', b"", body)
    return re.sub(rb'(name="number"[^>]*value=")[^"]*"', rb"\1", text).replace(asked.encode(), b"")


def _limit(rig: Rig, page: Page, number: str, secret: str) -> Iterator[Goal]:
    path = rig.public_pages()["intake:status-en"]
    opened_after = 0
    for attempt in range(WINDOW_TRIES + 1):
        page.goto(rig.site.url("public", path))
        page.locator("input[name=number]").fill(number)
        page.locator("input[name=secret]").fill(secret if attempt == WINDOW_TRIES else "0" * 16)
        page.locator("main form button").last.click()
        page.wait_for_load_state("load")
        opened_after += page.locator("form#add, .thread, textarea").count() > 0
    yield at_most("U16", "threads opened after five wrong tries, even with the right secret", opened_after, 0)
