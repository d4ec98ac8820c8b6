"""The pages, without scripts, as the public door's role; and what staff see."""

from __future__ import annotations

import re
import statistics
import time

import pytest

from vigil.casework.tests.conftest import console
from vigil.core import clock
from vigil.imagehelp import services
from vigil.imagehelp.models import HelpCase, HelpDraft
from vigil.imagehelp.tests.conftest import MD5, OTHER_PDQ, PDQ, Browser, fill_in, send
from vigil.imagehelp.tests.factories import make_case, work
from vigil.lists.models import Declared

__all__ = ["console"]
CHANGING = re.compile(
    rb'name="csrfmiddlewaretoken" value="[^"]+"|\b[0-9A-Z]{4}-[0-9A-Z]{3}-[0-9A-Z]{3}\b|\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b'
    rb'|name="(?:number|code)" value="[^"]*"'
)


def test_a_whole_case_without_scripts(public, owner):
    number, code = send(public)
    assert len(number.replace("-", "")) == 10 and len(code.replace("-", "")) == 16
    with owner():
        case = HelpCase.objects.get(number=number.replace("-", ""))
        assert (case.who, case.age, case.language, case.fingerprints.count()) == ("me", "under_18", "en", 2)


def test_sending_twice_and_going_back_make_one_case(public, owner):
    send(public)
    for page in ("check", "where", "files", "how-it-works", ""):
        public.get(f"/en/remove-my-image/{page}".rstrip("/"))
        assert public.page.status_code == 303 and public.page["Location"].endswith("/sent")
    public.get("/en/remove-my-image/sent")
    public.post("/en/remove-my-image/check")
    assert public.path == "/en/remove-my-image/sent"
    with owner():
        assert HelpCase.objects.count() == 1


def test_nobody_gets_ahead_of_the_questions(public):
    public.get("/en/remove-my-image/files")
    assert public.page["Location"] == "/en/remove-my-image"
    public.post("/en/remove-my-image", who="me", age="under_18")
    public.get("/en/remove-my-image/check")
    assert public.page["Location"] == "/en/remove-my-image/files"


def test_wrong_answers_are_said_and_nothing_is_kept(public):
    public.post("/en/remove-my-image")
    assert public.page.status_code == 422 and "There is a problem" in public.text
    public.post("/en/remove-my-image", who="me", age="18_plus")
    public.post("/en/remove-my-image/files", pasted="")
    assert public.page.status_code == 422 and "Choose at least one picture or video first." in public.text
    public.post("/en/remove-my-image/files", pasted=f"{PDQ}\nnothing")
    assert public.page.status_code == 422 and "One of the lines is not a fingerprint" in public.text
    public.post("/en/remove-my-image/files", pasted=PDQ)
    public.post("/en/remove-my-image/where", links="mailto:somebody")
    assert public.page.status_code == 422 and "not a web address" in public.text


def test_the_other_language_keeps_what_was_filled_in(public):
    public.post("/en/remove-my-image", who="me", age="under_18")
    public.post("/en/remove-my-image/files", action="language", fingerprint=[PDQ, MD5])
    assert public.path == "/fr/retirer-mon-image/fichiers"
    assert PDQ in public.text and MD5 in public.text and "Choisis tes photos" in public.text
    public.post("/fr/retirer-mon-image/fichiers", fingerprint=[PDQ, MD5], remove=PDQ, action="")
    assert PDQ not in public.text and MD5 in public.text


def test_a_person_under_18_is_spoken_to_as_one(public):
    public.post("/en/remove-my-image", who="me", age="under_18")
    public.get("/fr/retirer-mon-image/fonctionnement")
    assert "Ta photo reste sur cet appareil" in public.text and "pas ta faute" in public.text
    public.post("/en/remove-my-image", who="someone", age="under_18")
    public.get("/fr/retirer-mon-image/fonctionnement")
    assert "Votre photo reste sur cet appareil" in public.text


def test_an_adult_is_helped_and_told_of_the_service_for_adults(public):
    public.post("/en/remove-my-image", who="me", age="18_plus")
    assert "StopNCII.org" in public.text and "Continue" in public.text


def test_not_in_trouble_is_said_only_with_a_recorded_agreement(public, monkeypatch):
    from vigil.imagehelp import views

    fill_in(public, threat="yes")
    public.get("/en/remove-my-image/where")
    assert "not in trouble" not in public.text and "Stop replying" in public.text
    monkeypatch.setattr(views, "_not_in_trouble", lambda: "You are not in trouble for telling us.")
    public.get("/en/remove-my-image/where")
    assert "You are not in trouble for telling us." in public.text


def test_nothing_can_be_uploaded(public):
    public.post("/en/remove-my-image", who="me", age="under_18")
    public.get("/en/remove-my-image/files")
    fields = re.findall(r"<input[^>]*type=\"file\"[^>]*>", public.text)
    assert len(fields) == 1 and "name=" not in fields[0]
    assert public.text.index(fields[0]) < public.text.index("<form"), "outside of the form"
    assert "multipart" not in public.text
    policy = public.page["Content-Security-Policy"]
    assert "worker-src 'self'" in policy and "connect-src" not in policy and "default-src 'none'" in policy
    public.get("/en/remove-my-image/where")
    assert "worker-src" not in public.page["Content-Security-Policy"]


def test_a_file_that_is_posted_all_the_same_is_refused(public):
    from django.core.files.uploadedfile import SimpleUploadedFile

    public.post("/en/remove-my-image", who="me", age="under_18")
    public.post("/en/remove-my-image/files", pasted=SimpleUploadedFile("a.jpg", b"\xff\xd8\xff", "image/jpeg"))
    assert public.page.status_code == 400


