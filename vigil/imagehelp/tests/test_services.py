"""Sending, taking back, setting aside: what holds whatever page or job calls."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from vigil.accounts.errors import ActionNotPermitted
from vigil.core import clock
from vigil.core.ids import parse_number, resolve_number
from vigil.core.models import Envelope, Event, Number
from vigil.imagehelp import selectors, services
from vigil.imagehelp.errors import BadFingerprint, HelpCaseEnded, HelpCaseNotOpened
from vigil.imagehelp.fingerprints import parse, parse_lines
from vigil.imagehelp.models import HelpCase, HelpDraft, HelpLink
from vigil.imagehelp.tests.conftest import MD5, OTHER_PDQ, PDQ
from vigil.imagehelp.tests.factories import make_case, work
from vigil.lists import selectors as lists
from vigil.lists.models import Declared, DeclaredFeedRow, Entry, FeedRow
from vigil.matching import services as matching

ROOMS = ("vigil.imagehelp", "vigil.lists")
PDQ_BYTES = bytes.fromhex(PDQ.split(":")[1])


@pytest.fixture(autouse=True)
def fresh_index(monkeypatch):
    from vigil.matching.index.declared import DeclaredIndex

    monkeypatch.setattr(matching, "_declared", DeclaredIndex())


def found(pdq: bytes = PDQ_BYTES) -> list:
    return [hit.declared_id for hit in matching.lookup_declared(pdqs=[pdq], quality=100).hits]


def test_a_case_is_one_number_its_fingerprints_and_an_event(db, audit_rows):
    case_id, number, code = make_case(PDQ, MD5, PDQ)
    assert resolve_number(number) == ("image_help", case_id)
    summary = selectors.case_summary(case_id)
    assert (summary.pictures, summary.videos, summary.links, summary.state) == (1, 1, 0, "open")
    assert Event.objects.filter(kind="imagehelp.case_opened", subject_id=case_id).count() == 1
    assert [row["action"] for row in audit_rows(case_id)] == ["imagehelp.open"]
    assert len(code) == 16 and parse_number(number) == number


def test_links_are_sealed_for_the_report_that_staff_will_get(db):
    case_id, _number, _code = make_case(PDQ, links=["https://pictures.example/page/7"])
    link, case = HelpLink.objects.get(case_id=case_id), HelpCase.objects.get(id=case_id)
    assert b"pictures.example" not in bytes(link.value)
    assert list(Envelope.objects.values_list("record_id", "klass")) == [(case.report_id, "link")]


def test_the_public_door_reads_no_case_and_no_draft_but_its_own(db, role):
    make_case(PDQ)
    with role("vigil_public"), pytest.raises(Exception, match="permission denied"), transaction.atomic():
        HelpCase.objects.count()
    with role("vigil_public"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('vigil.draft', 'nothing', true)")
        assert HelpDraft.objects.count() == 0


def test_declared_fingerprints_never_reach_the_verified_list(db):
    case_id, _number, _code = make_case(PDQ, MD5)
    work(*ROOMS)
    assert {(row.kind, row.case_id) for row in Declared.objects.all()} == {("pdq", case_id), ("md5", case_id)}
    assert list(DeclaredFeedRow.objects.values_list("version", "change")) == [(1, "publish"), (2, "publish")]
    assert not Entry.objects.exists() and not FeedRow.objects.exists()
    assert matching.lookup(pdqs=[PDQ_BYTES], md5=bytes.fromhex("1f" * 16)).hits == ()


def test_a_declared_fingerprint_is_found_within_31_bits_and_by_md5(db):
    make_case(PDQ, MD5)
    work(*ROOMS)
    near = bytes([PDQ_BYTES[0] ^ 0xFF, PDQ_BYTES[1] ^ 0xFF, PDQ_BYTES[2] ^ 0xFF, PDQ_BYTES[3] ^ 0x7F]) + PDQ_BYTES[4:]
    far = bytes([near[0], near[1], near[2], PDQ_BYTES[3] ^ 0xFF]) + PDQ_BYTES[4:]
    assert matching.lookup_declared(pdqs=[near], quality=100).hits[0].distance == 31
    assert matching.lookup_declared(pdqs=[far], quality=100).hits == ()
    assert matching.lookup_declared(pdqs=[near], quality=49).hits == (), "too plain to say anything"
    assert matching.lookup_declared(md5=bytes.fromhex("1f" * 16)).hits[0].match == "md5"


def test_taking_back_is_out_of_the_next_look_up_with_a_tombstone_each(db, role, audit_rows):
    case_id, number, code = make_case(PDQ, MD5)
    make_case(OTHER_PDQ)
    work(*ROOMS)
    assert len(found()) == 1
    with role("vigil_public"):
        assert services.withdraw_case(number=number, code=code, at=clock.now())
    assert found() == [] and matching.lookup_declared(md5=bytes.fromhex("1f" * 16)).hits == ()
    rows = list(DeclaredFeedRow.objects.order_by("version").values_list("version", "change"))
    assert [version for version, _ in rows] == [1, 2, 3, 4, 5]
    assert sorted(change for _, change in rows[3:]) == ["withdraw", "withdraw"]
    with role("vigil_public"):
        assert not services.withdraw_case(number=number, code=code, at=clock.now()), "a second time changes nothing"
    assert [row["action"] for row in audit_rows(case_id)] == ["imagehelp.open", "declared.list", "imagehelp.withdraw"]
    assert found(bytes.fromhex(OTHER_PDQ.split(":")[1])), "the other person's stay"


def test_what_was_taken_back_before_the_worker_came_is_never_listed(db, role):
    _case_id, number, code = make_case(PDQ)
    with role("vigil_public"):
        services.withdraw_case(number=number, code=code, at=clock.now())
    work(*ROOMS)
    assert not Declared.objects.exists() and found() == []


def test_the_worker_may_be_killed_and_repeat(db, role):
    case_id, _number, _code = make_case(PDQ)
    for _ in range(2):
        with role("vigil_worker"):
            services.declare_fingerprints(actor=services.REPORTER, case_id=case_id, at=clock.now())
    assert Declared.objects.count() == 1 and DeclaredFeedRow.objects.count() == 1


def test_the_declared_feed_has_no_gaps_whoever_writes(db):
    make_case(PDQ)
    work(*ROOMS)
    declared = Declared.objects.get()
    with pytest.raises(IntegrityError, match="no gaps"), transaction.atomic():
        DeclaredFeedRow.objects.create(
            version=7, declared=declared, change="withdraw", at=clock.now(), kind="pdq", value=declared.value
        )


def test_a_wrong_code_a_wrong_number_and_no_number_are_one_error(db, role):
    _case_id, number, code = make_case(PDQ)
    with role("vigil_public"):
        assert services.open_own_case(number=number, code=code).pictures == 1
        for wrong in ((number, "0" * 16), ("7K3M9Q2X4A", code), ("", ""), (number, "")):
            with pytest.raises(HelpCaseNotOpened):
                services.open_own_case(number=wrong[0], code=wrong[1])


def test_staff_set_a_contested_case_aside(db, role, make_person, audit_rows):
    case_id, number, code = make_case(PDQ)
    work(*ROOMS)
    analyst, officer = make_person(roles={"intake_analyst"}), make_person(roles={"removal_officer"})
    with role("vigil_console", actor=officer), pytest.raises(ActionNotPermitted):
        services.set_aside_case(actor=officer, case_id=case_id, reason="contested", at=clock.now())
    with role("vigil_console", actor=analyst):
        services.set_aside_case(actor=analyst, case_id=case_id, reason="contested", at=clock.now())
    assert found() == [] and lists.declared_of_case(case_id) == []
    assert audit_rows(case_id)[-1]["action"] == "imagehelp.set_aside"
    with role("vigil_public"):
        assert services.open_own_case(number=number, code=code).state == "set_aside"
        assert not services.withdraw_case(number=number, code=code, at=clock.now())
    with role("vigil_console", actor=analyst), pytest.raises(HelpCaseEnded):
        services.set_aside_case(actor=analyst, case_id=case_id, reason="contested", at=clock.now())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("pdq:12", "imagehelp.fingerprint_unreadable"),
        ("sha256:" + "0" * 64, "imagehelp.fingerprint_unreadable"),
        ("pdq:" + "a5" * 32 + ":101", "imagehelp.fingerprint_unreadable"),
        ("pdq:" + "a5" * 32 + ":49", "imagehelp.fingerprint_too_plain"),
        ("pdq:" + "0" * 64 + ":90", "imagehelp.fingerprint_of_nothing"),
        ("md5:d41d8cd98f00b204e9800998ecf8427e", "imagehelp.fingerprint_of_nothing"),
        ("data:image/png;base64,AAAA", "imagehelp.fingerprint_unreadable"),
    ],
)
def test_a_line_that_is_no_fingerprint_says_why(line, why):
    with pytest.raises(BadFingerprint) as caught:
        parse(line)
    assert caught.value.fields == {"fingerprints": why}


def test_the_same_fingerprint_counts_once_and_a_hundred_are_the_most():
    assert [one.text for one in parse_lines([PDQ.upper(), "", PDQ, MD5])] == [PDQ, MD5]
    with pytest.raises(BadFingerprint):
        parse_lines(f"md5:{number:032x}" for number in range(1, 102))


def test_a_number_that_is_taken_gives_way_to_the_next(db, role):
    from vigil.core.ids import issue_number, new_id
    from vigil.imagehelp import drafts

    token = b"\x07" * 32
    issue_number("report", new_id(), drafts.help_receipt(token).number)
    with role("vigil_public"):

        def fill(draft):
            draft.who, draft.age, draft.fingerprints, draft.done = "me", "under_18", [PDQ], ["who", "files", "where"]

        services.save_draft(token=token, change=fill, at=clock.now())
        sent = services.open_case(token=token, language="en", at=clock.now())
        again = services.open_case(token=token, language="en", at=clock.now())
    assert sent.receipt == again.receipt == drafts.help_receipt(token, 1)
    assert Number.objects.filter(kind="image_help").count() == 1
