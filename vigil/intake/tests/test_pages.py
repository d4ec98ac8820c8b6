"""The public pages without scripts, as the public role."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from tests.hotlines import OPEN
from vigil.core import clock
from vigil.core.ids import parse_number
from vigil.intake.models import Draft, Message, Report, ReportLink, Thread
from vigil.intake.tests.conftest import ANSWERS, Browser, fill_in, receipt_on

PAGES_WITHOUT_FORM = [
    "/", "/en/", "/fr/", "/en/before-you-start", "/fr/avant-de-commencer", "/en/help", "/fr/aide", "/en/privacy", "/fr/vie-privee",
]  # fmt: skip


def send(browser: Browser):
    return browser.post("/en/report/check", action="send")


def test_a_whole_report_ends_with_a_number_and_a_secret_that_open_it(public):
    send(fill_in(public))
    assert public.path == "/en/report/sent"
    number, secret = receipt_on(public.text)

    other = Browser()
    other.get("/en/status")
    other.post("/en/status", action="open", number=number.lower().replace("-", " "), secret=secret.lower())

    assert "Received" in other.text
    assert "A page with pictures" not in other.text


def test_the_report_is_stored_as_codes_and_ciphertext(public, owner):
    send(fill_in(public))
    number, _ = receipt_on(public.text)
    with owner():
        report = Report.objects.get(number=parse_number(number))
        links = list(ReportLink.objects.filter(report=report).order_by("position"))
    assert report.answers == {
        "danger": "no", "who": "saw", "situations": ["seen_material"], "identifiable": "unsure", "contact": "yes",
    }  # fmt: skip
    assert (report.language, report.source, report.under_18) == ("en", "web", False)
    assert [link.kind for link in links] == ["link", "handle"]
    stored = b"".join(bytes(blob) for blob in [report.narrative, report.contact, *[link.value for link in links]])
    for words in (b"pictures", b"name123", b"sam@mail", b"Sam"):
        assert words not in stored


def test_sending_twice_shows_the_same_receipt_and_makes_one_report(public, owner):
    fill_in(public)
    check_page = public.page
    send(public)
    first = receipt_on(public.text)
    public.page = check_page  # the second press of the same button
    send(public)
    assert receipt_on(public.text) == first
    public.get("/en/report/sent")
    assert receipt_on(public.text) == first
    with owner():
        assert Report.objects.count() == 1
        assert Thread.objects.count() == 1


def test_the_receipt_page_is_calm_once_the_draft_has_run_out(public, owner):
    send(fill_in(public))
    with owner():
        clock.advance(2 * 3600 + 1)
    public.get("/en/report/sent")
    assert public.page.status_code == 200
    assert "This report was already sent" in public.text
    assert 'id="secret"' not in public.text
    public.get("/en/report/check")
    assert public.page.headers["Location"] == "/en/report/sent"


def test_closing_the_receipt_forgets_it_and_clears_the_browser(public, owner):
    send(fill_in(public))
    public.post("/en/report/sent", follow=False)
    assert public.page.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert {name: morsel["max-age"] for name, morsel in public.page.cookies.items()} == {"__Host-s": 0, "__Host-c": 0}
    with owner():
        assert Draft.objects.count() == 0
        assert Report.objects.count() == 1


@pytest.mark.parametrize("after_seconds", [0, 2 * 3600 + 1])
def test_a_second_report_can_follow_in_the_same_browser(public, owner, after_seconds):
    send(fill_in(public))
    first = receipt_on(public.text)
    with owner():
        clock.advance(after_seconds)
    public.get("/en/report/sent")
    public.post("/en/report/sent", action="again")
    assert public.path == "/en/before-you-start"
    public.client.cookies.clear()  # what a browser does with expired cookies
    send(fill_in(public))
    assert receipt_on(public.text)[0] != first[0]
    with owner():
        assert Report.objects.count() == 2


def test_a_wrong_link_is_kept_and_explained_beside_itself_and_on_top(public):
    fill = {**ANSWERS["details"], "link_0": "http://", "narrative": "My words stay."}
    public.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
    public.post("/en/report/details", **fill)
    assert public.page.status_code == 422
    assert "<title>Error: Question 4 of 6" in public.text
    assert '<a href="#id_link_0">This is not a web address we can read' in public.text
    assert 'id="id_link_0_error"' in public.text
    assert 'value="http://"' in public.text
    assert "My words stay." in public.text


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/en/report/danger", {}, "Say whether someone is in danger"),
        ("/fr/signaler/danger", {}, "Indiquez si quelqu’un est en danger"),
        ("/en/report/danger", {"danger": "perhaps"}, "Choose from the answers on this page."),
    ],
)
def test_a_missing_or_odd_answer_is_named_in_the_persons_language(public, path, fields, words):
    public.get(path)
    public.post(path, **fields)
    assert public.page.status_code == 422
    assert public.text.count(words) >= 2
    assert re.search(r"<title>(Error: |Erreur\u00a0: )", public.text)


def test_reporting_for_oneself_asks_the_age_and_then_speaks_as_to_a_young_person(public, owner):
    public.get("/fr/signaler/danger")
    public.post("/fr/signaler/danger", danger="no")
    public.post("/fr/signaler/pour-qui", who="me", age_band="13_15")
    assert public.path == "/fr/signaler/sujet"
    assert "Ce n’est pas ta faute" in public.text
    assert "Tu peux choisir plusieurs réponses." in public.text
    public.post("/fr/signaler/sujet", situations=["threat", "shared_image"])
    assert "As-tu envoyé des photos de toi" in public.text
    public.post("/fr/signaler/details", deadline="yes", is_me="yes", narrative="Quelques mots.")
    public.post("/fr/signaler/coordonnees")
    public.post("/fr/signaler/verifier", action="send")
    assert "Ton signalement est arrivé" in public.text
    with owner():
        report = Report.objects.get()
    assert report.under_18 is True
    assert report.language == "fr"
    assert report.answers["age_band"] == "13_15"
    assert report.answers["deadline"] == "yes"
    assert report.contact is None


def test_changing_an_answer_returns_to_the_check_page_unless_new_questions_come_up(public):
    fill_in(public)
    public.post("/en/report/danger", danger="yes")
    assert public.path == "/en/report/check"
    public.post("/en/report/about", situations=["seen_material", "enticement"])
    assert public.path == "/en/report/details"
    assert "Is there a plan to meet in person?" in public.text
    assert "A page with pictures was reported." in public.text


def test_nobody_skips_a_question(public):
    public.get("/en/report/danger")
    public.post("/en/report/danger", danger="no")
    public.get("/en/report/details")
    assert public.page.headers["Location"] == "/en/report/for-whom"
    public.get("/en/report/check")
    assert public.page.headers["Location"] == "/en/report/for-whom"


def test_more_rows_come_by_post_and_keep_what_was_typed(public):
    public.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
    public.post("/en/report/details", action="add_link", link_0="half a link", narrative="Words so far.")
    assert public.path == "/en/report/details#links"
    assert 'value="half a link"' in public.text
    assert 'name="link_1"' in public.text
    assert "Words so far." in public.text
    assert "field--error" not in public.text


def test_the_language_button_keeps_step_answers_and_what_is_being_typed(public):
    public.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
    public.post("/en/report/details", action="language", link_0="not yet a link", narrative="Not finished")
    assert public.path == "/fr/signaler/details"
    assert 'lang="fr"' in public.text
    assert 'value="not yet a link"' in public.text
    assert "Not finished" in public.text
    public.post("/fr/signaler/details", **ANSWERS["details"])
    assert public.path == "/fr/signaler/coordonnees"


def test_every_public_page_links_to_the_same_page_in_the_other_language(public):
    pairs = {
        "/en/": "/fr/", "/en/help": "/fr/aide", "/en/privacy": "/fr/vie-privee", "/en/status": "/fr/suivi",
        "/en/before-you-start": "/fr/avant-de-commencer",
    }  # fmt: skip
    for english, french in pairs.items():
        public.get(english)
        assert f'<a class="language" href="{french}" lang="fr" hreflang="fr">Français</a>' in public.text
        public.get(french)
        assert f'<a class="language" href="{english}" lang="en" hreflang="en">English</a>' in public.text


def test_an_expired_draft_is_gone_and_the_page_sent_after_it_is_kept(public, owner):
    public.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
    details_page = public.page
    with owner():
        clock.advance(2 * 3600 + 1)
    public.get("/en/report/details")
    assert public.page.status_code == 410
    assert "no longer here" in public.text
    public.page = details_page
    public.post("/en/report/details", narrative="Written for a long time.")
    assert public.path == "/en/report/danger"
    assert "More than two hours had passed" in public.text
    for step in ("danger", "for-whom"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
    public.post("/en/report/about", situations=["not_sure"])
    assert public.path == "/en/report/contact"  # the details page that was kept does not come again
    public.get("/en/report/details")
    assert "Written for a long time." in public.text


def test_a_draft_slides_two_hours_with_every_answer(public, owner):
    public.get("/en/report/danger")
    for step in ("danger", "for-whom", "about"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
        with owner():
            clock.advance(1.5 * 3600)
    public.get("/en/report/details")
    assert public.page.status_code == 200


def test_the_database_holds_a_digest_of_the_token_and_no_word_of_the_draft(public, owner):
    fill_in(public)
    token = public.client.cookies["__Host-s"].value
    with owner():
        draft = Draft.objects.get()
    assert token not in draft.token_hash
    assert b"pictures" not in bytes(draft.body)
    assert len(bytes(draft.body)) % 256 == 1 + 12 + 16  # padded: the length says little


def test_one_draft_cannot_be_reached_by_another_token(public):
    fill_in(public)
    stranger = Browser()
    stranger.client.cookies["__Host-s"] = "A" * 43
    stranger.get("/en/report/check")
    assert stranger.page.status_code == 410
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('vigil.draft', 'somebody else', true)")
    assert Draft.objects.count() == 0


def test_leaving_quickly_deletes_the_draft_and_the_cookies_and_goes_elsewhere(public, owner):
    fill_in(public)
    public.get("/en/leave")
    assert public.page.status_code == 303
    assert public.page.headers["Location"] == "https://weather.gc.ca/"
    assert public.page.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert {name: morsel["max-age"] for name, morsel in public.page.cookies.items()} == {"__Host-s": 0, "__Host-c": 0}
    with owner():
        assert Draft.objects.count() == 0


def test_no_cookie_before_the_first_form(public):
    for page in PAGES_WITHOUT_FORM:
        public.get(page)
        assert public.page.status_code == 200
        assert not public.client.cookies, page


def test_the_cookies_are_session_cookies_of_this_host_alone(public):
    public.get("/en/report/danger")
    assert set(public.client.cookies) == {"__Host-c"}
    public.post("/en/report/danger", danger="no", follow=False)
    assert set(public.client.cookies) == {"__Host-c", "__Host-s"}
    for cookie in public.client.cookies.values():
        assert cookie["secure"] and cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert cookie["path"] == "/" and not cookie["domain"]
        assert not cookie["max-age"] and not cookie["expires"]


def test_no_answer_stands_in_an_address_or_a_title(public):
    fill_in(public, about={"situations": ["trafficking"]}, details={"narrative": "zebra"})
    for url, _status in public.page.redirect_chain:
        assert "?" not in url
        assert not {"trafficking", "zebra", "saw"} & set(re.split(r"\W", url))
    title = re.search("<title>(.*)</title>", public.text)
    assert title and title.group(1) == "Check your answers - Hotline (test)"


def test_a_form_without_its_token_changes_nothing(public, owner):
    response = public.client.post(
        "/en/report/danger", {"danger": "no"}, secure=True, headers={"origin": "https://report.localhost"}
    )
    assert response.status_code == 403
    assert b"1-800-668-6868" in response.content
    with owner():
        assert Draft.objects.count() == 0


def test_a_filled_trap_takes_nothing_in(public, owner):
    public.get("/en/report/danger")
    public.post("/en/report/danger", danger="no", trap="buy now")
    assert public.page.status_code == 400
    with owner():
        assert Draft.objects.count() == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_sent_from_another_site_changes_nothing(public, owner, site):
    public.get("/en/report/danger")
    response = public.client.post(
        "/en/report/danger",
        {"danger": "no", "csrfmiddlewaretoken": public._token("/en/report/danger")},
        secure=True,
        headers={"origin": "https://report.localhost", "sec-fetch-site": site},
    )
    assert response.status_code == 403
    with owner():
        assert Draft.objects.count() == 0


@pytest.mark.parametrize(
    "missing",
    [
        'phone = "1-555-010-0199"',
        'en = "every day, day and night"',
        'fr = "tous les jours, jour et nuit"',
        'en = "Test analysts"',
        'fr = "Des analystes d’essai"',
    ],
)
def test_without_a_named_operator_the_form_is_closed_in_both_languages(public_settings, role, missing, owner, tmp_path):
    facts = (OPEN / "hotline.toml").read_text()
    assert facts.count(missing) == 1
    (tmp_path / "hotline.toml").write_text(facts.replace(missing, missing.partition('"')[0] + '""'))
    public_settings.HOTLINE_DIR = tmp_path
    with role("vigil_public"):
        browser = Browser()
        for page, words in {
            "/en/report/danger": "This form is not open",
            "/fr/signaler/danger": "Ce formulaire n’est pas ouvert",
            "/en/before-you-start": "This form is not open",
        }.items():
            browser.get(page)
            assert browser.page.status_code == 503
            assert words in browser.text and "911" in browser.text
            assert "<form" not in browser.text
        assert browser.client.post("/en/report/danger", {"danger": "no"}, secure=True).status_code in {403, 503}
        browser.get("/en/")
        assert "This form is not open" in browser.text and "/en/before-you-start" not in browser.text
    with owner():
        assert Draft.objects.count() == 0


# ---- number and secret ---------------------------------------------------------------------------------------------
def neutral(text: str) -> str:
    """A page without what differs anyway: the token of the form and what the person typed."""
    return re.sub(r'value="[^"]*"', "", text)


def test_every_wrong_pair_gets_the_same_page(public):
    send(fill_in(public))
    number, secret = receipt_on(public.text)
    pages = set()
    wrong = [
        (number, "0" * 16),
        ("7K3M-9Q2-X4A", secret),
        ("nonsense", secret),
        (number, "short"),
        ("0" * 10, "\u2603" * 16),
    ]
    for tried_number, tried_secret in wrong:
        browser = Browser()
        browser.get("/en/status")
        browser.post("/en/status", action="open", number=tried_number, secret=tried_secret)
        pages.add((browser.page.status_code, neutral(browser.text)))
    assert len(pages) == 1
    assert secret not in neutral(browser.text)


def test_after_five_wrong_tries_the_right_secret_gets_the_same_page_for_15_minutes(public, owner):
    send(fill_in(public))
    number, secret = receipt_on(public.text)
    browser = Browser()
    browser.get("/en/status")
    for _ in range(5):
        browser.post("/en/status", action="open", number=number, secret="0" * 16)
    wrong = neutral(browser.text)
    browser.post("/en/status", action="open", number=number, secret=secret)
    assert neutral(browser.text) == wrong
    with owner():
        clock.advance(15 * 60 + 1)
    browser.post("/en/status", action="open", number=number, secret=secret)
    assert "Received" in browser.text


def test_something_can_be_added_once_and_is_read_back(public, owner):
    send(fill_in(public))
    number, secret = receipt_on(public.text)
    browser = Browser()
    browser.get("/en/status")
    browser.post("/en/status", action="open", number=number, secret=secret)
    hidden = dict(re.findall(r'type="hidden" name="(number|secret|once)" value="([^"]+)"', browser.text))
    for _ in range(2):  # sent twice
        browser.post("/en/status", action="add", message="One more thing.", **hidden)
    assert browser.text.count("One more thing.") == 1
    browser.post("/en/status", action="add", message="", **hidden)
    assert browser.page.status_code == 422
    assert "Write something before you send it." in browser.text
    with owner():
        assert [bytes(m.body).find(b"One more") for m in Message.objects.all()] == [-1]


def test_contact_details_can_be_withdrawn_and_the_report_stays(public, owner):
    send(fill_in(public))
    number, secret = receipt_on(public.text)
    browser = Browser()
    browser.get("/fr/suivi")
    browser.post("/fr/suivi", action="open", number=number, secret=secret)
    assert "Supprimer mes coordonnées" in browser.text
    browser.post("/fr/suivi", action="withdraw", number=number, secret=secret)
    assert "Les coordonnées ont été supprimées." in browser.text
    assert "Supprimer mes coordonnées" not in browser.text
    with owner():
        report = Report.objects.get()
        assert report.contact is None and report.narrative is not None
        assert report.thread.contact_withdrawn_at is not None


def test_the_language_button_of_an_open_report_keeps_it_open_and_keeps_the_text(public):
    send(fill_in(public))
    number, secret = receipt_on(public.text)
    browser = Browser()
    browser.get("/en/status")
    browser.post("/en/status", action="open", number=number, secret=secret)
    assert 'formaction="/fr/suivi"' in browser.text
    browser.post("/fr/suivi", action="language", number=number, secret=secret, message="Half a sentence")
    assert "Votre signalement" in browser.text
    assert "Half a sentence" in browser.text


# ---- headers and failure -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["/en/", "/en/report/danger", "/en/nowhere", "/en/leave", "/static/web/vigil.css", "/static/none.css"]
)
def test_every_answer_carries_the_headers(public, path):
    response = public.get(path)
    headers = response.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "require-trusted-types-for 'script'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    if path != "/static/web/vigil.css":
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex"


def test_an_unknown_page_keeps_the_telephone_number_in_both_languages(public):
    public.get("/fr/nulle-part")
    assert public.page.status_code == 404
    assert "Cette page n’existe pas" in public.text and "This page does not exist" in public.text
    assert "911" in public.text and "1-800-668-6868" in public.text


def test_a_demonstration_says_so_on_every_page_in_both_languages(public, settings):
    settings.VIGIL_DEMO = True
    for page in [*PAGES_WITHOUT_FORM, "/en/report/danger", "/fr/suivi", "/en/nowhere"]:
        public.get(page)
        assert "Nobody reads what is sent here." in public.text, page
        assert "Personne ne lit ce qui est envoyé ici." in public.text, page
        assert "Kids Help Phone" in public.text and "Jeunesse, J’écoute" in public.text


# ---- somebody else is the right one ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "words", "place"),
    [
        ("scam", "do not pay", "1-888-495-8501"),
        ("adults", "people under 18", ""),
        ("other_crime", "The police where you", ""),
    ],
)
def test_a_report_for_somebody_else_is_told_where_to_go_and_can_still_be_sent(public, owner, kind, words, place):
    public.get("/en/report/danger")
    for step in ("danger", "for-whom"):
        public.post(f"/en/report/{step}", **ANSWERS[step])
    public.post("/en/report/about", situations=["other"])
    public.post("/en/report/details", other_kind=kind, narrative="Words.")
    assert public.path == "/en/report/contact"
    assert words in public.text and place in public.text
    public.post("/en/report/contact")
    assert words in public.text and "Send report" in public.text
    send(public)
    receipt_on(public.text)
    assert words in public.text
    with owner():
        assert Report.objects.get().signals["out_of_scope"] == kind


def test_what_is_for_us_says_nothing_of_others(public):
    send(fill_in(public))
    assert "notice--wait" not in public.text


def test_the_receipt_can_be_read_out_and_names_help_for_the_region_and_the_age(public):
    public.get("/fr/signaler/danger")
    public.post("/fr/signaler/danger", danger="yes")
    public.post("/fr/signaler/pour-qui", who="me", age_band="13_15")
    public.post("/fr/signaler/sujet", situations=["threat"])
    public.post("/fr/signaler/details", narrative="Quelques mots.")
    public.post("/fr/signaler/coordonnees", region="QC")
    public.post("/fr/signaler/verifier", action="send")
    number, _ = receipt_on(public.text)
    main = public.text[public.text.index("<main") : public.text.index("</main>")]
    assert main.count("<li>" + number[0]) >= 1
    assert "Tel-jeunes" in main and "Jeunesse, J’écoute" in main and "Cyberaide" not in main
    assert "appelez le 911" in main or "appelle le 911" in main


def test_at_most_three_answers_are_needed_and_none_says_who_somebody_is(public, owner):
    public.get("/en/report/danger")
    public.post("/en/report/danger", danger="no")
    public.post("/en/report/for-whom")
    public.post("/en/report/about", situations=["not_sure"])
    public.post("/en/report/details", narrative="Words.")
    public.post("/en/report/contact")
    send(public)
    receipt_on(public.text)
    with owner():
        report = Report.objects.get()
    assert report.answers == {"danger": "no", "situations": ["not_sure"], "contact": "no"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_about_traces_says_that_the_history_stays_and_names_a_private_window(public, language):
    public.get({"en": "/en/before-you-start/traces", "fr": "/fr/avant-de-commencer/traces"}[language])
    assert public.page.status_code == 200
    words = {
        "en": ("does not erase the history", "private window", "Shift"),
        "fr": ("n’efface pas", "fenêtre privée", "Maj"),
    }
    assert all(word in public.text for word in words[language])


def test_both_languages_have_the_same_fields_in_the_same_order_on_every_page(public):
    def fields() -> list[str]:
        return re.findall(r'<(?:input|textarea|select|button)[^>]* name="(?!csrf|number|secret)([^"]+)"', public.text)

    pairs = [
        ("danger", "danger"), ("for-whom", "pour-qui"), ("about", "sujet"), ("details", "details"), ("contact", "coordonnees"),
    ]  # fmt: skip
    public.get("/en/report/danger")
    for english, french in pairs:
        public.get(f"/en/report/{english}")
        first = fields()
        public.get(f"/fr/signaler/{french}")
        assert fields() == first and len(first) > 3
        public.post(f"/fr/signaler/{french}", action="language", **ANSWERS[english])
        assert public.path == f"/en/report/{english}"
        public.post(f"/en/report/{english}", **ANSWERS[english])
    assert public.path == "/en/report/check"


def test_the_check_page_names_what_was_left_empty_once_a_page_and_keeps_each_answer_changeable(public):
    fill_in(public, details={"narrative": "Words."}, contact={})
    rows = re.findall(r'<dt>(.*?)</dt>.*?<a href="([^"]+)">', public.text, re.S)
    assert [address for _, address in rows] == [
        "/en/report/danger#id_danger_0", "/en/report/for-whom#id_who_0", "/en/report/about#id_situations_0",
        "/en/report/details#id_narrative", "/en/report/details#id_identifiable_0", "/en/report/contact#id_contact_name",
    ]  # fmt: skip
    assert public.text.count("Not provided") == 2
