"""The pages in Chromium: accessible, not wider than a telephone, in both languages, and nothing in them comes alive.

The pages are made first, by the console's own code; the browser then gets exactly those answers, headers included, and every
other request that it makes is refused and counted. Set VIGIL_SCREENSHOTS to a folder to keep pictures of the pages.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from playwright.sync_api import sync_playwright

from vigil.accounts.policies import Role
from vigil.casework import services, shelf
from vigil.casework.models import ReportedPlace
from vigil.casework.tests.factories import SEEN, make_incident
from vigil.casework.tests.test_pages import path_of
from vigil.casework.tests.test_words import PAYLOADS, SOUGHT
from vigil.core import clock
from vigil.core.ids import format_number
from vigil.crawl.models import Candidate
from vigil.lists import services as lists
from vigil.lists.models import FeedCounter
from vigil.lists.tests.factories import candidate, looked

pytestmark = pytest.mark.usefixtures("transactional_db", "keyd_server")
ORIGIN = "http://console.localhost"
CHROMIUM = "/usr/bin/chromium"
FLAGS = """--no-sandbox --disable-background-networking --disable-quic --no-first-run --disable-component-update
--disable-sync"""
WIDTHS = (320, 1280)
# The slow part, once a page and state: one language on the telephone, the other on the desk.
AXE_LANGUAGE = {320: "/fr-", 1280: "/en-"}
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}


def grey_png(width=160, height=120):
    """A plain grey picture, in place of a preview."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes(128 for _ in range(width)) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def stage(role, make_person, settings):
    """A small country: incidents of every band, a case, places with outcomes, candidates, entries in every state."""
    FeedCounter.objects.get_or_create(id=True)
    analyst = make_person(name="Demo Analyst", clearance=3, roles={Role.INTAKE_ANALYST, Role.AUDITOR})
    assessors = [make_person(name=f"Demo Assessor {n}", clearance=3, roles={Role.ASSESSOR}) for n in ("One", "Two")]
    now = clock.now()
    main = make_incident(
        answers={**SEEN, "situations": ["seen_material"], "identifiable": "unsure"},
        narrative="A page with pictures was reported.\nIt was seen twice this week.",
        links=("https://pictures.example/gallery/page-1?x=1", "not an address", "https://dead.example/"),
        handles=("someone@chat.example",),
        contact={"contact_name": "Synthetic Name", "contact_way": "someone@mail.example", "may_share": "no"},
        at=now,
    )
    hostile = make_incident(narrative="\n".join(PAYLOADS), links=tuple(SOUGHT), handles=tuple(PAYLOADS), at=now)
    for answers in (
        {**SEEN, "danger": "yes"},
        {"danger": "no", "who": "me", "age_band": "13_15", "situations": ["threat"]},
        {"danger": "no", "who": "saw", "situations": ["enticement"]},
        {"danger": "no", "who": "saw", "situations": ["other"]},
    ):
        make_incident(answers=answers, at=now)
    for incident in (main, hostile):
        with role("vigil_console", actor=analyst):
            services.claim_incident(actor=analyst, incident_id=incident.id, at=clock.now())
    with role("vigil_console", actor=analyst):
        case = services.open_case(actor=analyst, incident_id=main.id, at=clock.now())
        services.fetch_reported_places(actor=analyst, incident_id=main.id, at=clock.now())
        services.ask_reporter(actor=analyst, incident_id=main.id, text="Which page was it?", at=clock.now())
    place_id = ReportedPlace.objects.filter(incident=main, place_id__isnull=False).first().place_id
    facts = candidate(incident_id=main.id, case_id=case.id, place_id=place_id)
    for values in (facts, candidate()):
        Candidate.objects.create(
            id=values.candidate_id,
            incident_id=main.id,
            place_id=place_id,
            sha256=values.sha256,
            md5=values.md5,
            pdq=values.pdq,
            quality=97,
            width=640,
            height=480,
            seen_at=now,
        )
    with role("vigil_console", actor=analyst):
        proposed = lists.propose_entry(actor=analyst, candidate=facts, classification="baseline", at=now)
        waiting = lists.propose_entry(actor=analyst, candidate=candidate(), classification="national", at=now)
        published = lists.propose_entry(actor=analyst, candidate=candidate(), classification="harmful", at=now)
    for assessor in assessors:
        with role("vigil_console", actor=assessor):
            looked(assessor, published.id)
            lists.decide_assessment(actor=assessor, entry_id=published.id, verdict="illegal", at=now)
    return {
        "analyst": analyst,
        "assessor": assessors[0],
        "main": main,
        "hostile": hostile,
        "case": case,
        "proposed": proposed,
        "waiting": waiting,
        "published": published,
    }


