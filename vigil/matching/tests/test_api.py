"""The protocol door, under its role: keys, the feed with its tombstones, look-ups, and bad input."""

import json
import secrets

import pytest
from django.conf import settings
from django.db import connection

from vigil.accounts import services as accounts
from vigil.core import clock
from vigil.core.ids import new_id
from vigil.matching import services


@pytest.fixture
def administrator(make_person):
    return make_person(roles={"administrator"})


@pytest.fixture
def make_key(administrator, role):
    def make_key(*scopes):
        with role("vigil_console", administrator):
            return accounts.create_api_key(
                actor=administrator, holder_kind="provider", holder_id=new_id(), name="Demo program", scopes=scopes,
                at=clock.now(),
            )  # fmt: skip

    return make_key


@pytest.fixture
def call(client, role):
    """One request at the protocol origin under its role: (status, answer)."""

    def call(method, path, *, key=None, body=None, raw=None):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        data = raw if raw is not None else json.dumps(body) if body is not None else None
        with role("vigil_wire"):
            response = client.generic(
                method, path, data or "", content_type="application/json", headers=headers,
                HTTP_HOST=settings.HOST_OF_ORIGIN["wire"],
            )  # fmt: skip
        answer = response.json()
        assert answer.get("error", {}).get("status", response.status_code) == response.status_code
        return response.status_code, answer

    return call


def test_a_subscriber_reads_the_feed_page_by_page_without_gaps(call, make_key, publish):
    key, entries = make_key("feed.read").key, [publish() for _ in range(3)]
    seen, after = [], 0
    while True:
        status, answer = call("GET", f"/v1/feed?after={after}&limit=2", key=key)
        assert (status, answer["feed_version"]) == (200, 3)
        if not answer["changes"]:
            break
        seen += answer["changes"]
        after = seen[-1]["version"]
    assert [row["version"] for row in seen] == [1, 2, 3]
    assert [row["hashes"]["sha256"] for row in seen] == [bytes(entry.sha256).hex() for entry in entries]
    assert {len(row["hashes"]["pdq"]) for row in seen} == {64} and {row["change"] for row in seen} == {"publish"}


def test_a_withdrawn_entry_is_a_tombstone_and_its_hashes_are_in_no_answer(call, make_key, publish):
    key, (entry, other) = make_key("feed.read", "list.lookup").key, (publish(), publish())
    publish.withdraw(entry)
    _, answer = call("GET", "/v1/feed", key=key)
    assert [(row["version"], row["change"], row["hashes"] is None) for row in answer["changes"]] == [
        (1, "publish", True), (2, "publish", False), (3, "withdraw", True),
    ]  # fmt: skip
    assert answer["changes"][0]["entry"] == answer["changes"][2]["entry"] == str(entry.id)
    assert bytes(entry.sha256).hex() not in json.dumps(answer) and bytes(other.sha256).hex() in json.dumps(answer)
    found = call("POST", "/v1/lookup", key=key, body={"sha256": bytes(entry.sha256).hex()})
    assert found == (200, {"feed_version": 3, "matches": []})


def test_a_look_up_says_that_and_how_but_not_how_near(call, make_key, publish):
    key, pdq = make_key("list.lookup").key, secrets.token_bytes(32)
    entry = publish(pdq=pdq)
    near = (int.from_bytes(pdq, "big") ^ 0b111).to_bytes(32, "big")
    body = {"pdq": [secrets.token_hex(32), near.hex()]}
    assert call("POST", "/v1/lookup", key=key, body=body) == (
        200,
        {"feed_version": 1, "matches": [{"entry": str(entry.id), "match": "near"}]},
    )
    exact = {"sha256": bytes(entry.sha256).hex().upper(), "md5": bytes(entry.md5).hex(), **body}
    assert call("POST", "/v1/lookup", key=key, body=exact)[1]["matches"] == [{"entry": str(entry.id), "match": "exact"}]
    assert call("POST", "/v1/lookup", key=key, body={"md5": bytes(entry.md5).hex()})[1]["matches"][0]["match"] == "md5"


