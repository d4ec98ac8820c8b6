"""Sending, the thread, and what staff may do, each as the role of its door."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import ProgrammingError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from vigil.core.actors import SYSTEM
from vigil.core.errors import NotPermitted, VigilError
from vigil.core.ids import parse_number, resolve_number
from vigil.core.models import Envelope, Event, Number
from vigil.intake import drafts, jobs, receipts, selectors, services
from vigil.intake.errors import DraftAlreadySent, DraftIncomplete, DraftNotFound, NoSuchThread, QuestionNotAsked
from vigil.intake.models import Draft, Message, Report, ReportLink, Thread
from vigil.intake.questions import current_set, signals
from vigil.intake.receipts import receipt_of

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
COMPLETE = {
    "danger": "no",
    "who": "saw",
    "age_band": "",
    "situations": ["seen_material"],
    "identifiable": "no",
    "links": ["https://pictures.example/page/7", "pictures.example/8"],
    "handles": ["name123"],
    "narrative": "A page with pictures was reported.",
    "contact_name": "Sam",
    "contact_way": "sam@mail.example",
    "contact_safe": "",
    "may_share": "yes",
}


def make_draft(token: bytes | None = None, **changes: object) -> bytes:
    """A complete draft, ready to send."""
    token = token or receipts.new_token()

    def fill(draft: drafts.DraftBody) -> None:
        draft.answers = {**COMPLETE, **changes}
        draft.done = [page.code for page in current_set().pages]

    services.save_draft(token=token, change=fill, at=NOON)
    return token


def make_report(token: bytes | None = None, **changes: object) -> tuple[receipts.Receipt, bytes]:
    token = make_draft(token, **changes)
    return services.submit_report(token=token, language="en", at=NOON).receipt, token


def test_everything_of_a_report_commits_together(role, owner):
    with role("vigil_public"):
        receipt, _ = make_report()
    with owner():
        kind, report_id = resolve_number(receipt.number)
        assert kind == "report"
        assert set(Envelope.objects.filter(record_id=report_id).values_list("klass", flat=True)) == {
            "narrative", "contact", "link", "thread",
        }  # fmt: skip
        assert list(Event.objects.filter(subject_id=report_id).values_list("kind", flat=True)) == [
            "intake.report_submitted"
        ]
        assert Thread.objects.get(report_id=report_id).state == "received"
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE args->>'event_id' IS NOT NULL")
            assert cursor.fetchone()[0] == 1


def test_a_failure_at_the_last_moment_leaves_nothing_but_the_draft(role, owner, monkeypatch):
    from vigil.audit import services as audit

    def fail(**_: object) -> None:
        raise RuntimeError("power cut")

    with role("vigil_public"):
        token = make_draft()
        monkeypatch.setattr(audit, "record", fail)
        with pytest.raises(RuntimeError), transaction.atomic():
            services.submit_report(token=token, language="en", at=NOON)
        monkeypatch.undo()
        assert services.was_sent(token) is False
        receipt = services.submit_report(token=token, language="en", at=NOON).receipt
    with owner():
        assert [report.number for report in Report.objects.all()] == [receipt.number]
        assert Event.objects.count() == 1


def test_the_public_role_can_write_reports_and_read_none(role):
    with role("vigil_public"):
        make_report()
        for table in ("intake_report", "intake_reportlink", "intake_thread", "intake_message"):
            for statement in (f"SELECT 1 FROM {table}", f"DELETE FROM {table}"):
                with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                    connection.cursor().execute(statement)
        for statement in ("UPDATE intake_report SET contact = NULL", "UPDATE intake_thread SET state = 'closed'"):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                connection.cursor().execute(statement)


@pytest.mark.parametrize(
    "door", ["vigil_console", "vigil_partner", "vigil_wire", "vigil_crawl", "vigil_stats", "vigil_index"]
)
def test_drafts_belong_to_the_public_door_alone(role, owner, door):
    with role("vigil_public"):
        make_draft()
    with role(door), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("SELECT 1 FROM intake_draft")


@pytest.mark.parametrize("door", ["vigil_partner", "vigil_wire", "vigil_crawl", "vigil_index"])
def test_reports_are_not_for_the_other_doors(role, door):
    with role(door), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("SELECT 1 FROM intake_report")


def test_figures_are_counted_without_words(role):
    with role("vigil_public"):
        make_report()
    with role("vigil_stats"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), min(language) FROM intake_report")
            assert cursor.fetchone() == (1, "en")
        assert selectors.reports_between(NOON, NOON + timedelta(hours=1)) == [("web", "en")]
        assert selectors.reports_between(NOON - timedelta(hours=1), NOON) == []
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute("SELECT narrative FROM intake_report")


def test_staff_without_an_actor_see_an_error_and_not_an_empty_table(role):
    with role("vigil_public"):
        make_report()
    with role("vigil_console"), pytest.raises(Exception, match=r"vigil\.actor|uuid"), transaction.atomic():
        list(Report.objects.all())


def test_an_incomplete_draft_is_not_sent(role):
    with role("vigil_public"):
        token = make_draft(narrative="", links=[], handles=[])
        with pytest.raises(DraftIncomplete) as error:
            services.submit_report(token=token, language="en", at=NOON)
        assert error.value.fields == {"details": "missing"}
        with pytest.raises(DraftNotFound):
            services.submit_report(token=receipts.new_token(), language="en", at=NOON)


def test_a_sent_draft_cannot_be_changed_and_holds_no_answers(role, owner):
    with role("vigil_public"):
        _, token = make_report()
        with pytest.raises(DraftAlreadySent):
            services.save_draft(token=token, change=lambda draft: None, at=NOON)
        draft = services.load_draft(token=token, at=NOON)
        assert draft is not None and draft.answers == {} and draft.typed == {}


def test_a_number_that_is_taken_is_replaced_by_the_next_one(role, owner):
    token = receipts.new_token()
    with owner():
        Number.objects.create(number=receipt_of(token).number, kind="case", subject_id=uuid4())
    with role("vigil_public"):
        receipt, _ = make_report(token)
        assert receipt.number == receipt_of(token, 1).number
        assert services.open_thread(number=receipt.number, secret=receipt.secret).state == "received"


def test_follow_ups_of_situations_that_were_taken_back_are_not_stored(role, owner):
    with role("vigil_public"):
        make_report(situations=["other"], identifiable="yes", deadline="yes")
    with owner():
        assert Report.objects.get().answers == {
            "danger": "no", "who": "saw", "situations": ["other"], "contact": "yes",
        }  # fmt: skip


def test_two_people_pressing_send_at_once_make_one_report(transactional_db):
    token = make_draft()
    results: list[object] = []

    def send() -> None:
        try:
            results.append(services.submit_report(token=token, language="en", at=NOON).receipt)
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(repr, results))) == 1 and len({result.secret for result in results}) == 1
    assert Report.objects.count() == Event.objects.count() == 1


def test_a_wrong_secret_and_a_wrong_number_are_one_error(role):
    with role("vigil_public"):
        receipt, _ = make_report()
        for number, secret in [
            (receipt.number, "0" * 16),
            ("7K3M9Q2X4A", receipt.secret),
            ("", ""),
            (receipt.number, ""),
        ]:
            with pytest.raises(NoSuchThread) as error:
                services.open_thread(number=number, secret=secret)
            assert str(error.value) == "thread.not_opened"


def test_expired_drafts_are_deleted_by_the_tick(role, owner):
    with role("vigil_public"):
        make_draft()
    with role("vigil_worker"):
        jobs.delete_expired_drafts(NOON + timedelta(hours=1, minutes=59))
    with owner():
        assert Draft.objects.count() == 1
    with role("vigil_worker"):
        jobs.delete_expired_drafts(NOON + timedelta(hours=2, seconds=1))
    with owner():
        assert Draft.objects.count() == 0


# ---- any bytes -----------------------------------------------------------------------------------------------------
HARD_TEXT = st.text(max_size=400) | st.binary(max_size=200).map(lambda data: data.decode("latin-1"))


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    narrative=HARD_TEXT, link=HARD_TEXT, handle=HARD_TEXT, contact=HARD_TEXT,
    codes=st.lists(st.sampled_from([*sorted(signals.SOME_OF["situations"]), "nonsense", ""]), max_size=4),
    who=st.sampled_from(["me", "saw", "x", ""]),
)  # fmt: skip
def test_any_bytes_become_a_report_or_an_error_on_the_page(public, narrative, link, handle, contact, codes, who):
    from vigil.intake.tests.conftest import Browser

    with transaction.atomic():
        browser = Browser()
        browser.get("/en/report/danger")
        pages = {
            "danger": {"danger": "yes"},
            "for-whom": {"who": who, "age_band": "16_17"},
            "about": {"situations": codes},
            "details": {"narrative": narrative, "link_0": link, "handle_0": handle},
            "contact": {"contact_way": contact},
            "check": {"action": "send"},
        }
        for step, fields in pages.items():
            browser.post(f"/en/report/{step}", **fields)
            assert browser.page.status_code in {200, 422}, (step, browser.page.status_code)
            if browser.page.status_code == 422:
                assert "There is a problem" in browser.text
                break
        else:
            assert browser.path == "/en/report/sent"
        transaction.set_rollback(True)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=2048),
    kind=st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]),
)
def test_any_body_is_answered_and_never_a_500(public, body, kind):
    with transaction.atomic():
        public.get("/en/report/danger")
        token = public._token("/en/report/danger")
        response = public.client.post(
            "/en/report/danger", body, content_type=kind, secure=True,
            headers={"origin": "https://report.localhost", "x-csrftoken": token},
        )  # fmt: skip
        assert response.status_code in {303, 400, 403, 422}
        transaction.set_rollback(True)


def test_a_file_is_never_taken(public):
    from django.core.files.uploadedfile import SimpleUploadedFile

    public.get("/en/report/danger")
    token = public._token("/en/report/danger")
    response = public.client.post(
        "/en/report/danger",
        {"danger": "no", "csrfmiddlewaretoken": token, "file": SimpleUploadedFile("a.png", b"not a picture")},
        secure=True,
        headers={"origin": "https://report.localhost"},
    )
    assert response.status_code in {400, 403}
    assert "__Host-s" not in public.client.cookies


# ---- staff ---------------------------------------------------------------------------------------------------------
def _committed_report(**changes: object) -> tuple[receipts.Receipt, object]:
    receipt, _ = make_report(**changes)
    return receipt, Report.objects.get(number=receipt.number).id


def test_reading_moves_received_to_read_once_and_never_back(role, owner, make_person):
    analyst = make_person(roles={"intake_analyst"})
    with role("vigil_public"):
        make_report()
    with role("vigil_console", actor=analyst):
        report_id = Report.objects.get().id
        assert services.mark_read(actor=analyst, report_id=report_id, at=NOON) is True
        assert services.mark_read(actor=analyst, report_id=report_id, at=NOON) is False
        assert selectors.report_summary(report_id).state == "read"


def test_only_an_analyst_may_read_or_ask(role, make_person):
    assessor = make_person(roles={"assessor"})
    with role("vigil_public"):
        make_report()
    with role("vigil_console", actor=assessor):
        report_id = Report.objects.get().id
        with pytest.raises(NotPermitted):
            services.mark_read(actor=assessor, report_id=report_id, at=NOON)
        with pytest.raises(NotPermitted):
            services.ask_reporter(actor=assessor, report_id=report_id, text="?", at=NOON, ticket="t")


def test_a_summary_counts_and_opens_nothing(role, make_person):
    analyst = make_person(roles={"intake_analyst"})
    with role("vigil_public"):
        receipt, _ = make_report()
    with role("vigil_console", actor=analyst):
        summary = selectors.report_summary(Report.objects.get().id)
    assert (summary.number, summary.link_count, summary.handle_count) == (receipt.number, 2, 1)
    assert summary.has_narrative and summary.has_contact and not summary.under_18


def test_question_and_answer_travel_through_the_key_process(transactional_db, keyd_server, role, make_person):
    analyst = make_person(roles={"intake_analyst"})
    receipt, report_id = _committed_report()
    with role("vigil_console", actor=analyst):
        services.ask_reporter(actor=analyst, report_id=report_id, text="Which page was it?", at=NOON, ticket="incident")
    with role("vigil_public"):
        thread = services.open_thread(number=receipt.number, secret=receipt.secret)
        assert thread.state == "question"
        assert [(message.direction, message.text) for message in thread.messages] == [("staff", "Which page was it?")]
        once = uuid4()
        assert services.add_message(number=receipt.number, secret=receipt.secret, text="Page 7.", once=once, at=NOON)
        assert not services.add_message(
            number=receipt.number, secret=receipt.secret, text="Page 7.", once=once, at=NOON
        )
        assert services.open_thread(number=receipt.number, secret=receipt.secret).state == "read"
    with role("vigil_console", actor=analyst):
        words = selectors.thread_words(report_id=report_id, actor=analyst, purpose="casework.view", ticket="incident")
        assert [message.text for message in words] == ["Which page was it?", "Page 7."]
        services.close_thread(actor=analyst, report_id=report_id, at=NOON)
        with pytest.raises(QuestionNotAsked):
            services.ask_reporter(actor=analyst, report_id=report_id, text="More?", at=NOON, ticket="incident")
    with role("vigil_public"), pytest.raises(QuestionNotAsked):
        services.add_message(number=receipt.number, secret=receipt.secret, text="More.", once=uuid4(), at=NOON)


def test_what_was_written_is_opened_for_a_purpose_and_refused_for_another(
    transactional_db, keyd_server, role, make_person
):
    analyst = make_person(roles={"intake_analyst"})
    _, report_id = _committed_report()
    with role("vigil_console", actor=analyst):
        words = selectors.report_words(report_id=report_id, actor=analyst, purpose="casework.view", ticket="incident")
        assert words.narrative == "A page with pictures was reported."
        assert [(kind, text) for _, kind, text in words.links] == [
            ("link", "https://pictures.example/page/7"), ("link", "pictures.example/8"), ("handle", "name123"),
        ]  # fmt: skip
        assert words.contact == {"contact_name": "Sam", "contact_way": "sam@mail.example", "may_share": "yes"}
        with pytest.raises(VigilError) as refused:
            selectors.report_words(report_id=report_id, actor=analyst, purpose="curiosity", ticket="incident")
        assert refused.value.code == "keyd.refused"


def test_links_get_their_index_and_are_sealed_for_the_crawl_without_being_seen(
    transactional_db, keyd_server, role, make_person
):
    analyst = make_person(roles={"intake_analyst"})
    _, first = _committed_report(links=["https://pictures.example/page/7"])
    _, second = _committed_report(links=["HTTPS://PICTURES.example:443/page/7#top", "pictures.example/9"])
    with role("vigil_worker"):
        assert services.index_links(actor=SYSTEM, report_id=first) == 1
        assert services.index_links(actor=SYSTEM, report_id=second) == 2
        assert services.index_links(actor=SYSTEM, report_id=second) == 2  # again
        assert selectors.reports_with_link_like(first) == [second]
    with role("vigil_console", actor=analyst):
        places = services.seal_links_for_crawl(actor=analyst, report_id=second, purpose="casework.fetch", ticket="t")
    assert [place.error for place in places] == ["", ""]
    assert places[0].url_sealed and b"pictures" not in places[0].url_sealed
    assert ReportLink.objects.filter(report_id=second, kind="handle", blind_index__isnull=False).count() == 0
    assert Message.objects.count() == 0


# ---- small parts ---------------------------------------------------------------------------------------------------
@given(token=st.binary(min_size=32, max_size=32))
def test_a_token_always_becomes_the_same_readable_receipt(token):
    receipt = receipt_of(token)
    assert receipt == receipt_of(token)
    assert parse_number(receipt.shown_number) == receipt.number
    assert receipts.parse_secret(receipt.shown_secret.lower()) == receipt.secret
    assert receipts.token_from(receipts.token_text(token)) == token
    assert receipt.secret not in repr(receipt)


@given(text=st.text(max_size=60))
def test_any_typed_secret_is_read_or_refused(text):
    assert len(receipts.parse_secret(text)) in {0, 16}
    assert receipts.token_from(text) is None or len(text) == 43


def test_sending_needs_few_statements_and_one_transaction(role):
    from django.test.utils import CaptureQueriesContext

    with role("vigil_public"):
        token = make_draft()
        with CaptureQueriesContext(connection) as sent:
            services.submit_report(token=token, language="en", at=NOON)
    statements = [query["sql"] for query in sent.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) <= 14, statements
    assert sum("core_envelope" in statement for statement in statements) == 1
    assert sum("intake_reportlink" in statement for statement in statements) == 1
