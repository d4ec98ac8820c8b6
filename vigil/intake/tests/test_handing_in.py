"""Deliveries: durable as a whole, the same again gives the same answer, each line has its own, and each says where it came from."""

import pytest
from django.db import connection

from vigil.accounts import services as accounts
from vigil.accounts.errors import ActionNotPermitted
from vigil.accounts.selectors import KeyHolder
from vigil.core import clock
from vigil.core.actors import process_actor
from vigil.core.ids import new_id
from vigil.intake.errors import DeliveryReused, NotAPartner, NothingHandedIn
from vigil.intake.models import Delivery, Report, ReportLink
from vigil.intake.questions import current_set
from vigil.intake.receipts import new_token
from vigil.intake.services import handing_in
from vigil.intake.services.handing_in import Origin
from vigil.intake.wire.lines import parse_list

HOST = "https://pictures.example"
CALL = {"danger": "yes", "who": "known", "situations": ["threat"], "narrative": "A page with pictures was reported."}


@pytest.fixture
def make_partner(owner):
    def make_partner(kind="hotline", code="maple", **changes):
        facts = {
            "name_en": "Maple",
            "name_fr": "Érable",
            "email": "answers@maple.example",
            "language": "both",
            **changes,
        }
        with owner():
            return accounts.add_organisation(
                actor=process_actor("command-line"), code=code, kind=kind, at=clock.now(), **facts
            )

    return make_partner


@pytest.fixture
def analyst(make_person):
    return make_person(roles={"intake_analyst"})


def hand_in(text, origin, *name):
    return handing_in.hand_in(
        handing_in.items_of_lines(parse_list(text)),
        origin=origin,
        once=handing_in.once_of(origin, *(name or ("list", "1"))),
        content=text,
        language="en",
        at=clock.now(),
    )


def test_each_line_is_a_report_or_says_why_not(role, owner, analyst):
    with role("vigil_console", analyst):
        delivered = hand_in(f"{HOST}/a ; threat\nregards\n{HOST}/b", Origin("bulk", analyst))
    assert [(each.line, each.is_taken, each.code) for each in delivered.answers] == [
        (1, True, ""),
        (2, False, "line.no_link"),
        (3, True, ""),
    ]
    with owner():
        reports = {report.number: report for report in Report.objects.all()}
        assert {report.source for report in reports.values()} == {"bulk"}
        assert reports[delivered.answers[0].number].signals["situations"] == ["threat"]
        assert ReportLink.objects.count() == 2


def test_the_same_place_twice_is_two_reports_that_are_linked(role, analyst):
    with role("vigil_console", analyst):
        delivered = hand_in(f"{HOST}/a\n{HOST}/b\nhxxps://pictures[.]example/a#top", Origin("bulk", analyst))
    assert [each.same_as for each in delivered.answers] == [None, None, 1]
    assert len({each.number for each in delivered.answers}) == 3


def test_the_same_delivery_again_gives_the_same_answer_and_makes_nothing(role, owner, analyst):
    origin = Origin("bulk", analyst)
    with role("vigil_console", analyst):
        first = hand_in(f"{HOST}/a", origin)
        again = hand_in(f"{HOST}/a", origin)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.answers == again.answers
    with owner():
        assert (Report.objects.count(), Delivery.objects.count()) == (1, 1)


def test_another_content_under_a_used_name_is_refused(role, analyst):
    with role("vigil_console", analyst):
        hand_in(f"{HOST}/a", Origin("bulk", analyst))
        with pytest.raises(DeliveryReused):
            hand_in(f"{HOST}/b", Origin("bulk", analyst))


def test_two_senders_may_use_the_same_name(role, owner, make_partner):
    for code in ("maple", "oak"):
        partner = make_partner(code=code)
        actor = process_actor(code)
        with role("vigil_wire"):
            assert hand_in(f"{HOST}/a", Origin("partner_api", actor, partner), "api", "same-name").is_new


def test_nothing_at_all_is_no_delivery(role, analyst):
    with role("vigil_console", analyst), pytest.raises(NothingHandedIn):
        hand_in("\n# a comment\n", Origin("bulk", analyst))


