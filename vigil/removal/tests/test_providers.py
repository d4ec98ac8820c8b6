"""Who to write to: found with provenance, nobody named is a person's work, no answer is tried again."""

from __future__ import annotations

import pytest

from vigil.core.errors import NotPermitted
from vigil.core.models import Event
from vigil.removal import selectors, services
from vigil.removal.errors import AddressInvalid
from vigil.removal.models import Notice, Provider
from vigil_demo.rdap import Organisation

pytestmark = pytest.mark.usefixtures("keyd_server")


@pytest.fixture
def opened(drive, entry, rdap_server):
    return drive.open(drive.sighting(entry))


def test_a_due_lookup_is_asked_for_as_a_job_and_not_again_while_that_may_still_run(opened, drive, role):
    with role("vigil_worker"):
        assert services.ask_due_lookups(at=drive.now) == 1
        assert services.ask_due_lookups(at=drive.later(minutes=1)) == 0
        assert services.ask_due_lookups(at=drive.later(minutes=5)) == 1
    assert Event.objects.filter(kind="removal.lookup_due", subject_id=opened.id).count() == 2


def test_the_provider_is_kept_with_where_its_mailbox_was_found(opened, drive):
    notice = drive.look_up(opened)

    provider = notice.provider
    assert (provider.abuse_email, provider.name, provider.source) == (
        "abuse@hosting.example",
        "Example Hosting",
        "rdap.ip",
    )
    assert (provider.handle, provider.country) == ("NET-HOSTING-7", "CA")
    assert notice.next_mail_at == drive.now and notice.next_lookup_at is None


def test_two_notices_of_one_provider_share_its_row(opened, drive, entry):
    drive.look_up(opened)
    drive.look_up(drive.open(drive.sighting(entry)))
    assert Provider.objects.count() == 1


def test_nobody_named_waits_visibly_for_a_person_and_goes_on_when_one_names_the_mailbox(
    opened, drive, rdap_server, role, make_person
):
    rdap_server.registry.networks["198.51.100.0/24"] = Organisation("SILENT-1", "Silent", "")
    officer = make_person(roles={"removal_officer"}, clearance=1)

    notice = drive.look_up(opened)

    assert (notice.state, notice.next_mail_at, notice.last_failure) == ("no_address", None, "rdap.no_address")
    with role("vigil_console", officer):
        (waiting,) = selectors.notices_that_need_a_person(officer)
        assert waiting.id == notice.id
        notice = services.set_address(
            actor=officer,
            notice_id=notice.id,
            name="Silent Networks",
            abuse_email=" Abuse@Silent.example ",
            at=drive.now,
        )
    assert (notice.state, notice.next_mail_at) == ("due", drive.now)
    assert (notice.provider.abuse_email, notice.provider.source) == ("abuse@silent.example", "staff")
    assert notice.provider.added_by == officer.id
    assert drive.tick(notice) is not None


def test_registration_data_that_do_not_answer_are_asked_again_and_again(opened, drive, rdap_server):
    rdap_server.fail_with = 503

    waits = []
    for _ in range(3):
        notice = drive.look_up(opened)
        assert (notice.state, notice.last_failure) == ("due", "rdap.refused")
        waits.append(notice.next_lookup_at - drive.now)
        drive.now = notice.next_lookup_at

    assert waits[0] < waits[1] < waits[2]
    rdap_server.fail_with = 0
    notice = drive.look_up(opened)
    assert notice.provider is not None and (notice.failures, notice.last_failure) == (0, "")


def test_an_installation_without_a_registration_data_service_says_so(opened, drive, settings):
    settings.RDAP_BASE_URL = ""
    notice = drive.look_up(opened)
    assert (notice.state, notice.last_failure) == ("due", "rdap.not_configured")
    assert notice.next_lookup_at > drive.now


def test_a_key_process_that_is_away_delays_and_loses_nothing(opened, drive, settings, tmp_path):
    settings.KEYD_SOCKET = tmp_path / "nobody.sock"
    notice = drive.look_up(opened)
    assert (notice.state, notice.last_failure) == ("due", "keyd.unavailable")
    assert notice.next_lookup_at > drive.now


def test_each_opening_of_the_place_is_in_the_audit_log(opened, drive, audit_rows):
    drive.look_up(opened)
    (row,) = audit_rows(opened.place_id)
    assert (row["action"], row["data"]["purpose"]) == ("place.open", "removal.provider")


@pytest.mark.parametrize("email", ["", "abuse", "a@b.example, c@d.example", "abuse@x.example\r\nBcc: c@d.example"])
def test_what_is_not_one_address_is_refused(opened, drive, role, make_person, email):
    officer = make_person(roles={"removal_officer"})
    with role("vigil_console", officer), pytest.raises(AddressInvalid) as caught:
        services.set_address(actor=officer, notice_id=opened.id, name="X", abuse_email=email, at=drive.now)
    assert caught.value.fields == {"abuse_email": "provider.address_invalid"}
    assert not Provider.objects.exists()


@pytest.mark.parametrize("wrong_role", ["intake_analyst", "assessor", "auditor", "police_liaison", "administrator"])
def test_only_removal_officers_name_a_mailbox(opened, drive, role, make_person, wrong_role):
    person = make_person(roles={wrong_role}, clearance=3)
    with role("vigil_console", person), pytest.raises(NotPermitted):
        services.set_address(actor=person, notice_id=opened.id, name="X", abuse_email="a@b.example", at=drive.now)
    assert Notice.objects.get(id=opened.id).provider_id is None
