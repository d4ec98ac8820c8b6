"""What a notice mail says is what we meant, whatever stands in the link, and XARF readers accept it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import xarf
from hypothesis import given
from hypothesis import strategies as st

from vigil.removal.wire import notice_mail as mail
from vigil.removal.wire.notice import Fingerprints, NoticeText, Sender, message_id, report_id
from vigil.removal.wire.places import defanged, target_of
from vigil.removal.wire.xarf_document import xarf_document

SEEN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
NOTICE = UUID("01890000-0000-7000-8000-000000000001")
URL = "http://pictures.example:8168/a/picture-7.png?size=2"


def make_text(**changes: object) -> NoticeText:
    text = NoticeText(
        notice_id=NOTICE,
        attempt_kind="notice",
        number="7K3M-9Q2-X4A",
        sender=Sender(
            "Demo Hotline", "Ligne de démonstration", "notices@hotline.example", "hotline.example", "555-0100"
        ),
        recipient="abuse@provider.example",
        url=URL,
        page_url="http://pictures.example:8168/gallery/1",
        server_address="198.51.100.7",
        first_seen_at=SEEN,
        verified_at=SEEN + timedelta(hours=2),
        written_at=SEEN + timedelta(hours=2, minutes=1),
        classification="baseline",
        exact=True,
        fingerprints=Fingerprints(sha256="a" * 64, md5="b" * 32, pdq="c" * 64),
        answer_url_en="http://partner.localhost:8162/en/answer/token",
        answer_url_fr="http://partner.localhost:8162/fr/reponse/token",
    )
    return replace(text, **changes)  # type: ignore[arg-type]


def test_a_mail_read_back_says_what_was_meant() -> None:
    text = make_text()

    read = mail.parsed_notice(bytes(mail.notice_mail(text)))

    assert read["to"] == "abuse@provider.example"
    assert read["from"] == "notices@hotline.example"
    assert read["subject"] == "Removal notice 7K3M-9Q2-X4A / Avis de retrait 7K3M-9Q2-X4A"
    assert read["date"] == text.written_at
    assert (read["content_type"], read["report_type"]) == ("multipart/report", "feedback-report")
    assert read["part_types"] == ["text/plain", "message/feedback-report", "application/json"]
    assert read["xarf"] == xarf_document(text)
    assert read["xarf"]["url"] == URL
    assert "hxxp://pictures[.]example:8168/a/picture-7.png?size=2" in read["text"]
    assert URL not in read["text"]
    assert text.answer_url_en in read["text"] and text.answer_url_fr in read["text"]


def test_both_languages_say_the_same_facts_english_first() -> None:
    english, french = mail.human_text(make_text()).split("-" * 68)

    for fact in (
        "7K3M-9Q2-X4A",
        "hxxp://pictures[.]example",
        "2026-03-01 10:00 UTC",
        "2026-03-01 12:00 UTC",
        "a" * 64,
        "198.51.100.7",
    ):
        assert fact in english and fact in french
    assert "asks you to remove" in english
    assert "vous demande de retirer" in french


def test_a_demonstration_says_so_in_both_languages() -> None:
    text = mail.human_text(make_text(is_demonstration=True))
    assert "DEMONSTRATION." in text and "DÉMONSTRATION." in text


@pytest.mark.parametrize("classification", ["baseline", "A1", "B2"])
def test_xarf_readers_accept_the_document_without_errors_or_warnings(classification: str) -> None:
    result = xarf.parse(xarf_document(make_text(classification=classification)))

    assert result.errors == []
    assert result.warnings == []
    assert result.report is not None and result.report.url == URL


def test_strict_xarf_asks_only_for_fields_that_make_no_sense_here() -> None:
    result = xarf.parse(xarf_document(make_text()), strict=True)

    missing = {error.message.split("'")[1] for error in result.errors}
    assert missing == {"target_brand", "ncmec_report_id"}


def test_no_part_carries_media_and_hashes_name_the_listed_file_only_when_it_is_that_file() -> None:
    exact, near = xarf_document(make_text()), xarf_document(make_text(exact=False))

    assert exact["hash_values"] == {"sha256": "a" * 64, "md5": "b" * 32}
    assert "hash_values" not in near
    assert near["confidence"] < exact["confidence"]
    assert [item["content_type"] for item in exact["evidence"]] == ["text/plain"]
    assert "a" * 64 not in mail.human_text(make_text(exact=False))


@pytest.mark.parametrize("classification", ["national", "harmful"])
def test_a_looser_classification_is_never_raised_to_make_it_fit(classification: str) -> None:
    text = make_text(classification=classification)

    with pytest.raises(ValueError, match="no XARF value"):
        xarf_document(text)
    read = mail.parsed_notice(bytes(mail.notice_mail(text)))
    assert read["part_types"] == ["text/plain", "message/feedback-report"]
    assert "xarf.json" not in read["text"]


def test_the_same_mail_twice_is_equal_in_every_byte_and_a_reminder_is_another_mail_in_the_same_thread() -> None:
    first, again = (bytes(mail.notice_mail(make_text())) for _ in range(2))
    reminder = mail.notice_mail(make_text(attempt_kind="reminder-1"))

    assert first == again
    assert reminder["Message-ID"] != message_id(NOTICE, "notice", "hotline.example")
    assert reminder["In-Reply-To"] == message_id(NOTICE, "notice", "hotline.example")
    assert "Reminder" in reminder["Subject"] and "Rappel" in reminder["Subject"]
    assert report_id(NOTICE, "notice").version == 4
    assert report_id(NOTICE, "notice") != report_id(NOTICE, "reminder-1")


HOSTILE = [
    "\r\nBcc: other@example.test",
    "\nSubject: x",
    "\r\n\r\nbody",
    "\0",
    "\u2028X: y",
    "\x0b",
    "\u202egnp.exe",
    "=?utf-8?q?=0D=0A?=",
]


@pytest.mark.parametrize("poison", HOSTILE)
def test_line_breaks_in_any_value_make_no_header_and_no_line_of_their_own(poison: str) -> None:
    honest = mail.notice_mail(make_text())
    text = make_text(
        url="http://pictures.example/a" + poison,
        page_url="http://pictures.example/b" + poison,
        classification="baseline" + poison,
    )

    read = mail.notice_mail(text)

    assert read.keys() == honest.keys()
    assert len(mail.human_text(text).splitlines()) <= len(mail.human_text(make_text()).splitlines())
    assert mail.parsed_notice(bytes(read))["to"] == "abuse@provider.example"


@pytest.mark.parametrize("poison", HOSTILE)
def test_an_address_or_number_with_anything_else_in_it_is_refused(poison: str) -> None:
    for changes in (
        {"recipient": "abuse@provider.example" + poison},
        {"recipient": poison + "abuse@provider.example"},
        {"number": "7K3M-9Q2-X4A" + poison},
        {"sender": replace(make_text().sender, email="notices@hotline.example" + poison)},
    ):
        with pytest.raises(ValueError, match=r"address|number"):
            mail.notice_mail(make_text(**changes))


@pytest.mark.parametrize(
    "address", ["", "abuse", "a@b", "A <a@b.example>", "a@b.example,c@d.example", "a b@c.example", "@b.example"]
)
def test_what_is_not_one_plain_address_is_not_mailable(address: str) -> None:
    assert not mail.is_mailable(address)


@given(path=st.text(max_size=60))
def test_any_link_stays_one_line_and_never_clickable(path: str) -> None:
    shown = defanged("https://pictures.example/" + path)

    assert len(shown.splitlines()) == 1
    assert shown.startswith("hxxps://pictures[.]example/")
    assert "https://pictures" not in shown


def test_targets_are_read_from_links() -> None:
    assert target_of("http://pictures.example:8168/a").port == 8168
    assert target_of("https://[2001:db8::1]/a") == target_of("https://[2001:db8::1]/b")
    assert target_of("https://[2001:db8::1]/a").is_address
    for wrong in ("ftp://pictures.example/", "pictures.example", "https:///x"):
        with pytest.raises(ValueError, match="address"):
            target_of(wrong)
