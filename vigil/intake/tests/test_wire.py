"""Lists and mails of partners: any bytes become lines, each a report or refused with a reason; nothing is dropped."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.intake.wire import lines, mail
from vigil.intake.wire.lines import Line, RefusedLine, parse_list
from vigil.intake.wire.text import decode

HOST = "https://pictures.example"


def only(text):
    (found,) = parse_list(text)
    return found


# ---- text ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        "é ; note".encode(),
        b"\xef\xbb\xbf" + "é ; note".encode(),
        "\ufeffé ; note".encode("utf-16-le"),
        "\ufeffé ; note".encode("utf-16-be"),
        "é ; note".encode("utf-16-le"),
        "é ; note".encode("utf-16-be"),
        "é ; note".encode("cp1252"),
    ],
)
def test_what_spreadsheets_write_is_read(data):
    assert decode(data) == "é ; note"


@given(st.binary(max_size=400))
def test_any_bytes_become_text_without_control_characters(data):
    assert not set(decode(data)) & {"\x00", "\x1b", "\r"}


# ---- lines --------------------------------------------------------------------------------------------------------------
def test_a_line_is_a_link_a_category_and_a_note():
    line = only(f"{HOST}/a ; threat ; sent by a helpline; urgent")
    assert (line.link, line.situation, line.note) == (f"{HOST}/a", "threat", "sent by a helpline ; urgent")


def test_category_and_note_may_be_left_out():
    assert (only(f"{HOST}/a").situation, only(f"{HOST}/a").note) == (lines.USUAL, "")
    assert only(f"{HOST}/a ; seen by a teacher").note == "seen by a teacher"


@pytest.mark.parametrize(("word", "code"), [("Sextorsion", "threat"), ("ia", "ai_image"), ("traite", "trafficking")])
def test_categories_are_understood_in_both_languages(word, code):
    assert only(f"{HOST}/a;{word}").situation == code


@pytest.mark.parametrize(
    "written",
    [
        "hxxps://pictures[.]example/a",
        "hxxps[:]//pictures[.]example/a",
        "pictures.example/a",
        '"https://pictures.example/a"',
    ],
)
def test_links_that_were_made_harmless_are_read(written):
    assert only(written).place == f"{HOST}/a"


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("link;category;note", f"{HOST}/a;threat;words, more"),
        ("note,link,category", f'"words, more",{HOST}/a,threat'),
        ("Lien\tCatégorie\tRemarque", f"{HOST}/a\tmenace\twords, more"),
        ("url;type;reference;note", f"{HOST}/a;threat;words, more;"),
    ],
)
def test_a_table_names_its_columns_in_either_language_and_order(head, row):
    found = parse_list(f"{head}\n{row}") if "reference" not in head else parse_list(f"url;type;note\n{row}")
    assert [(line.number, line.place, line.situation, line.note) for line in found] == [
        (2, f"{HOST}/a", "threat", "words, more")
    ]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("Best regards,", "line.no_link"),
        ("mailto:a@b.example", "line.no_link"),
        ('=HYPERLINK("https://pictures.example")', "line.formula"),
        ("@SUM(A1)", "line.formula"),
        (f"{HOST}/{'a' * 2100}", "line.link_too_long"),
        (f"{HOST}/a;{'b' * 2100}", "line.note_too_long"),
        ("javascript:alert(1)", "line.no_link"),
    ],
)
def test_what_is_no_report_is_refused_with_its_reason_and_its_text(raw, code):
    found = only(raw)
    assert isinstance(found, RefusedLine) and (found.code, found.raw) == (code, raw)


def test_lines_past_the_limit_are_refused_one_by_one():
    found = parse_list("\n".join(f"{HOST}/{n}" for n in range(5)), most_rows=3)
    assert [isinstance(each, Line) for each in found] == [True, True, True, False, False]
    assert {each.code for each in found[3:]} == {"line.too_many"}


@given(st.text(max_size=600))
def test_every_line_that_says_something_gets_one_answer(text):
    text = decode(text.encode())
    wanted = [raw for raw in text.split("\n") if raw.strip() and not raw.lstrip().startswith("#")]
    assert len(parse_list(text)) in {len(wanted), max(0, len(wanted) - 1)}


def test_a_table_for_a_spreadsheet_holds_no_formula():
    table = lines.as_csv([["=1+1", "-2", "@x", "+3", "plain; text"]])
    assert table == "'=1+1;'-2;'@x;'+3;\"plain; text\"\r\n"
    assert isinstance(only("'https://pictures.example/a;b"), Line)


# ---- mails --------------------------------------------------------------------------------------------------------------
def a_mail(text="", html="", **headers):
    message = EmailMessage()
    message["Message-ID"] = "<1@partner.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if text:
        message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html") if text else message.set_content(html, subtype="html")
    return message


def test_the_plain_text_is_preferred_and_the_signature_left_out():
    read = mail.read_mail(bytes(a_mail(f"{HOST}/a\n-- \nSomebody\nhttps://partner.example", "<p>other</p>")))
    assert (read.text, read.is_list, read.message_id) == (f"{HOST}/a", True, "<1@partner.example>")


def test_html_alone_becomes_lines_without_scripts():
    html = (
        "<html><head><title>t</title><style>p{}</style></head><body><div>https://pictures.example/a&nbsp;; threat</div>"
        "<script>alert(1)</script><p><a href='https://pictures.example/b'>here</a></p></body></html>"
    )
    read = mail.read_mail(bytes(a_mail(html=html)))
    assert read.text.split("\n") == ["https://pictures.example/a ; threat", "here https://pictures.example/b"]


def test_attachments_are_counted_and_never_decoded(monkeypatch):
    message = a_mail(f"{HOST}/a")
    message.add_attachment(b"\xff\xd8canary", maintype="image", subtype="jpeg", filename="a.jpg")
    message.add_attachment("https://attached.example/x", filename="list.txt")
    message.add_attachment(a_mail("https://inside.example/x"))
    decoded = []
    real = EmailMessage.get_payload

    def watched(self, i=None, decode=False):
        if decode:
            decoded.append(self.get_content_type() + (self.get_filename() or ""))
        return real(self, i, decode)

    monkeypatch.setattr("email.message.EmailMessage.get_payload", watched)
    monkeypatch.setattr("email.message.MIMEPart.get_payload", watched)
    read = mail.read_mail(bytes(message))

    assert (read.attachments, read.text) == (3, f"{HOST}/a")
    assert decoded == ["text/plain"]


def test_a_mail_in_words_is_one_report_with_its_links():
    read = mail.read_mail(bytes(a_mail(f"Hello,\nplease look at {HOST}/a and hxxps://b[.]example/c.\nThanks")))
    assert not read.is_list
    assert lines.links_in(read.text) == [f"{HOST}/a", "https://b.example/c"]


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"List_Id": "<a.b.example>"}]
)
def test_what_a_program_wrote_is_known_as_such(headers):
    assert mail.read_mail(bytes(a_mail("x", **headers))).is_automatic
    assert not mail.read_mail(bytes(a_mail("x"))).is_automatic


def test_a_message_id_that_could_inject_a_header_is_no_message_id():
    raw = b"Message-ID: <a@b>\r\n\tBcc: x@y.example\r\n\r\nhttps://pictures.example/a"
    assert mail.read_mail(raw).message_id == "<a@b>"
    assert mail.read_mail(b"Message-ID: <a b>\r\n\r\nx").message_id == ""


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "utf-16", "x-unknown", "us-ascii"])
def test_any_charset_gives_text(charset):
    body = "https://pictures.example/a ; école".encode(
        {"x-unknown": "utf-8", "us-ascii": "utf-8"}.get(charset, charset)
    )
    import base64

    raw = (
        f'Content-Type: text/plain; charset="{charset}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'.encode()
        + base64.encodebytes(body)
    )
    assert mail.read_mail(raw).text == "https://pictures.example/a ; école"


@given(st.binary(max_size=2000))
def test_any_bytes_are_a_mail(data):
    mail.read_mail(data)


@given(st.text(alphabet='Content-Type: multipart/mixed;boundary="x\r\n', max_size=300))
def test_broken_headers_are_a_mail(text):
    mail.read_mail(text.encode())
