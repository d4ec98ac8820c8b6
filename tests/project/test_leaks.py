"""Nothing that a reporter says, and nothing that opens a report, stands anywhere that the running system writes to."""

import base64
import gzip
import hashlib
import os
import re
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.project.leaks import files_under, forms_of, hits
from vigil.core import postgres
from vigil_demo.browser import Browser
from vigil_demo.mail import read_folder
from vigil_demo.play import NUMBER
from vigil_demo.provider import read_notice
from vigil_demo.run import WORLD_PORT

ORIGINS = {"report": 0, "console": 1, "partner": 2, "api": 3}
PARTS = {"Content-Type": "multipart/form-data; boundary=x"}
UNFINISHED = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
MAKE_LINK = (
    "from vigil_demo.staff import make_link; from vigil.core import clock; print(make_link({key!r}, clock.now()))"
)


@dataclass
class Planted:
    """What was planted: the mark that is part of every planted text, and what the reporter was given."""

    mark: str
    places: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def __call__(self, place: str) -> str:
        """A text to plant at one place: a word that has the mark in it."""
        self.places.append(place)
        return f"{place}{self.mark}z"


def run_dir(var):
    return Path(f"/tmp/vigil-{os.geteuid()}-{hashlib.sha256(str(var).encode()).hexdigest()[:12]}")


def password(var):
    return (var / "secrets" / "postgres.password").read_text().strip()


def connect(var):
    socket = str(run_dir(var) / "pg")
    return psycopg.connect(host=socket, user="postgres", password=password(var), dbname="vigil", autocommit=True)


def query(var, statement, *values):
    with connect(var) as connection:
        return connection.execute(statement, values).fetchall()


def change(var, statement):
    with connect(var) as connection:
        connection.execute(statement)


def wait_for(what, condition, *, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.2)


def origin_url(played, name):
    return f"http://{name}.localhost:{played.port_base + ORIGINS[name]}"


def signed_in(played, key, origin):
    """The browser of a member of staff of the demonstration."""
    made = played.command("manage", "shell", "--no-imports", "-c", MAKE_LINK.format(key=key))
    assert made.returncode == 0, made.stderr[-500:]
    browser = Browser(origin_url(played, origin))
    browser.get(made.stdout.split()[-1]).expect()
    return browser.submit(browser.form(having="csrfmiddlewaretoken")).expect()


# ---- what people do ------------------------------------------------------------------------------------------------
def send_report(played, planted):
    """Send one report that has the mark in every field, with a wrong try at every page that can refuse."""
    browser = Browser(origin_url(played, "report"))
    browser.get("/en/report/danger").expect()
    press = {"press": ("action", "next")}
    browser.submit(browser.form(having="action"), danger="no", **press).expect()
    browser.submit(browser.form(having="action"), who="saw", **press).expect()
    browser.submit(browser.form(having="action"), situations=["seen_material"], **press).expect()
    form = browser.form(having="action")
    browser.submit(form, link_0=planted("no link "), narrative="x" * 30_000 + planted("toolong"), **press).expect(422)
    browser.submit(
        browser.form(having="action"), press=("action", "add_link"), link_0="", narrative=planted("draft")
    ).expect()
    browser.submit(
        browser.form(having="action"),
        link_0=f"http://{planted('host')}.localhost:{played.port_base + WORLD_PORT}/{planted('path')}?{planted('query')}=1",
        link_1=f"https://{planted('other')}.example/{planted('path')}",
        handle_0=planted("handle"),
        narrative=f"A page with pictures was reported. {planted('narrative')}",
        **press,
    ).expect()
    browser.submit(browser.form(having="action"), contact_way=planted("contactlong") * 40, **press).expect(422)
    contact = {name: planted(name.replace("_", "")) for name in ("contact_name", "contact_way", "contact_safe")}
    browser.submit(browser.form(having="action"), **contact, may_share="yes", **press).expect()
    planted.texts["cookie"] = browser.cookies["__Host-s"]
    browser.submit(browser.form(having="action"), press=("action", "send")).expect()
    number = NUMBER.search(browser.words()).group()
    secret = re.search(r"\b(?:[0-9A-HJKMNP-TV-Z]{4}[-\s]){3}[0-9A-HJKMNP-TV-Z]{4}\b", browser.words()).group()
    planted.texts |= {"secret": secret, "secret without dashes": re.sub(r"[-\s]", "", secret)}
    return number, secret


def write_in_thread(played, planted, number, secret):
    browser = Browser(origin_url(played, "report"))
    browser.get("/en/status").expect()
    form = browser.form(having="secret")
    browser.submit(form, number=number, secret=planted("wrongsecret")).expect(422)
    browser.submit(browser.form(having="secret"), number=planted("wrongnumber"), secret=secret).expect(422)
    browser.submit(browser.form(having="secret"), number=number, secret=secret).expect()
    browser.submit(browser.form(having="message"), press=("action", "add"), message=planted("message")).expect()


