"""The console's doors for calls, letters and lists, over HTTP without scripts, in both languages, under the console's role."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from vigil.accounts import services as accounts
from vigil.casework.tests.conftest import console  # noqa: F401 - the console as a test client
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.intake.models import Delivery, Report

HOST = "https://pictures.example"
CALL = {
    "source": "phone",
    "language": "fr",
    "danger": "no",
    "who": "saw",
    "situations": ["seen_material"],
    "narrative": "A page with pictures was reported.",
    "link_0": f"{HOST}/a",
}


@pytest.fixture
def analyst(make_person):
    return make_person(roles={"intake_analyst"})


@pytest.fixture
def desk(console, analyst):  # noqa: F811
    return console(analyst)


def once_on(response):
    return re.search(r'name="once" value="([^"]+)"', response.content.decode()).group(1)


def start(desk, path="/reports/new"):
    response = desk.get(path)
    assert response.status_code == 200
    return once_on(response)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_pages_speak_both_languages(console, analyst, language):  # noqa: F811
    client = console(analyst, language=language)
    assert {"en": "Take a report in", "fr": "Recevoir un signalement"}[language] in text(client.get("/reports/new"))
    assert {"en": "Take a list in", "fr": "Recevoir une liste"}[language] in text(client.get("/reports/list"))


@pytest.mark.parametrize("source", ["phone", "letter"])
def test_a_call_or_a_letter_becomes_a_report_with_a_receipt_to_read_out(desk, owner, source):
    response = desk.post("/reports/new", {**CALL, "source": source, "once": start(desk), "action": "keep"})
    assert response.status_code == 200 and "The report was kept" in text(response)
    assert 'class="spelled"' in response.content.decode()
    with owner():
        report = Report.objects.get()
        assert (report.source, report.language) == (source, "fr")
        assert report.number in response.content.decode().replace("-", "")


def test_a_second_press_keeps_nothing_twice_and_shows_the_same_receipt(desk, owner):
    once = start(desk)
    pages = [desk.post("/reports/new", {**CALL, "once": once, "action": "keep"}) for _ in range(2)]
    shown = [re.findall(r'id="(?:number|secret)">([^<]+)<', page.content.decode()) for page in pages]
    assert len(shown[0]) == 2 and shown[0] == shown[1]
    with owner():
        assert Report.objects.count() == 1


def test_what_is_missing_is_said_and_nothing_that_was_typed_is_lost(desk, owner):
    response = desk.post(
        "/reports/new",
        {"once": start(desk), "source": "phone", "language": "en", "narrative": "Words kept.", "action": "keep"},
    )
    assert response.status_code == 400 and "There is a problem" in text(response)
    assert "Words kept." in response.content.decode()
    with owner():
        assert Report.objects.count() == 0


def test_questions_that_answers_open_can_be_asked_for_without_scripts(desk):
    once = start(desk)
    before = desk.get("/reports/new").content.decode()
    after = desk.post(
        "/reports/new",
        {"once": once, "source": "phone", "language": "en", "situations": ["enticement"], "action": "more"},
    )
    assert after.status_code == 200 and "There is a problem" not in text(after)
    assert 'name="meeting_planned"' in after.content.decode() and 'name="meeting_planned"' not in before
    assert once_on(after) == once


def test_another_row_can_be_asked_for_without_scripts(desk):
    after = desk.post("/reports/new", {**CALL, "once": start(desk), "action": "add_link"})
    assert 'name="link_1"' in after.content.decode() and f"{HOST}/a" in after.content.decode()


def test_a_pasted_list_gets_an_answer_for_each_line(desk, owner):
    once = start(desk, "/reports/list")
    pasted = {"once": once, "language": "en", "text": f"{HOST}/a ; threat\nno link here\n{HOST}/a"}
    page = desk.post("/reports/list", pasted)
    words = text(page)
    assert page.status_code == 200 and "2 reports were taken." in words and "1 line was not taken." in words
    assert "Same place as line 1" in words
    assert re.search(r"<textarea[^>]*>\s*no link here</textarea>", page.content.decode())
    assert once_on(page) != once
    again = desk.post("/reports/list", pasted)
    assert "nothing was kept twice" in text(again)
    with owner():
        assert (Report.objects.count(), Delivery.objects.count()) == (2, 1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_file_of_a_spreadsheet_is_read(desk, owner, encoding):
    table = f"Lien;Catégorie;Note\r\n{HOST}/a;menace;école\r\n{HOST}/b;;\r\n"
    file = SimpleUploadedFile("list.csv", table.encode(encoding), content_type="text/csv")
    page = desk.post(
        "/reports/list", {"once": start(desk, "/reports/list"), "language": "fr", "text": "", "file": file}
    )
    assert "2 reports were taken." in text(page)
    with owner():
        assert [report.signals["situations"] for report in Report.objects.order_by("id")] == [
            ["threat"],
            ["seen_material"],
        ]


def test_a_list_says_whose_it_is(desk, owner):
    with owner():
        partner = accounts.add_organisation(
            actor=process_actor("command-line"), code="city-police", name_en="City Police", name_fr="Police municipale",
            kind="police", email="", language="both", at=clock.now(),
        )  # fmt: skip
    desk.post(
        "/reports/list",
        {"once": start(desk, "/reports/list"), "language": "en", "text": f"{HOST}/a", "partner": "city-police"},
    )
    with owner():
        report = Report.objects.get()
        assert (report.source, report.partner_id) == ("police", partner)


def test_too_much_at_once_is_refused_with_words(desk, owner):
    file = SimpleUploadedFile("list.csv", b"x" * 300_000, content_type="text/csv")
    page = desk.post(
        "/reports/list", {"once": start(desk, "/reports/list"), "language": "en", "text": "", "file": file}
    )
    assert page.status_code == 400 and "too much at once" in text(page)
    empty = desk.post("/reports/list", {"once": start(desk, "/reports/list"), "language": "en", "text": " \n"})
    assert empty.status_code == 400 and "Paste at least one line" in text(empty)


def test_other_lines_on_a_page_that_was_sent_are_not_taken_for_a_repeat(desk):
    once = start(desk, "/reports/list")
    desk.post("/reports/list", {"once": once, "language": "en", "text": f"{HOST}/a"})
    page = desk.post("/reports/list", {"once": once, "language": "en", "text": f"{HOST}/b"})
    assert page.status_code == 409 and "sent before with other lines" in text(page)
    assert f"{HOST}/b" in page.content.decode() and once_on(page) != once


def test_lines_that_were_not_taken_can_be_saved_and_no_cell_is_a_formula(desk):
    response = desk.post("/reports/list/refused", {"text": f'=1+1\n{HOST}/good\nbad line ; "quoted"'})
    assert response["Content-Disposition"].startswith("attachment")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "link;line;reason" and lines[1].startswith("'=1+1;1;")
    assert len(lines) == 3 and "good" not in response.content.decode()


def test_pages_of_lists_hold_no_link_in_title_or_address(desk):
    page = desk.post(
        "/reports/list", {"once": start(desk, "/reports/list"), "language": "en", "text": f"{HOST}/canary\nx"}
    )
    html = page.content.decode()
    assert "canary" not in html and 'href="http' not in html
