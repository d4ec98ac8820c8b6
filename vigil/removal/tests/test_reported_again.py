"""A place that was confirmed removed is reported again: linked, looked at at once, and its thread opens again when it is up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from vigil.casework import selectors as casework
from vigil.casework import services as casework_services
from vigil.casework.errors import DecisionUnusable
from vigil.casework.models import Incident, KnownPlace, Step
from vigil.casework.tests.factories import make_incident
from vigil.core.actors import process_actor
from vigil.core.models import Event
from vigil.removal import services
from vigil.removal.models import Notice, Removal

WORKER = process_actor("worker")
URL = "http://gallery.example/picture.png"
PAGE = "http://gallery.example/album/1"
pytestmark = pytest.mark.usefixtures("transactional_db", "keyd_server")


@pytest.fixture
def sent(drive, entry, rdap_server, mail_server):
    notice = drive.look_up(drive.open(drive.sighting(entry, url=URL, page_url=PAGE)))
    notice = drive.look(notice, "up")
    assert notice.state == "sent"
    return notice


@pytest.fixture
def removed(sent, drive):
    notice = sent
    for _ in range(2):
        drive.now = notice.next_check_at
        notice = drive.look(notice, "down")
    assert notice.state == "removed"
    drive.later(hours=1)
    return notice


@pytest.fixture
def report_again(drive, role):
    """Somebody reports a link; the worker does what its jobs do. The new incident."""

    def report_again(link):
        incident = make_incident(links=(link,), at=drive.now)
        with role("vigil_worker"):
            casework_services.note_known_places(actor=WORKER, incident_id=incident.id, at=drive.now)
            services.take_reported_places(incident_id=incident.id, at=drive.now)
        return incident

    return report_again


def known_of(incident):
    return KnownPlace.objects.get(incident=incident)


@pytest.mark.parametrize("link", [URL, PAGE, "GALLERY.example/picture.png#top".replace("GALLERY", "http://GALLERY")])
def test_a_removed_place_that_is_up_opens_its_thread_again(removed, drive, report_again, mail_server, link):
    drive.later(days=1)
    incident = report_again(link)

    known = known_of(incident)
    assert (known.state, known.notice_number) == ("removed_before", removed.number)
    assert known.removal_number == Removal.objects.get().number
    assert Event.objects.filter(kind="removal.check_due", subject_id=removed.id).exists()

    notice = drive.look(drive.read(removed), "up")

    assert (notice.state, notice.reappeared_at) == ("sent", drive.now)
    assert Event.objects.filter(kind="removal.reappeared", subject_id=removed.id).count() == 1
    assert len(mail_server.mails) == 2
    assert known_of(incident).state == "back"
    assert list(Step.objects.filter(incident=incident).order_by("at", "id").values_list("kind", flat=True)) == [
        "opened",
        "place_known",
        "place_back",
    ]


def test_the_look_is_asked_for_at_once_and_not_at_the_weekly_time(removed, drive, report_again):
    assert removed.next_check_at > drive.now + timedelta(days=6)
    report_again(URL)
    assert drive.tick(drive.read(removed)) is not None


def test_a_removed_place_that_is_still_gone_stays_removed(removed, drive, report_again):
    incident = report_again(URL)
    notice = drive.look(drive.read(removed), "down")
    assert (notice.state, known_of(incident).state) == ("removed", "still_gone")
    assert notice.next_check_at is not None


def test_a_look_that_cannot_tell_says_unknown_and_the_next_one_may(removed, drive, report_again):
    incident = report_again(URL)
    notice = drive.look(drive.read(removed), "unknown")
    assert (notice.state, known_of(incident).state) == ("removed", "unknown")
    drive.now = notice.next_check_at
    drive.look(notice, "up")
    assert known_of(incident).state == "back"


def test_a_place_with_an_open_notice_is_linked_and_not_looked_at_out_of_turn(sent, drive, report_again):
    before = drive.read(sent).next_check_at
    incident = report_again(URL)
    assert (known_of(incident).state, known_of(incident).notice_number) == ("open", sent.number)
    assert drive.read(sent).next_check_at == before


def test_a_place_that_nobody_knows_is_linked_with_nothing(removed, report_again):
    incident = report_again("https://elsewhere.example/x")
    assert not KnownPlace.objects.filter(incident=incident).exists()


def test_the_jobs_may_run_twice(removed, drive, report_again, role):
    incident = report_again(URL)
    with role("vigil_worker"):
        assert casework_services.note_known_places(actor=WORKER, incident_id=incident.id, at=drive.now) == 0
        assert services.take_reported_places(incident_id=incident.id, at=drive.now) == 0
    assert KnownPlace.objects.filter(incident=incident).count() == 1


def test_a_stopped_notice_is_nobodys_reappearance(removed, drive, report_again):
    Notice.objects.filter(id=removed.id).update(state="stopped")
    assert known_of(report_again(URL)).state == "known"


def test_a_reappearance_cannot_be_decided_as_a_duplicate(removed, drive, report_again, role, make_person):
    analyst = make_person(roles={"intake_analyst"}, clearance=3)
    first, second = report_again(URL), report_again(PAGE)
    with role("vigil_console", analyst):
        claimed = casework_services.claim_incident(actor=analyst, incident_id=second.id, at=drive.now)
        with pytest.raises(DecisionUnusable) as refused:
            casework_services.decide_incident(
                actor=analyst, incident_id=second.id, fence=claimed.claim_fence, decision="duplicate", reason="same_place",
                duplicate_of=first.number, at=drive.now,
            )  # fmt: skip
    assert refused.value.fields == {"decision": "duplicate.reappeared"}
    assert Incident.objects.get(id=second.id).state == "open"


def test_two_reports_of_one_place_are_shown_as_reported_in_each_other(removed, drive, report_again, role, make_person):
    analyst = make_person(roles={"intake_analyst"}, clearance=3)
    first, second = report_again(URL), report_again(URL)
    with role("vigil_console", analyst):
        for one, other in ((first, second), (second, first)):
            found = casework.also_reported(analyst, casework.incident(analyst, one.id))
            assert [each.id for each in found] == [other.id]