def work_on_it(played, planted, number):
    """An analyst opens the words, asks, fetches, decides wrongly, opens a case; the liaison refers it; the officer reads it."""
    ((incident,),) = query(
        played.var,
        "SELECT i.number FROM casework_incident i JOIN intake_report r ON r.id = i.report_id WHERE r.number = %s",
        number.replace("-", ""),
    )
    incident = f"{incident[:4]}-{incident[4:7]}-{incident[7:]}"
    analyst = signed_in(played, "analyst", "console")
    analyst.get(f"/incidents/{incident}").expect()
    analyst.submit(analyst.form(action="/claim")).expect()
    assert planted.mark in analyst.text, "the analyst reads the reporter's words"
    analyst.submit(analyst.form(action="/contact")).expect()
    assert f"contactway{planted.mark}" in analyst.text, "the analyst reads the contact details"
    analyst.get(f"/incidents/{incident}")
    analyst.submit(analyst.form(action="/ask"), message=planted("question")).expect()
    before = query(played.var, "SELECT count(*) FROM crawl_seed WHERE done_at IS NOT NULL")[0][0]
    analyst.submit(analyst.form(action="/fetch")).expect()
    wait_for(
        "the crawler tried both places",
        lambda: query(played.var, "SELECT count(*) FROM crawl_seed WHERE done_at IS NOT NULL")[0][0] >= before + 2,
    )
    analyst.get(f"/incidents/{incident}").expect()
    analyst.submit(analyst.form(having="decision"), decision="actionable", note=planted("wrongnote"))
    analyst.get(f"/incidents/{incident}").expect()
    analyst.submit(analyst.form(action="/case/add"), case=planted("casenumber"))
    analyst.get(f"/incidents/{incident}").expect()
    analyst.submit(analyst.form(action=f"/incidents/{incident}/case")).expect()
    case = NUMBER.search(next(address for address in analyst.links("/cases/") if NUMBER.search(address))).group()
    analyst.get("/trace/")
    analyst.submit(analyst.form(having="number"), number=planted("tracenumber")).expect(400)
    refer(played, planted, case)


def refer(played, planted, case):
    liaison = signed_in(played, "liaison", "console")
    liaison.get(f"/cases/{case}/refer/").expect()
    form = liaison.form(having="agency")
    liaison.submit(form, agency=next(filter(None, form.options("agency"))), read="on").expect()
    sent = "SELECT p.id FROM referral_package p WHERE p.case_number = %s AND p.sent_at IS NOT NULL"
    wait_for("the package was built", lambda: query(played.var, sent, case.replace("-", "")), seconds=90)
    officer = signed_in(played, "officer", "partner")
    officer.get(f"/inbox/{query(played.var, sent, case.replace('-', ''))[0][0]}/").expect()
    assert planted.mark in officer.text, "the officer reads what was referred"


class Insistent(httpx.HTTPTransport):
    """A connection of its own for each request, made again when the server hangs up on what it will not read."""

    def handle_request(self, request):
        request.headers["Connection"] = "close"
        for _ in range(4):
            try:
                return super().handle_request(request)
            except httpx.TransportError:
                continue
        return super().handle_request(request)


def do_it_wrong(played, planted):
    """Requests that fail, with the mark in every part that a request has."""
    for name, offset in ORIGINS.items():
        host = f"{name}.localhost:{played.port_base + offset}"
        headers = {
            "Host": host,
            "User-Agent": planted("agent"),
            "Referer": f"http://{host}/{planted('referer')}",
            "X-Forwarded-For": planted("forwarded"),
            "Cookie": f"__Host-s={planted('session')}; __Host-c={planted('csrf')}; other={planted('cookie')}",
            "Authorization": f"Bearer {planted('bearer')}",
            "Accept-Language": planted("language"),
        }
        with httpx.Client(
            base_url=f"http://127.0.0.1:{played.port_base + offset}", headers=headers, trust_env=False,
            transport=Insistent(),
        ) as client:  # fmt: skip
            violation = {"effectiveDirective": planted("directive"), "sample": planted("sample")}
            form = {"csrfmiddlewaretoken": planted("token"), "narrative": planted("posted"), "next": planted("next")}
            answers = [
                client.get(f"/{planted('page')}?{planted('name')}={planted('value')}"),
                client.get("/en/", headers={"Host": f"{planted('name')}.example"}),
                client.post("/language/", data=form),
                client.post("/en/report/details", data=form),
                client.post("/en/status", content=planted("broken").encode() + b"\xff%", headers=PARTS),
                client.post("/en/status", files={"file": (planted("file"), planted("content").encode())}),
                client.post(
                    "/csp-reports/",
                    json=[{"body": violation}],
                ),
                client.post("/v1/lookup", json={"sha256": planted("hash")}),
                client.get(f"/v1/feed?after={planted('after')}"),
                client.get(f"/invitation/{planted('invitation')}"),
                client.get(f"/en/answer/{planted('answer')}"),
                client.get(f"/incidents/{planted('incident')}"),
                client.request(planted("METHOD").upper(), "/"),
                client.post("/language/", content=b"x=" + planted("long").encode() * 20_000),
            ]
        assert {answer.status_code for answer in answers} <= {200, 204, 302, 303, *range(400, 418), 422, 429}, name
        if name in {"console", "partner"}:
            sign_in_wrongly(played, planted, name)


