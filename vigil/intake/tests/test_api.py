"""The partners' program door, under its role: keys, one answer a report, repeats, problems in both languages, its description."""

import json

import pytest
from django.test import Client

from vigil.accounts import services as accounts
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.intake import api
from vigil.intake.models import Report

MACHINE = process_actor("command-line")
LINK = "https://pictures.example/a"


@pytest.fixture
def key(owner):
    with owner():
        partner = accounts.add_organisation(
            actor=MACHINE,
            code="maple",
            name_en="Maple",
            name_fr="Érable",
            kind="hotline",
            email="",
            language="fr",
            at=clock.now(),
        )
        made = accounts.create_api_key(
            actor=MACHINE,
            holder_kind="organisation",
            holder_id=partner,
            name="program",
            scopes=["report.write"],
            at=clock.now(),
        )
    made_by = {"partner": partner, "id": made.id}
    return type("Key", (), {"text": made.key, **made_by})


@pytest.fixture
def post(role, settings):
    settings.ROOT_URLCONF = "vigil.urls.wire"
    api.limiter = api.CallLimiter()

    def post(body, *, key=None, name="call-0001", language="en", raw=None):
        headers = {"host": settings.HOST_OF_ORIGIN["wire"], "accept-language": language}
        if key:
            headers["authorization"] = f"Bearer {key.text}"
        if name:
            headers["idempotency-key"] = name
        data = raw if raw is not None else json.dumps(body)
        with role("vigil_wire"):
            response = Client().post("/v1/reports", data, content_type="application/json", headers=headers)
        return response.status_code, response.json(), response

    return post


def test_reports_are_taken_and_say_from_which_partner(post, key, owner):
    status, answer, _ = post(
        {"reports": [{"links": [LINK], "category": "threat"}, {"text": "Words.", "danger": "yes"}]}, key=key
    )
    assert (status, answer["taken"], answer["refused"], answer["repeated"]) == (201, 2, 0, False)
    with owner():
        first, second = Report.objects.order_by("id")
        assert (first.source, first.partner_id, first.language) == ("partner_api", key.partner, "fr")
        assert (first.signals["situations"], second.signals["danger"]) == (["threat"], "yes")


def test_one_that_cannot_be_taken_holds_back_no_other(post, key):
    body = {"reports": [{"links": ["not a link"]}, {"links": [LINK]}, {"text": " "}, {"links": [LINK]}]}
    status, answer, _ = post(body, key=key, language="fr")
    assert status == 201
    assert [(each["status"], each.get("code")) for each in answer["reports"]] == [
        ("refused", "line.no_link"),
        ("taken", None),
        ("refused", "report.says_nothing"),
        ("taken", None),
    ]
    assert answer["reports"][3]["same_place_as"] == 1
    assert "adresse" in answer["reports"][0]["detail"]


def test_the_same_call_again_gives_the_same_numbers(post, key, owner):
    body = {"reports": [{"links": [LINK]}]}
    (_, first, _), (status, again, _) = post(body, key=key), post(body, key=key)
    assert (status, again["repeated"]) == (201, True)
    assert first["reports"] == again["reports"]
    with owner():
        assert Report.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"key": None}, 401, "accounts.key_unusable"),
        ({"name": ""}, 400, "delivery.key_missing"),
        ({"name": "short"}, 400, "delivery.key_missing"),
        ({"raw": "{"}, 400, "delivery.unreadable"),
        ({"raw": json.dumps({"reports": []})}, 400, "delivery.unreadable"),
        ({"raw": json.dumps({"reports": [{"links": [LINK], "picture": "x"}]})}, 400, "delivery.unreadable"),
        ({"raw": json.dumps({"reports": [{"text": "x"}] * 101})}, 400, "delivery.unreadable"),
        ({"raw": json.dumps({"reports": [{"text": "x" * 5001}]})}, 400, "delivery.unreadable"),
        ({"raw": json.dumps({"reports": [{"text": "x"}], "pad": "x" * 300_000})}, 413, "delivery.too_big"),
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_problem_has_a_code_and_words_in_the_callers_language(post, key, owner, language, changes, status, code):
    got, answer, response = post({"reports": [{"links": [LINK]}]}, **{"key": key, "language": language, **changes})
    assert (got, answer["status"], answer["code"]) == (status, status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert response["Content-Language"] == language
    assert answer["detail"] and "pictures.example" not in json.dumps(answer)
    with owner():
        assert Report.objects.count() == 0


def test_english_and_french_problems_differ(post, key):
    details = {post({}, key=None, language=language)[1]["detail"] for language in ("en", "fr")}
    assert len(details) == 2


def test_another_content_under_the_same_name_is_a_conflict(post, key):
    post({"reports": [{"links": [LINK]}]}, key=key)
    status, answer, _ = post({"reports": [{"links": [LINK + "b"]}]}, key=key)
    assert (status, answer["code"]) == (409, "delivery.key_reused")


def test_a_revoked_key_is_refused_at_once(post, key, owner):
    with owner():
        accounts.end_api_key(actor=MACHINE, key_id=key.id, at=clock.now())
    status, _answer, response = post({"reports": [{"links": [LINK]}]}, key=key)
    assert (status, response["WWW-Authenticate"]) == (401, "Bearer")


def test_too_many_calls_are_asked_to_wait(post, key):
    api.limiter = api.CallLimiter(most=2)
    for n in range(2):
        assert post({"reports": [{"text": "x"}]}, key=key, name=f"call-{n:04}")[0] == 201
    status, answer, response = post({"reports": [{"text": "x"}]}, key=key, name="call-0009")
    assert (status, answer["code"], response["Retry-After"]) == (429, "delivery.too_many_calls", "60")


def test_the_door_describes_itself(role, settings):
    settings.ROOT_URLCONF = "vigil.urls.wire"
    with role("vigil_wire"):
        described = Client().get("/v1/reports/openapi.json", headers={"host": settings.HOST_OF_ORIGIN["wire"]}).json()
    operation = described["paths"]["/v1/reports"]["post"]
    assert set(operation["responses"]) == {"201", "400", "401", "409", "413", "429", "503"}
    assert any(each["name"] == "Idempotency-Key" for each in operation["parameters"])
