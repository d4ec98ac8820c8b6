"""Everything that can go wrong with a place has its own outcome."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from vigil.crawl.fetch import Fetcher, Limits, Outcome, Robots, user_agent
from vigil.crawl.fetch.client import RETRY_AFTER_MAX_SECONDS, FetcherClosed, retry_after
from vigil_demo.world.site import Answer

EXPECTED = {
    "redirect_loop": Outcome.REDIRECT_LOOP,
    "too_many_redirects": Outcome.REDIRECT_LOOP,
    "private_redirect": Outcome.BLOCKED_ADDRESS,
    "gzip_bomb": Outcome.TOO_LARGE,
    "slow": Outcome.TIMEOUT,
    "server_error": Outcome.SERVER_ERROR,
    "not_found": Outcome.NOT_FOUND,
    "robots_refused": Outcome.ROBOTS_REFUSED,
    "dead_host": Outcome.DEAD_HOST,
    "truncated_image": Outcome.UNDECODABLE,
    "bomb_image": Outcome.TOO_LARGE,
    "truncated": Outcome.OK,
    "bomb": Outcome.OK,
}


def test_every_trouble_of_the_loopback_web_is_in_the_table(world):
    assert set(world.troubles) == set(EXPECTED)


@pytest.mark.parametrize("trouble", sorted(EXPECTED))
def test_a_trouble_ends_with_its_own_outcome_in_time(trouble, world, lookout):
    started = time.monotonic()

    look = lookout.look(world.troubles[trouble])

    assert look.outcome is EXPECTED[trouble]
    assert time.monotonic() - started < 10


def test_a_long_body_without_a_length_is_cut_off(world):
    world.answer_with(world.originals[0].url, Answer(content_type="image/jpeg", body=bytes(3_000_000)))

    with Fetcher(Limits(media_bytes=1_000_000)) as fetcher:
        fetched = fetcher.fetch(world.originals[0].url)

    assert fetched.outcome is Outcome.TOO_LARGE
    assert fetched.body == b""


def test_a_redirect_is_followed_and_the_last_address_kept(world, fetcher):
    target = world.originals[0].page_url
    world.answer_with(world.originals[1].page_url, Answer(301, headers=(("Location", target),)))

    fetched = fetcher.fetch(world.originals[1].page_url)

    assert (fetched.outcome, fetched.url, fetched.redirects) == (Outcome.OK, target, 1)


def test_a_redirect_to_a_forbidden_address_is_judged_anew(world, fetcher, settings):
    """The hop after the redirect is judged by the settings of that moment: here loopback is forbidden meanwhile."""

    class Flip:
        def __call__(self, _url):
            settings.CRAWL_ALLOW_PRIVATE = False

    world.answer_with(world.originals[1].page_url, Answer(302, headers=(("Location", world.originals[0].url),)))
    world.requests.clear()

    fetched = fetcher.fetch(world.originals[1].page_url, permit=Flip())

    assert fetched.outcome is Outcome.BLOCKED_ADDRESS
    assert not [path for path in world.requests if "/files/" in path]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, None), (403, None), (401, None), (410, None), (500, Outcome.ROBOTS_UNAVAILABLE), (503, Outcome.ROBOTS_UNAVAILABLE),
        (429, Outcome.ROBOTS_UNAVAILABLE),
    ],
)  # fmt: skip
def test_robots_without_rules_allows_and_without_an_answer_forbids_for_now(status, outcome, world, fetcher):
    url = world.originals[0].url
    robots_url = url.partition("/files/")[0] + "/robots.txt"
    world.answer_with(robots_url, Answer(status, content_type="text/plain", body=b"User-agent: *\nDisallow: /\n"))

    assert Robots(fetcher).refusal(url) is outcome


def test_robots_that_does_not_come_in_time_forbids_for_now(world, fetcher, monkeypatch):
    from vigil.crawl.fetch import robots as module

    monkeypatch.setattr(module, "ROBOTS_LIMITS", Limits(connect_seconds=1, total_seconds=1))
    url = world.originals[0].url
    world.answer_with(
        url.partition("/files/")[0] + "/robots.txt", Answer(body=b"User-agent: *\n" * 20, drip_seconds=60)
    )

    assert Robots(fetcher).refusal(url) is Outcome.ROBOTS_UNAVAILABLE


def test_robots_is_asked_once_an_hour_and_its_delay_is_capped(world, fetcher):
    url = world.originals[0].url
    robots_url = url.partition("/files/")[0] + "/robots.txt"
    world.answer_with(
        robots_url, Answer(content_type="text/plain", body=b"User-agent: vigil\nCrawl-delay: 900\nAllow: /\n")
    )
    robots = Robots(fetcher)

    assert robots.refusal(url) is None
    assert robots.refusal(url + "?again") is None
    assert robots.delay_for(url) == 60.0
    assert world.requests[robots_url.partition("//")[2].replace(f":{world.port}", "")] == 1


def test_retry_after_is_read_as_seconds_or_date_and_capped():
    assert retry_after("120") == 120
    assert retry_after("999999999") == RETRY_AFTER_MAX_SECONDS
    assert 3500 < retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)) <= 3600
    assert retry_after(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)) == 0
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_the_user_agent_tells_the_truth_and_where_to_ask(settings):
    settings.CRAWL_CONTACT_URL = "https://report.hotline.example/en/crawler"

    assert user_agent().startswith("Vigil/")
    assert "https://report.hotline.example/en/crawler" in user_agent()


def test_a_certificate_that_cannot_be_trusted_ends_the_fetch(world, fetcher, tmp_path):
    port = _serve_tls(tmp_path)

    assert fetcher.fetch(f"https://127.0.0.1:{port}/").outcome is Outcome.TLS_FAILED


def test_whoever_waits_for_a_fetcher_that_closes_learns_nothing_about_the_place(world):
    fetcher = Fetcher(Limits(total_seconds=60))
    errors = []

    def wait():
        try:
            fetcher.fetch(world.troubles["slow"])
        except FetcherClosed as exc:
            errors.append(exc.code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.5)
    fetcher.close()
    waiting.join(timeout=5)

    assert errors == ["crawl.fetcher_closed"]
    with pytest.raises(FetcherClosed):
        fetcher.fetch(world.troubles["not_found"])


def test_a_page_that_breaks_our_reader_costs_one_visit(world, lookout, monkeypatch):
    from vigil.crawl import looking

    monkeypatch.setattr(looking, "extract", lambda *_: 1 / 0)

    assert lookout.look(world.originals[0].page_url).outcome is Outcome.NOT_READ


def _serve_tls(folder):
    """A server on loopback with a certificate that nobody signed; its port."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pictures.test")])
    secret, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    file = folder / "server.pem"
    file.write_bytes(
        secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + builder.sign(secret, hashes.SHA256()).public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