def sign_in_wrongly(played, planted, name):
    browser = Browser(origin_url(played, name))
    browser.get("/sign-in/").expect()
    browser.submit(browser.form(having="password"), login="nobody@hotline.example", password=planted("password"))
    browser.get(f"/sign-in/?next=/{planted('next')}")


# ---- the search ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def planted(played):
    """A running, played demonstration in which people have just said, done and mistyped things."""
    made = Planted(mark="".join(secrets.choice("bcdfghjkmnpqrstvwxz") for _ in range(14)))
    number, secret = send_report(played, made)
    write_in_thread(played, made, number, secret)
    wait_for(
        "an incident is opened",
        lambda: query(
            played.var,
            "SELECT 1 FROM casework_incident i JOIN intake_report r ON r.id = i.report_id WHERE r.number = %s",
            number.replace("-", ""),
        ),
    )
    work_on_it(played, made, number)
    do_it_wrong(played, made)
    wait_for("the jobs are done", lambda: query(played.var, UNFINISHED)[0][0] <= 1)
    return made


def dump(played):
    """The whole database as SQL text, as a thief of a backup reads it."""
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": password(played.var)}
    return subprocess.run(
        [str(postgres.bin_dir() / "pg_dump"), "-h", str(run_dir(played.var) / "pg"), "-U", "postgres", "vigil"],
        env=environment, capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip


def everything_written(played):
    """(where, content): the dump, then every file of the installation, the database's own files and WAL among them."""
    yield "pg_dump", dump(played)
    yield from files_under(played.var, run_dir(played.var))


@pytest.mark.timeout(900)
def test_nothing_planted_is_in_anything_that_was_written(played, planted):
    texts = {"the mark": planted.mark, **planted.texts}
    found, sizes = {}, {}
    for where, content in everything_written(played):
        sizes[where] = len(content)
        if hit := hits(content, texts):
            found[where] = hit
    assert found == {}
    assert len(planted.places) > 60
    assert sizes["pg_dump"] > 100_000
    assert any("/log/" in where for where in sizes) and any("pg_wal" in where for where in sizes)


def test_no_address_of_a_sighting_is_outside_the_mails_to_providers(played):
    """The notices hold the address of a confirmed sighting, because that is what they are for. Nothing else does.

    (The demonstration's own web keeps in `played.json` which of its pictures are gone: that web is not the hotline.)
    """
    addresses = addresses_in(read_folder(played.var / "mail"))
    assert len(addresses) > 6
    texts = {f"address {position}": url for position, url in enumerate(addresses[:6])}
    own = {str(path) for path in (played.var / "mail").iterdir()} | {str(played.var / "played.json")}
    found = {
        where: hit
        for where, content in everything_written(played)
        if where not in own and (hit := hits(content, texts))
    }
    assert found == {}


def addresses_in(mails):
    """The addresses that notices name; other mails (a referral is waiting) name none."""
    return sorted({read_notice(mail).url for mail in mails if mail.message["X-Vigil-Notice"]})


# ---- the search itself ---------------------------------------------------------------------------------------------
def test_one_planted_line_in_one_log_is_found(played, planted, tmp_path):
    """A copy of the logs with one leak in it: the same search finds that one and no other."""
    shutil.copytree(played.var / "log", tmp_path / "log")
    log = tmp_path / "log" / "web-public.log"
    with log.open("a") as handle:
        handle.write(f'{{"event": "report", "path": "/en/{planted.mark}"}}\n')
    found = {
        where: hit for where, content in files_under(tmp_path) if (hit := hits(content, {"the mark": planted.mark}))
    }
    assert list(found) == [str(log)]


def test_one_planted_row_is_found_in_the_dump(played):
    probe = secrets.token_hex(8)
    change(played.var, f"CREATE TABLE leak_probe AS SELECT 'x{probe}'::text AS word")
    try:
        assert "probe in UTF-8" in hits(dump(played), {"probe": probe})
        assert any(hits(content, {"probe": probe}) for where, content in files_under(played.var) if "pg_wal" in where)
    finally:
        change(played.var, "DROP TABLE leak_probe")


@pytest.mark.parametrize("form", [form for form in forms_of("marked-text") if form != "UTF-8"])
@pytest.mark.parametrize("before", [b"", b"x", b"xy"])
def test_every_form_of_a_text_is_found(form, before):
    text = "marked+text/ with spaces?"
    content = {
        "hex": (before + text.encode()).hex(),
        "base64": base64.b64encode(before + text.encode() + b"after").decode(),
        "gzip": gzip.compress(before + text.encode()),
    }
    for packed in content.values():
        assert hits(packed.encode() if isinstance(packed, str) else gzip.decompress(packed), {"text": text})
    assert hits(before + forms_of(text)[form] + b"after", {"text": text}) != []
    assert hits(before + b"something else", {"text": text}) == []