@pytest.fixture
def pages(stage, console):
    """{(language, name): response} of every page and state."""
    found = {}
    for language in ("en", "fr"):
        analyst, assessor = console(stage["analyst"], language=language), console(stage["assessor"], language=language)
        main = path_of("incidents", stage["main"])
        # An earlier success message belongs to the page that follows it, not to this one.
        analyst.get("/queue")
        found |= {
            (language, "queue"): analyst.get("/queue"),
            (language, "queue-mine"): analyst.get("/queue?mine=1"),
            (language, "incident"): analyst.get(main),
            (language, "incident-contact"): analyst.post(f"{main}/contact"),
            (language, "incident-hostile"): analyst.get(path_of("incidents", stage["hostile"])),
            (language, "incident-error"): analyst.post(f"{main}/decide", {"fence": 1, "decision": "actionable"}),
            (language, "case"): analyst.get(path_of("cases", stage["case"])),
            (language, "cases"): analyst.get("/cases"),
            (language, "entries"): analyst.get("/entries"),
            (language, "entry"): assessor.get(path_of("entries", stage["published"])),
            (language, "assess"): assessor.get("/assess"),
            (language, "assess-one"): assessor.get(path_of("assess", stage["waiting"])),
            (language, "assess-decide-first"): assessor.post(
                path_of("assess", stage["waiting"], "/decide"), {"verdict": "illegal"}
            ),
            (language, "assess-unreachable"): assessor.post(path_of("assess", stage["waiting"], "/look"), follow=True),
        }
        asked = assessor.post(path_of("assess", stage["proposed"], "/look"))
        look_id = asked["Location"].rsplit("/", 1)[1]
        shelf.put(actor_id=stage["assessor"].id, look_id=UUID(look_id), picture=grey_png())
        found[(language, "assess-preview")] = assessor.get(asked["Location"])
    return found


def test_every_page_is_accessible_fits_a_telephone_and_stays_inert(pages, stage):
    folder = os.environ.get("VIGIL_SCREENSHOTS", "")
    answers = {f"/{language}-{name}": response for (language, name), response in pages.items()}
    refused, problems = [], []

    def answer(route):
        address = urlsplit(route.request.url)
        if f"{address.scheme}://{address.netloc}" != ORIGIN:
            refused.append(address.netloc)
            route.abort()
        elif address.path in answers:
            response = answers[address.path]
            headers = {name: value for name, value in response.items() if name.lower() != "set-cookie"}
            route.fulfill(status=200, headers=headers, body=response.content)
        elif address.path.startswith(django_settings.STATIC_URL):
            route.fulfill(path=finders.find(address.path.removeprefix(django_settings.STATIC_URL)))
        elif "/preview/" in address.path:
            route.fulfill(content_type="image/png", body=grey_png())
        else:
            problems.append(f"asked for {address.path}")
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        for width in WIDTHS:
            context = browser.new_context(viewport={"width": width, "height": 800}, reduced_motion="reduce")
            page = context.new_page()
            page.route("**/*", answer)
            page.on("dialog", lambda dialog: (problems.append("a dialog opened"), dialog.dismiss()))
            page.on(
                "console", lambda message: message.type == "error" and problems.append(f"console: {message.text[:120]}")
            )
            for path in answers:
                page.goto(ORIGIN + path)
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if wide > 0:
                    problems.append(f"{path} at {width}: {wide} px too wide")
                if folder:
                    Path(folder).mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=f"{folder}/{path.strip('/')}-{width}.png", full_page=True)
                if not path.startswith(AXE_LANGUAGE[width]):
                    continue
                for violation in Axe().run(page, options=AXE).response["violations"]:
                    where = [node["html"][:160] for node in violation["nodes"][:2]]
                    problems.append(f"{path} at {width}: {violation['id']} {where}")
            context.close()
        browser.close()

    assert problems == []
    assert refused == []
    assert all(response.status_code in {200, 400, 409} for response in pages.values())
    assert format_number(stage["main"].number) in pages[("fr", "queue")].content.decode()
