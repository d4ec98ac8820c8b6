"""The pages of both sides, over HTTP, each under the role of its door."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from vigil.casework.models import Case
from vigil.core.ids import format_number, new_id, random_number
from vigil.referral.models import Outcome, Package
from vigil.referral.tests.conftest import HANDLE, NARRATIVE
from vigil.referral.wire import manifest


def text(response):
    return response.content.decode()


def refer(world):
    return f"/cases/{format_number(Case.objects.get(id=world.case_id).number)}/refer/"


def form_of(world, **changes):
    return {"package_id": str(new_id()), "agency": str(world.agency_id), "read": "on"} | changes


# ---- the console ---------------------------------------------------------------------------------------------------
def test_the_compose_page_says_what_goes_out_and_what_is_missing(world, at_console):
    for language, heading, missing in (
        ("en", "Refer case", "No contact details of the reporter."),
        ("fr", "Renvoyer le dossier", "Aucune coordonnée de la personne qui signale."),
    ):
        page = text(at_console(world.liaison, language=language).get(refer(world)))
        assert heading in page and missing in page
        assert NARRATIVE not in page and HANDLE not in page, "nothing is opened before it is sent"


def test_the_liaison_sends_and_sees_the_receipt_and_the_outcome(world, at_console, at_portal):
    answer = at_console(world.liaison).post(refer(world), form_of(world))
    assert answer.status_code == 302
    assert answer.url.startswith("/referrals/"), answer.url
    package = Package.objects.get()
    assert "is being built" in text(at_console(world.liaison).get(answer.url))

    world.build(package.id)
    sent = text(at_console(world.liaison).get(answer.url))
    assert NARRATIVE in sent and "Not yet" in sent

    portal = at_portal(world.officer)
    portal.post(f"/inbox/{package.id}/acknowledge")
    portal.post(f"/inbox/{package.id}/outcome", {"kind": "child_safe"})

    received = text(at_console(world.liaison).get(answer.url))
    outcome = Outcome.objects.get()
    assert "A child was made safe" in received and format_number(outcome.number) in received
    assert format_number(package.number) in text(at_console(world.liaison).get("/referrals/"))


def test_a_form_without_answers_keeps_its_page_and_says_what_is_wrong(world, at_console):
    answer = at_console(world.liaison).post(refer(world), {"package_id": str(new_id())})

    assert answer.status_code == 400
    assert 'href="#id_agency_0"' in text(answer) and 'href="#id_read"' in text(answer)
    assert not Package.objects.exists()


def test_sending_without_a_fresh_sign_in_asks_who_it_is(world, at_console):
    answer = at_console(world.liaison, fresh=False).post(refer(world), form_of(world))

    assert answer.status_code == 302 and answer.url.startswith(reverse("account_reauthenticate"))
    assert not Package.objects.exists()


def test_who_may_not_refer_gets_no_page(world, at_console, make_person):
    analyst = make_person(roles={"intake_analyst"}, clearance=3)
    assert at_console(analyst).get(refer(world)).status_code == 403
    assert at_console(analyst).get("/referrals/").status_code == 403
    assert at_console(world.liaison).get(f"/cases/{random_number()}/refer/").status_code == 404


# ---- the portal ------------------------------------------------------------------------------------------------------
def test_acknowledging_takes_two_activations_and_one_from_the_inbox(world, at_portal):
    package_id = world.send()
    portal = at_portal(world.officer)

    inbox = text(portal.get("/inbox/"))
    assert f'href="/inbox/{package_id}/"' in inbox
    assert f'action="/inbox/{package_id}/acknowledge"' in inbox
    assert f'action="/inbox/{package_id}/acknowledge"' in text(portal.get(f"/inbox/{package_id}/"))

    answer = portal.post(f"/inbox/{package_id}/acknowledge", follow=True)
    assert "Acknowledged. The hotline sees this." in text(answer)
    assert "acknowledge" not in re.findall(r'action="([^"]*)"', text(answer))
    assert portal.post(f"/inbox/{package_id}/acknowledge").status_code == 302


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Inbox", "Reporter said", "Crawler measured", "What is missing", "Evidence index")),
        ("fr", ("Boîte de réception", "Dit par la personne qui signale", "Mesuré par le robot", "Ce qui manque")),
    ],
)
def test_the_summary_says_who_said_what_and_nothing_in_it_can_be_clicked(world, at_portal, language, words):
    package_id = world.send()
    page = text(at_portal(world.officer, language=language).get(f"/inbox/{package_id}/"))

    for word in (*words, NARRATIVE, HANDLE, "hxxps[:]//pictures[.]example/gallery"):
        assert word in page
    assert "pictures.example" not in page
    assert Package.objects.get().manifest_digest[:8] in page
    assert all(link.startswith(("/", "#")) for link in re.findall(r'(?:href|src)="([^"]*)"', page))


def test_the_file_is_the_package_and_a_get_takes_nothing(world, at_portal):
    package_id = world.send()
    portal = at_portal(world.officer)

    assert portal.get(f"/inbox/{package_id}/package.zip").status_code == 405
    answer = portal.post(f"/inbox/{package_id}/package.zip")

    assert answer["Content-Type"] == "application/zip" and answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "no-store"
    assert manifest.verify(answer.content, expected_digest=Package.objects.get().manifest_digest) == []
    assert world.officer.name in text(portal.get(f"/inbox/{package_id}/"))


def test_another_agency_gets_the_same_page_as_for_a_package_that_does_not_exist(world, at_portal):
    package_id = world.send()
    portal = at_portal(world.stranger)
    for path in ("", "package.zip", "acknowledge", "outcome"):
        for method in (portal.get, portal.post) if path in {"", "outcome"} else (portal.post,):
            here, nowhere = (method(f"/inbox/{each}/{path}", {"kind": "other"}) for each in (package_id, new_id()))
            assert here.status_code == nowhere.status_code, path
            if path != "outcome" or method == portal.post:
                assert here.status_code == 404 and text(here) == text(nowhere)
    assert "No new referrals" in text(portal.get("/inbox/"))
    assert Package.objects.get().state == "sent"


def test_an_outcome_must_be_one_of_them(world, at_portal):
    package_id = world.send()
    portal = at_portal(world.officer)
    portal.post(f"/inbox/{package_id}/acknowledge")

    answer = portal.post(f"/inbox/{package_id}/outcome", {})

    assert answer.status_code == 400 and 'href="#id_kind_0"' in text(answer)
    assert not Outcome.objects.exists()


def test_without_the_key_process_an_officer_can_still_acknowledge(world, at_portal, settings, tmp_path):
    package_id = world.send()
    settings.KEYD_SOCKET = tmp_path / "nobody.sock"
    portal = at_portal(world.officer)

    page = portal.get(f"/inbox/{package_id}/")
    assert page.status_code == 200 and "cannot be opened now" in text(page)
    assert portal.post(f"/inbox/{package_id}/package.zip").status_code == 503
    assert portal.post(f"/inbox/{package_id}/acknowledge").status_code == 302


def test_looking_changes_nothing(world, at_portal):
    package_id = world.send()
    before = Package.objects.values().get()
    portal = at_portal(world.officer)
    for path in ("/inbox/", f"/inbox/{package_id}/"):
        portal.get(path)
    assert Package.objects.values().get() == before


def test_a_member_of_staff_is_not_an_officer(world, at_portal, make_person):
    provider = make_person(roles={"provider"}, clearance=1)
    assert at_portal(provider).get("/inbox/").status_code == 403
