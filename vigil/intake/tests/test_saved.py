"""Save and come back: only the code opens what was saved, here or on another device, until its day."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from vigil.core import clock
from vigil.core.limiter import TryLimiter
from vigil.intake import receipts, services
from vigil.intake.errors import SavedDraftNotFound
from vigil.intake.models import Draft, Report
from vigil.intake.tests.conftest import ANSWERS, Browser, fill_in, receipt_on
from vigil.intake.views import saved

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _fresh_limiter(monkeypatch):
    monkeypatch.setattr(saved, "code_limiter", TryLimiter())


def half_way(browser: Browser) -> Browser:
    browser.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        browser.post(f"/en/report/{step}", **ANSWERS[step])
    return browser


def save(browser: Browser, **typed: str) -> str:
    browser.post("/en/report/details", action="save", **typed)
    assert browser.path == "/en/report/saved"
    found = re.search(r'id="code">([^<]+)<', browser.text)
    assert found
    return found.group(1)


def come_back(code: str, language: str = "en") -> Browser:
    other = Browser()
    path = {"en": "/en/come-back", "fr": "/fr/reprendre"}[language]
    other.get(path)
    other.post(path, action="open", code=code)
    return other


def test_what_was_saved_is_taken_up_on_another_device_with_everything_that_was_typed(public, owner):
    code = save(half_way(public), link_0="half a link", narrative="Words so far.")
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code)
    other = come_back(code.lower().replace("-", " "))
    assert other.path == "/en/report/details"
    assert 'value="half a link"' in other.text and "Words so far." in other.text
    other.post("/en/report/details", **ANSWERS["details"])
    other.post("/en/report/contact", **ANSWERS["contact"])
    other.post("/en/report/check", action="send")
    receipt_on(other.text)
    with owner():
        assert Report.objects.get().answers["situations"] == ["seen_material"]
    assert come_back(code).page.status_code == 422  # sent: the copy is gone


def test_the_person_is_told_the_day_and_the_browser_keeps_nothing_once_closed(public, owner):
    save(half_way(public))
    with owner():
        last = clock.now() + timedelta(days=7)
        assert Draft.objects.filter(expires_at__gt=clock.now() + timedelta(days=6)).count() == 1
    assert f"{last.day}, {last.year}" in public.text
    assert public.text.count("answers are deleted") == 1
    public.get("/fr/signaler/garde")
    assert "gardées pour plus tard" in public.text
    public.post("/fr/signaler/garde", action="close", follow=False)
    assert public.page.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert {morsel["max-age"] for morsel in public.page.cookies.values()} == {0}
    with owner():
        assert Draft.objects.count() == 1  # the copy under the code, and nothing that the browser could name


def test_the_row_of_the_browser_holds_no_answers_once_they_lie_under_the_code(public):
    save(half_way(public), narrative="Words so far.")
    token = receipts.token_from(public.client.cookies["__Host-s"].value)
    draft = services.load_draft(token=token, at=clock.now())
    assert draft is not None and draft.answers == {} and draft.typed == {} and draft.done == []
    public.get("/en/report/details")
    assert public.page.headers["Location"] == "/en/report/saved"


def test_pressing_save_twice_gives_one_code(public, owner):
    page = half_way(public).page
    first = save(public)
    public.page = page
    assert save(public) == first
    with owner():
        assert Draft.objects.count() == 2


def test_saving_again_gives_another_code_and_ends_the_first(public):
    first = save(half_way(public))
    other = come_back(first)
    second = save(other, narrative="More.")
    assert second != first
    assert come_back(first).page.status_code == 422
    assert "More." in come_back(second).text


def test_going_on_at_once_needs_no_typing_and_the_code_stays_good(public):
    code = save(half_way(public))
    public.post("/en/report/saved", action="go_on")
    assert public.path == "/en/report/details"
    assert come_back(code).path == "/en/report/details"


def test_after_its_days_the_code_opens_nothing(public, owner):
    code = save(half_way(public))
    with owner():
        clock.advance(7 * DAY + 1)
    assert come_back(code).page.status_code == 422
    from vigil.intake import jobs

    with owner():
        jobs.delete_expired_drafts(clock.now())
        assert Draft.objects.count() == 0


def test_the_days_are_the_operators(public, owner, settings):
    settings.SAVED_DRAFT_DAYS = 2
    code = save(half_way(public))
    with owner():
        clock.advance(2 * DAY + 1)
    assert come_back(code).page.status_code == 422
    public.get("/en/come-back")
    assert "works for 2 days" in public.text


def neutral(text: str) -> str:
    return re.sub(r'value="[^"]*"', "", text)


def a_code(number: int) -> str:
    return receipts.code_of(number.to_bytes(32, "big"))


def test_every_code_that_opens_nothing_gets_the_same_page(public, owner):
    code = save(half_way(public))
    other = come_back(code)
    other.get("/en/report/details")
    with owner():
        clock.advance(8 * DAY)
    pages = {neutral(come_back(tried).text) for tried in (code, a_code(1), a_code(2))}
    assert len(pages) == 1


def test_a_slip_of_the_pen_is_told_apart_from_a_code_that_is_gone(public):
    code = save(half_way(public))
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    assert "A character is wrong or missing" in come_back(wrong).text
    assert "Un caractère de ce code" in come_back("7K3M", "fr").text


def test_guessing_around_one_code_is_stopped_for_everybody_but_others_are_let_in(public):
    code = save(half_way(public))
    guess = a_code(1)
    for _ in range(6):
        come_back(guess)
    assert not saved.code_limiter.may_try(guess[:6], at=clock.now())
    assert come_back(code).path == "/en/report/details"


def test_what_was_saved_can_be_deleted_with_the_code(public, owner):
    code = save(half_way(public))
    other = Browser()
    other.get("/en/come-back")
    other.post("/en/come-back", action="delete", code=code)
    assert "Nothing is kept under this code any more" in other.text
    assert come_back(code).page.status_code == 422
    other.post("/en/come-back", action="delete", code=a_code(1))
    assert "Nothing is kept under this code any more" in other.text


def test_leaving_quickly_deletes_what_is_here_and_leaves_what_was_saved(public):
    code = save(half_way(public))
    other = come_back(code)
    other.get("/en/leave")
    assert come_back(code).path == "/en/report/details"


def test_nothing_can_be_saved_before_anything_was_answered_or_after_sending(public):
    public.get("/en/report/danger")
    public.post("/en/report/danger", action="save")
    assert public.path == "/en/before-you-start"
    page = fill_in(Browser())
    check = page.page
    page.post("/en/report/check", action="send")
    page.page = check
    page.post("/en/report/check", action="save")
    assert page.path == "/en/report/sent"


def test_the_language_switch_keeps_the_page_with_the_code(public):
    code = save(half_way(public))
    assert '<a class="language" href="/fr/signaler/garde"' in public.text
    public.get("/fr/signaler/garde")
    assert code in public.text


def test_a_young_person_is_spoken_to_in_the_same_way_when_coming_back(public):
    public.get("/fr/signaler/danger")
    public.post("/fr/signaler/danger", danger="no")
    public.post("/fr/signaler/pour-qui", who="me", age_band="13_15")
    public.post("/fr/signaler/sujet", action="save", situations=["threat"])
    code = re.search(r'id="code">([^<]+)<', public.text).group(1)
    assert "Note le code." in public.text
    other = come_back(code, "fr")
    assert other.path == "/fr/signaler/sujet"
    assert "Ce n’est pas ta faute" in other.text and re.search(r'value="threat"[^>]*checked', other.text)


def test_the_database_has_neither_code_nor_words(public, owner):
    code = save(half_way(public), narrative="Words so far.").replace("-", "")
    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT token_hash, body FROM intake_draft")
        rows = cursor.fetchall()
    for token_hash, body in rows:
        assert code.lower() not in token_hash and code.encode() not in bytes(body)
        assert b"Words" not in bytes(body)
        assert len(bytes(body)) % 256 == 1 + 12 + 16


@given(token=st.binary(min_size=32, max_size=32), where=st.integers(0, 15), other=st.sampled_from(receipts.ALPHABET))
def test_a_code_reads_back_and_one_wrong_character_is_noticed(token, where, other):
    code = receipts.code_of(token)
    assert receipts.parse_code(receipts.grouped(code).lower().replace("0", "o").replace("1", "l")) == code
    if code[where] != other:
        assert receipts.parse_code(code[:where] + other + code[where + 1 :]) == ""
    assert len(receipts.read_out(code)) == 16 and receipts.read_out("K7") == ["K Kilo", "7"]


def test_a_code_that_cannot_be_one_is_looked_up_all_the_same(db):
    with pytest.raises(SavedDraftNotFound):
        services.come_back(code="nonsense", token=receipts.new_token(), at=clock.now())
    assert receipts.parse_code(receipts.NO_CODE) == ""