@pytest.mark.parametrize("method, path", [("GET", "/v1/feed"), ("POST", "/v1/lookup")])
def test_without_a_key_of_that_scope_there_is_no_answer(call, make_key, method, path, administrator, role):
    wrong = make_key("list.lookup" if "feed" in path else "feed.read").key
    ended = make_key("feed.read", "list.lookup")
    with role("vigil_console", administrator):
        accounts.end_api_key(actor=administrator, key_id=ended.id, at=clock.now())
    for key in (None, "vigil_0000_made-up", wrong, ended.key):
        status, answer = call(method, path, key=key, body={"sha256": "00" * 32})
        assert (status, answer["error"]["code"]) == (401, "accounts.key_unusable")


BAD_BODIES = [
    "", "{", "[]", "null", "{}", '{"pdq": []}', '{"pdq": ["00"]}', '{"pdq": "00"}', '{"sha256": "zz"}', '{"sha256": 7}',
    json.dumps({"sha256": "00" * 32 + "\n"}), json.dumps({"sha256": "00" * 32, "more": 1}), json.dumps({"md5": "00" * 32}),
    json.dumps({"pdq": ["00" * 32] * 65}), '{"pdq": ' + "[" * 5000 + "]" * 5000 + "}", "\udcff",
]  # fmt: skip


@pytest.mark.parametrize("raw", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_bad_request_is_refused_with_a_code_and_no_echo(call, make_key, raw):
    status, answer = call(
        "POST", "/v1/lookup", key=make_key("list.lookup").key, raw=raw.encode("utf-8", "surrogateescape")
    )
    assert (status, answer["error"]["code"]) == (400, "matching.bad_request")
    assert set(answer) == {"error"} and set(answer["error"]) == {"code", "status", "title"}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001", "after=99999999999999999999"])
def test_a_bad_query_is_refused(call, make_key, query):
    status, answer = call("GET", f"/v1/feed?{query}", key=make_key("feed.read").key)
    assert (status, answer["error"]["code"]) == (400, "matching.bad_request")


def test_more_than_a_quarter_of_a_mebibyte_is_refused(call, make_key):
    status, answer = call("POST", "/v1/lookup", key=make_key("list.lookup").key, raw=b" " * 300_000)
    assert status in {400, 413} and answer["error"]["code"] == "matching.bad_request"


def test_a_subscriber_from_the_future_is_told_to_begin_again(call, make_key, publish):
    publish()
    status, answer = call("GET", "/v1/feed?after=2", key=make_key("feed.read").key)
    assert (status, answer["error"]["code"]) == (409, "feed.ahead")


def test_a_list_that_cannot_be_read_is_503_and_never_an_empty_answer(call, make_key, publish, settings):
    entry, key = publish(), make_key("list.lookup").key
    services.build_snapshot()
    for path in settings.INDEX_DIR.glob("*/pdq.ring"):
        path.write_bytes(b"damaged")
    status, answer = call("POST", "/v1/lookup", key=key, body={"sha256": bytes(entry.sha256).hex()})
    assert (status, answer["error"]["code"]) == (503, "matching.list_unreadable") and "matches" not in answer


def test_each_call_is_in_the_audit_log_with_counts_and_without_hashes(call, make_key, publish, audit_rows):
    made, entry = make_key("feed.read", "list.lookup"), publish()
    call("GET", "/v1/feed", key=made.key)
    call("POST", "/v1/lookup", key=made.key, body={"sha256": bytes(entry.sha256).hex()})
    rows = audit_rows(made.id)[1:]
    assert [(row["action"], row["data"]) for row in rows] == [
        ("feed.read", {"after": 0, "rows": 1, "feed_version": 1}),
        ("list.lookup", {"matches": 1, "feed_version": 1}),
    ]
    assert bytes(entry.sha256).hex() not in json.dumps(rows)


def test_the_door_reads_neither_entries_nor_who_assessed_them(role):
    with role("vigil_wire"), connection.cursor() as cursor:
        for table in ("lists_entry", "lists_assessment", "lists_look", "accounts_person"):
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
            assert cursor.fetchone() == (False,), table
