"""The console's pages over HTTP, in both languages, under the console's role."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import get_resolver

from vigil.accounts.policies import Role
from vigil.casework.models import Incident, Step
from vigil.casework.tests.factories import make_case, make_incident, reload
from vigil.core import clock
from vigil.core.ids import format_number, random_number
from vigil.lists import services as lists
from vigil.lists.tests.factories import candidate

LANGUAGES = ["en", "fr"]


def words(response):
    """The page's main part as plain text."""
    main = re.search(r"<main.*?</main>", response.content.decode(), re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", main.group() if main else response.content.decode()).split())


def path_of(kind, item, rest=""):
    return f"/{kind}/{format_number(item.number)}{rest}"


@pytest.fixture
def analyst(make_person):
    return make_person(roles={Role.INTAKE_ANALYST, Role.ASSESSOR}, clearance=2)


@pytest.fixture
def entry(make_person, role, db):
    proposer = make_person(clearance=3)
    with role("vigil_console", actor=proposer):
        return lists.propose_entry(actor=proposer, candidate=candidate(), classification="baseline", at=clock.now())


# ---- every page, both languages ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", ["/queue", "/cases", "/entries", "/assess"])
def test_an_empty_list_says_so_in_words_and_shows_no_zero(console, analyst, page, language):
    response = console(analyst, language=language).get(page)

    assert response.status_code == 200
    assert f'<html lang="{language}"' in response.content.decode()
    expected = {
        "/queue": ("Nothing waiting.", "Rien n’attend."),
        "/cases": ("No cases yet.", "Aucun dossier pour l’instant."),
        "/entries": ("No entries yet.", "Aucune entrée pour l’instant."),
        "/assess": ("Nothing waiting.", "Rien n’attend."),
    }[page]
    assert expected[LANGUAGES.index(language)] in words(response)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_shows_its_item_in_the_language_of_the_person(console, analyst, entry, language):
    incident, case = make_incident(), make_case()
    client = console(analyst, language=language)
    client.post(path_of("incidents", incident, "/claim"))
    for page, number in {
        "/queue": incident.number,
        path_of("incidents", incident): incident.number,
        "/cases": case.number,
        path_of("cases", case): case.number,
        "/entries": entry.number,
        path_of("entries", entry): entry.number,
        "/assess": entry.number,
        path_of("assess", entry): entry.number,
    }.items():
        response = client.get(page)
        body = response.content.decode()
        assert response.status_code == 200, page
        assert format_number(number) in body
        assert body.count("<h1") == 1
        assert "web/base" not in body and "casework." not in words(response)
        assert response["Cache-Control"] == "no-store"


def test_french_pages_say_nothing_in_english(console, analyst, entry):
    incident, case = make_incident(sensitivity=2), make_case()
    client = console(analyst, language="fr")
    client.post(path_of("incidents", incident, "/claim"))
    english = re.compile(r"\b(the|and|of|you|is|this|not|waiting|open|claim|reporter|places)\b", re.I)
    for page in (
        "/queue",
        path_of("incidents", incident),
        "/cases",
        path_of("cases", case),
        "/entries",
        path_of("entries", entry),
        "/assess",
        path_of("assess", entry),
    ):
        assert not english.findall(words(client.get(page))), page


# ---- unseen -------------------------------------------------------------------------------------------------------------------
def test_what_is_above_clearance_answers_exactly_like_what_does_not_exist(console, make_person, role):
    low, proposer = make_person(clearance=1), make_person(clearance=3)
    hidden, case = make_incident(sensitivity=3), make_case(sensitivity=3)
    with role("vigil_console", actor=proposer):
        entry = lists.propose_entry(
            actor=proposer, candidate=candidate(sensitivity=3), classification="baseline", at=clock.now()
        )
    client = console(low)
    for item, kind in ((hidden, "incidents"), (case, "cases"), (entry, "entries")):
        unseen = client.get(path_of(kind, item))
        for number in (format_number(random_number()), "nonsense"):
            missing = client.get(f"/{kind}/{number}")
            assert (unseen.status_code, missing.status_code) == (404, 404)
            assert words(unseen) == words(missing)


@pytest.mark.parametrize(
    "step", ["claim", "release", "decide", "ask", "fetch", "contact", "case", "case/add", "case/out", "propose"]
)
def test_no_step_reaches_an_incident_above_clearance(console, make_person, step):
    hidden = make_incident(sensitivity=3)
    values = {
        "fence": 0,
        "decision": "actionable",
        "reason": "material_online",
        "message": "Hello?",
        "case": hidden.number,
        "candidate": uuid4(),
        "classification": "baseline",
    }
    response = console(make_person(clearance=2)).post(path_of("incidents", hidden, f"/{step}"), values)
    assert response.status_code == 404
    assert Step.objects.filter(incident=hidden).count() == 1


def test_a_refused_view_is_in_the_audit_log(console, make_person, audit_rows):
    low, hidden = make_person(clearance=1), make_incident(sensitivity=2)
    console(low).get(path_of("incidents", hidden))
    assert [row["action"] for row in audit_rows(hidden.id)][-1] == "incident.view.refused"


def test_a_view_is_in_the_audit_log(console, analyst, audit_rows):
    incident = make_incident()
    console(analyst).get(path_of("incidents", incident))
    last = audit_rows(incident.id)[-1]
    assert (last["action"], last["actor"]) == ("incident.view", str(analyst.id))


@pytest.mark.parametrize(
    ("person_role", "allowed"),
    [
        (Role.INTAKE_ANALYST, {"/queue", "/cases", "/entries"}),
        (Role.ASSESSOR, {"/entries", "/assess"}),
        (Role.POLICE_LIAISON, {"/queue", "/cases"}),
        (Role.AUDITOR, {"/queue", "/cases", "/entries"}),
        (Role.REMOVAL_OFFICER, {"/entries"}),
        (Role.ADMINISTRATOR, set()),
    ],
)
def test_each_role_reaches_its_own_pages_only(console, make_person, person_role, allowed):
    client = console(make_person(roles={person_role}, clearance=3))
    reached = {page for page in ("/queue", "/cases", "/entries", "/assess") if client.get(page).status_code == 200}
    assert reached == allowed


@pytest.mark.parametrize(
    ("person_role", "first"),
    [
        (Role.INTAKE_ANALYST, "/queue"),
        (Role.POLICE_LIAISON, "/queue"),
        (Role.ASSESSOR, "/assess"),
        (Role.REMOVAL_OFFICER, "/board"),
        (Role.ADMINISTRATOR, "/figures"),
    ],
)
def test_the_first_page_is_where_the_work_waits(console, make_person, person_role, first):
    assert console(make_person(roles={person_role})).get("/")["Location"].rstrip("/") == first


def test_the_navigation_leads_only_to_what_a_person_may_see(console, make_person):
    page = console(make_person(roles={Role.ASSESSOR})).get("/assess").content.decode()
    places = page.partition('<nav class="places"')[2].partition("</nav>")[0]
    assert re.findall('href="([^"]+)"', places) == ["/assess", "/entries", "/sightings/", "/trace/"]


def test_the_language_switch_keeps_the_choice_of_a_list(console, analyst):
    assert (
        'name="next" value="/entries?state=refused"' in console(analyst).get("/entries?state=refused").content.decode()
    )


def test_the_language_switch_under_a_form_with_errors_leads_to_the_page_of_that_form(console, analyst):
    incident = make_incident()
    client = console(analyst)
    client.post(f"/incidents/{incident.number}/claim")
    refused = client.post(f"/incidents/{incident.number}/decide", {})
    assert refused.status_code == 400
    assert f'name="next" value="/incidents/{incident.number}"' in refused.content.decode()


# ---- steps ----------------------------------------------------------------------------------------------------------------------
def test_claim_decide_and_give_back_by_the_forms_on_the_page(console, analyst):
    incident = make_incident()
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"), follow=True)
    answer = client.post(
        path_of("incidents", incident, "/decide"),
        {"fence": reload(incident).claim_fence, "decision": "out_of_scope", "reason": "lawful"},
        follow=True,
    )
    assert "Your decision was kept." in words(answer)
    assert "Out of scope" in words(answer)
    assert reload(incident).state == "decided"


@pytest.mark.parametrize(
    ("language", "said"), [("en", "is working on this incident (until"), ("fr", "travaille sur cet incident (jusqu’au")]
)
def test_whoever_comes_second_is_told_who_has_it(console, analyst, make_person, language, said):
    incident, second = make_incident(), make_person(clearance=2)
    console(analyst).post(path_of("incidents", incident, "/claim"))
    answer = console(second, language=language).post(path_of("incidents", incident, "/claim"))

    assert answer.status_code == 409
    assert f"{analyst.name} {said}" in words(answer)
    assert reload(incident).claimed_by == analyst.id


def test_a_decision_without_reason_keeps_what_was_typed_and_names_the_field(console, analyst):
    incident = make_incident()
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    answer = client.post(
        path_of("incidents", incident, "/decide"),
        {"fence": 1, "decision": "duplicate", "reason": "lawful", "note": "Synthetic note.", "duplicate_of": "xx"},
    )
    body = answer.content.decode()
    assert answer.status_code == 400
    assert "<title>Error:" in body
    assert 'href="#id_reason"' in body and 'href="#id_duplicate_of"' in body
    assert "Synthetic note." in body
    assert re.search(r'value="duplicate"[^>]*checked', body)
    assert reload(incident).decision is None


def test_a_claim_that_ran_out_decides_nothing_and_says_so(console, analyst):
    incident = make_incident()
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    clock.advance(15 * 60)
    answer = client.post(
        path_of("incidents", incident, "/decide"), {"fence": 1, "decision": "actionable", "reason": "material_online"}
    )
    assert answer.status_code == 409
    assert "Your claim ended before you decided" in words(answer)
    assert reload(incident).state == "open"


def test_a_case_is_opened_left_and_joined_by_number(console, analyst):
    incident, other = make_incident(), make_case()
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    assert "A case was opened." in words(client.post(path_of("incidents", incident, "/case"), follow=True))
    client.post(path_of("incidents", incident, "/case/out"))
    assert reload(incident).case_id is None
    unknown = client.post(path_of("incidents", incident, "/case/add"), {"case": format_number(incident.number)})
    assert unknown.status_code == 400
    assert 'href="#id_case"' in unknown.content.decode()
    client.post(path_of("incidents", incident, "/case/add"), {"case": format_number(other.number).lower()})
    assert reload(incident).case_id == other.id


def test_a_case_above_clearance_cannot_be_joined_or_told_from_none(console, analyst, audit_rows):
    incident, hidden = make_incident(), make_case(sensitivity=3)
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    # The first page shows once that the claim was made.
    client.get("/queue")
    unseen, missing = (
        client.post(path_of("incidents", incident, "/case/add"), {"case": number})
        for number in (hidden.number, random_number())
    )
    assert (unseen.status_code, missing.status_code) == (400, 400)
    assert "Enter the number of a case that you may see" in words(unseen)
    assert words(unseen) == words(missing)
    assert reload(incident).case_id is None
    assert [row["action"] for row in audit_rows(hidden.id)] == ["case.view.refused"]


def test_without_the_key_process_the_words_are_unavailable_and_the_rest_works(console, analyst):
    incident = make_incident()
    answer = console(analyst).get(path_of("incidents", incident))
    assert answer.status_code == 200
    assert "The words cannot be opened now. They are not lost." in words(answer)
    assert "Someone saw an image or a site." in words(answer)


def test_fetching_without_the_key_process_says_that_it_did_not_happen(console, analyst):
    incident = make_incident()
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    answer = client.post(path_of("incidents", incident, "/fetch"))
    assert answer.status_code == 409
    assert "does not answer" in words(answer) or "not available" in words(answer)
    assert not Step.objects.filter(incident=incident, kind="places_fetched").exists()


def test_a_report_without_links_has_nothing_to_fetch(console, analyst, keyd_server):
    incident = make_incident(links=())
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))
    page = words(client.get(path_of("incidents", incident)))
    assert "The report names no link." in page
    assert client.post(path_of("incidents", incident, "/fetch")).status_code == 409