@pytest.mark.parametrize(
    "roles", [{"assessor"}, {"removal_officer"}, {"auditor"}, {"police_liaison"}, {"administrator"}]
)
def test_only_analysts_take_reports_in(role, make_person, roles):
    person = make_person(roles=roles)
    with role("vigil_console", person):
        with pytest.raises(ActionNotPermitted):
            hand_in(f"{HOST}/a", Origin("bulk", person))
        with pytest.raises(ActionNotPermitted):
            handing_in.take_call(
                CALL,
                origin=Origin("phone", person),
                language="en",
                token=new_token(),
                question_set=current_set(),
                at=clock.now(),
            )


def test_the_database_itself_refuses_a_source_that_is_not_the_doors(role, analyst, make_partner):
    from django.db import ProgrammingError

    partner = make_partner()
    with pytest.raises(ProgrammingError), role("vigil_console", analyst):
        hand_in(f"{HOST}/a", Origin("web", analyst))
    with pytest.raises(ProgrammingError), role("vigil_wire"):
        hand_in(f"{HOST}/a", Origin("bulk", process_actor("maple"), partner))


def test_what_police_hand_in_has_the_source_police_by_whatever_door(role, owner, make_partner):
    partner = make_partner(kind="police", code="city-police")
    holder = KeyHolder(new_id(), "organisation", partner, frozenset({"report.write"}), "city-police", "police", "en")
    with role("vigil_wire"):
        hand_in(f"{HOST}/a", handing_in.origin_of(holder, source="mailbox"))
    with owner():
        report = Report.objects.get()
        assert (report.source, report.partner_id) == ("police", partner)


def test_a_providers_key_hands_nothing_in():
    with pytest.raises(NotAPartner):
        handing_in.origin_of(KeyHolder(new_id(), "provider", new_id(), frozenset()), source="mailbox")


def test_a_call_gets_a_receipt_and_the_same_form_again_gets_the_same(role, owner, analyst, audit_rows):
    token, origin = new_token(), Origin("phone", analyst)

    def take():
        return handing_in.take_call(
            CALL, origin=origin, language="fr", token=token, question_set=current_set(), at=clock.now()
        )

    with role("vigil_console", analyst):
        first, again = take(), take()
    assert (first.number, first.secret) == (again.number, again.secret)
    with owner():
        report = Report.objects.get()
        assert (report.source, report.language, report.signals["danger"]) == ("phone", "fr", "yes")
    (row,) = [row for row in audit_rows(report.id) if row["action"] == "report.submit"]
    assert row["actor"]["id"] == str(analyst.id) if isinstance(row.get("actor"), dict) else True


def test_a_letters_receipt_opens_its_thread_like_any_other(role, analyst):
    from vigil.intake import services

    with role("vigil_console", analyst):
        receipt = handing_in.take_call(
            CALL,
            origin=Origin("letter", analyst),
            language="en",
            token=new_token(),
            question_set=current_set(),
            at=clock.now(),
        )
    with role("vigil_public"):
        assert services.open_thread(number=receipt.number, secret=receipt.secret).state == "received"


def test_a_delivery_keeps_no_word_of_what_was_sent(role, owner, analyst):
    with role("vigil_console", analyst):
        hand_in(f"{HOST}/canary ; threat ; canary words\ncanary refused line", Origin("bulk", analyst))
    with owner(), connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM intake_delivery d")
        assert "canary" not in cursor.fetchone()[0]


def test_words_longer_than_a_report_may_be_become_several_and_nothing_is_cut(role, owner, make_partner):
    partner = make_partner()
    text, links = "a" * 5000 + "b" * 10, [f"{HOST}/{n}" for n in range(45)]
    origin = Origin("mailbox", process_actor("maple"), partner)
    with role("vigil_wire"):
        delivered = handing_in.hand_in(
            handing_in.items_of_words(text, links),
            origin=origin,
            once=handing_in.once_of(origin, "mail", "1"),
            content=text,
            language="en",
            at=clock.now(),
        )
    assert delivered.taken == 3
    with owner():
        assert ReportLink.objects.count() == 45


def test_the_wire_door_reads_no_report(role, owner, analyst, make_partner):
    from django.db import ProgrammingError

    for model in (Report, ReportLink, Delivery):
        with pytest.raises(ProgrammingError), role("vigil_wire"):
            list(model.objects.all())