def test_the_trap_takes_nothing(public, owner):
    fill_in(public)
    public.post("/en/remove-my-image/check", trap="x")
    assert public.page.status_code == 400
    with owner():
        assert not HelpCase.objects.exists()


def test_two_hours_later_it_is_gone_and_said_so(public_settings, role):
    browser = Browser()
    with role("vigil_public"):
        browser.post("/en/remove-my-image", who="me", age="under_18")
    with role("vigil_owner"):
        clock.advance(3 * 3600)
    with role("vigil_public"):
        browser.get("/en/remove-my-image/files")
        assert browser.page.status_code == 410 and "no longer here" in browser.text
    with role("vigil_worker"):
        services.delete_expired_drafts(at=clock.now())
    with role("vigil_owner"):
        assert not HelpDraft.objects.exists()


# ---- one answer, whatever is known ---------------------------------------------------------------------------------------
def pages_of(fingerprint: str) -> list[bytes]:
    """Every page from the check to the open case, without what is random in it."""
    browser, seen = Browser(), []
    number, code = send(browser, fingerprints=fingerprint)
    seen.append(browser.page.content)
    browser.post("/en/remove-my-image/sent", action="close", follow=False)
    browser.post("/en/remove-my-image/status", number=number, code=code, action="open")
    seen.append(browser.page.content)
    return [CHANGING.sub(b"", page) for page in seen]


def test_pages_are_the_same_bytes_whether_or_not_a_fingerprint_is_known(public_settings, role, owner):
    """PDQ is declared by somebody else already (and would be a match); OTHER_PDQ is nowhere."""
    make_case(PDQ)
    work("vigil.imagehelp")
    assert Declared.objects.count() == 1
    with role("vigil_public"):
        known, unknown = pages_of(PDQ), pages_of(OTHER_PDQ)
    assert known == unknown
    assert b"No matches yet" in known[1]


def test_sending_takes_the_same_time_whether_or_not_a_fingerprint_is_known(public_settings, role):
    make_case(PDQ)
    work("vigil.imagehelp")
    seconds: dict[str, list[float]] = {PDQ: [], OTHER_PDQ: []}
    for _ in range(6):
        for fingerprint, times in seconds.items():
            started = time.perf_counter()
            make_case(fingerprint)
            times.append(time.perf_counter() - started)
    known, unknown = (statistics.median(times) for times in seconds.values())
    assert abs(known - unknown) < max(0.5 * unknown, 0.02)


# ---- number and code -------------------------------------------------------------------------------------------------------
def test_taking_back_with_number_and_code(public):
    number, code = send(public)
    public.post("/en/remove-my-image/status", number=number, code=code.lower(), action="open")
    assert "Active" in public.text and "1 picture, 1 video" in public.text
    public.post("/en/remove-my-image/status", number=number, code=code, action="withdraw")
    assert "The fingerprints were taken back." in public.text and "Taken back" in public.text


def test_wrong_pairs_get_one_answer_and_five_tries(public):
    number, code = send(public)
    wrong = set()
    for pair in ((number, "0" * 16), ("7K3M-9Q2-X4A", code), (number, "x")):
        public.post("/en/remove-my-image/status", number=pair[0], code=pair[1])
        page = CHANGING.sub(b"", public.page.content)
        wrong.add((public.page.status_code, re.sub(rb'value="[^"]*"', b"", page)))
    assert len(wrong) == 1
    for _ in range(5):
        public.post("/en/remove-my-image/status", number=number, code="0" * 16)
    public.post("/en/remove-my-image/status", number=number, code=code)
    assert public.page.status_code == 422, "also the right code waits now"


# ---- staff -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("role_name", "status"), [("intake_analyst", 200), ("auditor", 200), ("removal_officer", 403)])
def test_the_list_of_cases_is_for_those_who_work_them(db, console, make_person, role_name, status):
    make_case(PDQ, MD5, links=["https://pictures.example/page/7"])
    page = console(make_person(roles={role_name})).get("/image-help/")
    assert page.status_code == status
    if status == 200:
        assert b"pictures.example" not in page.content and b'<td class="amount">1</td>' in page.content


@pytest.mark.parametrize("language", ["en", "fr"])
def test_staff_see_a_case_and_set_it_aside(db, console, make_person, audit_rows, language):
    case_id, number, _code = make_case(PDQ)
    work("vigil.imagehelp")
    browser = console(make_person(roles={"intake_analyst"}), language=language)
    shown = browser.get(f"/image-help/{number}/")
    assert shown.status_code == 200 and PDQ.split(":")[1].encode() not in shown.content
    browser.post(f"/image-help/{number}/set-aside/", {})
    assert HelpCase.objects.get(id=case_id).state == "open"
    browser.post(f"/image-help/{number}/set-aside/", {"reason": "contested"})
    assert HelpCase.objects.get(id=case_id).state == "set_aside"
    assert Declared.objects.get().withdrawn_at is not None
    assert {"imagehelp.view", "imagehelp.set_aside"} <= {row["action"] for row in audit_rows(case_id)}


def test_an_auditor_sees_and_does_not_set_aside(db, console, make_person):
    case_id, number, _code = make_case(PDQ)
    browser = console(make_person(roles={"auditor"}))
    assert b"set-aside" not in browser.get(f"/image-help/{number}/").content
    assert browser.post(f"/image-help/{number}/set-aside/", {"reason": "contested"}).status_code == 403
    assert HelpCase.objects.get(id=case_id).state == "open"