# ---- what holds for every route ------------------------------------------------------------------------------------------------
def casework_routes():
    from vigil.casework import urls

    return [pattern for pattern in urls.urlpatterns]


GET_ONLY = {
    "home",
    "queue",
    "incident",
    "cases",
    "case",
    "entries",
    "entry",
    "assess",
    "assess_entry",
    "looking",
    "preview",
}


@pytest.mark.parametrize("pattern", casework_routes(), ids=lambda pattern: pattern.name)
def test_what_changes_something_is_a_post_and_the_rest_is_not(console, make_person, pattern, entry):
    incident = make_incident()
    item = entry if "entries" in str(pattern.pattern) or "assess" in str(pattern.pattern) else incident
    address = "/" + str(pattern.pattern).replace("<str:number>", format_number(item.number)).replace(
        "<uuid:look_id>", str(uuid4())
    )
    client = console(make_person(roles={Role.INTAKE_ANALYST, Role.ASSESSOR}, clearance=3))
    answer = client.get(address)
    if pattern.name in GET_ONLY:
        assert answer.status_code in {200, 302, 404}
        if pattern.name != "home":
            assert client.post(address).status_code == 405
    else:
        assert answer.status_code == 405


@pytest.mark.parametrize("pattern", casework_routes(), ids=lambda pattern: pattern.name)
def test_nobody_gets_in_without_having_signed_in(db, role, settings, pattern):
    from django.test import Client

    settings.ROOT_URLCONF = "vigil.urls.console"
    address = "/" + str(pattern.pattern).replace("<str:number>", "0000-000-000").replace("<uuid:look_id>", str(uuid4()))
    client = Client(headers={"host": settings.HOST_OF_ORIGIN["console"]})
    with role("vigil_console"):
        answer = client.get(address) if pattern.name in GET_ONLY else client.post(address)
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/sign-in/")


def test_the_routes_stand_on_the_console_only(settings):
    for origin in ("public", "partner", "wire"):
        names = str(get_resolver(f"vigil.urls.{origin}").reverse_dict.keys()) + str(
            get_resolver(f"vigil.urls.{origin}").namespace_dict
        )
        assert "casework" not in names


def test_every_get_leaves_the_tables_of_this_room_as_they_were(console, analyst, entry):
    from django.core import serializers

    from vigil.casework.models import Case, Note, ReportedPlace

    incident = make_incident()
    make_case()
    client = console(analyst)
    client.post(path_of("incidents", incident, "/claim"))

    def everything():
        return [
            serializers.serialize("json", model.objects.order_by("id"))
            for model in (Incident, Case, Step, Note, ReportedPlace)
        ]

    before = everything()
    for page in (
        "/queue",
        "/queue?mine=1&band=3",
        path_of("incidents", incident),
        "/cases",
        "/entries",
        "/assess",
        path_of("assess", entry),
    ):
        client.get(page)
    assert everything() == before
