import pickle

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from vigil.core import crypto
from vigil.core.ids import new_id
from vigil.core.keyd_store import KeyStore, root_key_from
from vigil.core.models import Envelope


@given(st.text(max_size=2000))
def test_a_field_opens_only_in_its_own_place(text):
    record, row = new_id(), new_id()
    key = crypto.DataKey(record, "narrative", b"k" * 32)
    blob = key.encrypt(text, table="t", column="c", row_id=row)
    assert key.decrypt(blob, table="t", column="c", row_id=row) == text
    for place in ({"table": "u", "column": "c", "row_id": row}, {"table": "t", "column": "d", "row_id": row},
                  {"table": "t", "column": "c", "row_id": new_id()}):  # fmt: skip
        with pytest.raises(crypto.Undecryptable):
            key.decrypt(blob, **place)
    with pytest.raises(crypto.Undecryptable):
        crypto.DataKey(record, "link", b"k" * 32).decrypt(blob, table="t", column="c", row_id=row)


def test_a_changed_bit_is_refused_and_nothing_comes_back():
    blob = crypto.encrypt(b"k" * 32, b"words", context="x")
    for place in range(0, len(blob), 7):
        broken = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(crypto.Undecryptable):
            crypto.decrypt(b"k" * 32, broken, context="x")


def test_the_length_of_short_texts_does_not_show():
    assert len(crypto.encrypt(b"k" * 32, b"a", context="x")) == len(crypto.encrypt(b"k" * 32, b"a" * 200, context="x"))


def test_a_data_key_is_not_printed_or_pickled():
    key = crypto.DataKey(new_id(), "link", b"secret-bytes-that-must-not-show!")
    assert "secret" not in repr(key) + str(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_what_is_sealed_can_be_opened_by_the_key_store_alone(db, tmp_path, settings):
    store = KeyStore(tmp_path, root_key_from("c2VlZC1mb3ItYS10ZXN0LW9ubHktMzItYnl0ZXMtIQ"))
    settings.SEALING_KEY_FILE = tmp_path / "public" / "sealing.json"
    store.publish_sealing_key(settings.SEALING_KEY_FILE)
    record = new_id()
    key = crypto.new_data_key(record_id=record, klass="link")
    envelope = Envelope.objects.get(record_id=record)
    assert key.secret not in bytes(envelope.sealed)
    assert store.unseal(envelope.key_id, envelope.sealed, record, "link") == key.secret
    with pytest.raises(InvalidTag):
        store.unseal(envelope.key_id, envelope.sealed, record, "contact")


def test_the_key_store_keeps_keys_wrapped_and_over_a_restart(tmp_path):
    root, record, secret = (
        root_key_from("c2VlZC1mb3ItYS10ZXN0LW9ubHktMzItYnl0ZXMtIQ"),
        new_id(),
        b"0123456789abcdef0123456789abcdef",
    )
    KeyStore(tmp_path, root).put(record, "link", secret)
    again = KeyStore(tmp_path, root)
    assert again.get(record, "link") == secret
    assert again.get(record, "contact") is None
    assert secret not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert again.crawl_key().secret == KeyStore(tmp_path, root).crawl_key().secret
