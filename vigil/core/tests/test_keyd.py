import pytest

from vigil.core import crypto, keyd
from vigil.core.actors import Actor
from vigil.core.addresses import NotAWebAddress, normalise
from vigil.core.ids import new_id
from vigil.core.models import Envelope

ANALYST = Actor(id=new_id(), kind="person", name="Demo Analyst")


def test_opening_is_audited_and_the_envelope_is_cleared(transactional_db, keyd_server, role, audit_rows):
    record, row = new_id(), new_id()
    blob = crypto.new_data_key(record_id=record, klass="narrative").encrypt("words", table="t", column="c", row_id=row)
    with role("vigil_console", ANALYST):
        key = keyd.open_key(record_id=record, klass="narrative", purpose="casework.view", actor=ANALYST, ticket="T")
    assert key.decrypt(blob, table="t", column="c", row_id=row) == "words"
    assert not Envelope.objects.filter(record_id=record).exists()
    (row,) = audit_rows(record)
    assert (row["action"], row["actor"], row["data"]["ticket"]) == ("key.open", str(ANALYST.id), "T")


@pytest.mark.parametrize("door", ["vigil_public", "vigil_wire", "vigil_crawl", "vigil_partner", "vigil_worker"])
def test_a_process_without_a_grant_is_refused_and_the_refusal_is_audited(
    transactional_db, keyd_server, role, audit_rows, door
):
    record = new_id()
    crypto.new_data_key(record_id=record, klass="contact")
    with role(door, ANALYST), pytest.raises(keyd.KeydRefused):
        keyd.open_key(record_id=record, klass="contact", purpose="casework.view", actor=ANALYST, ticket="T")
    assert [row["action"] for row in audit_rows(record)] == ["key.refused"]


def test_a_wrong_token_opens_nothing(transactional_db, keyd_server, role, monkeypatch):
    record = new_id()
    crypto.new_data_key(record_id=record, klass="narrative")
    monkeypatch.setattr(keyd, "secret", lambda name: "wrong")
    with role("vigil_console", ANALYST), pytest.raises(keyd.KeydRefused):
        keyd.open_key(record_id=record, klass="narrative", purpose="casework.view", actor=ANALYST, ticket="T")


def test_links_are_sealed_for_the_crawl_without_their_text_coming_back(transactional_db, keyd_server, role):
    record, good, bad = new_id(), new_id(), new_id()
    key = crypto.new_data_key(record_id=record, klass="link")
    items = [(link, key.encrypt(text, table="intake_reportlink", column="value", row_id=link), "intake_reportlink", "value")
             for link, text in ((good, "HTTP://Pictures.example:80/a#b"), (bad, "not a link"))]  # fmt: skip
    with role("vigil_console", ANALYST):
        sealed, unusable = keyd.seal_places(
            items=items, record_id=record, purpose="casework.fetch", actor=ANALYST, ticket="T"
        )
        assert keyd.open_place(
            place_id=new_id(), url_sealed=sealed.url_sealed, purpose="casework.view", actor=ANALYST, ticket="T"
        ) == ("http://pictures.example/a")
    with role("vigil_crawl"):
        crawl_key = keyd.crawl_key()
    assert unusable.error == "address.not_web" and unusable.url_sealed == b""
    assert crawl_key.digest("http://pictures.example/a") == sealed.url_digest
    assert crawl_key.open(sealed.host_sealed) == "pictures.example"


def test_no_key_process_means_unavailable_and_nothing_opened(db, role, settings, tmp_path):
    settings.KEYD_SOCKET = tmp_path / "nobody.sock"
    with role("vigil_console", ANALYST), pytest.raises(keyd.KeydUnavailable):
        keyd.open_key(record_id=new_id(), klass="narrative", purpose="casework.view", actor=ANALYST, ticket="T")


@pytest.mark.parametrize(
    "text", ["", "mailto:a@b.example", "javascript:1", "ftp://a.example/", "word", "http://", "data:text/plain,x"]
)
def test_what_is_no_web_address_is_refused(text):
    with pytest.raises(NotAWebAddress):
        normalise(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.org/a b#c", "https://example.org/a%20b"),
        ("http://user:word@Example.ORG:80/x/../y", "http://example.org/y"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
    ],
)
def test_addresses_have_one_normal_form(text, expected):
    assert normalise(text) == expected
