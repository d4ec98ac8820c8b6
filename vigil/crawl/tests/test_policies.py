"""Hostile addresses: none of them may lead to a connection. A listener stands where each of them would arrive."""

from __future__ import annotations

import contextlib
import socket
import threading
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import NotPermitted, Unavailable, VigilError
from vigil.crawl import policies
from vigil.crawl.fetch import Fetcher, Limits, Outcome
from vigil.crawl.fetch.client import _Transfer
from vigil.crawl.policies import Target, may_fetch, refusal_of

# {p} is the port of a listener on every loopback address; the port rule is lifted, so that only the address rule refuses.
HOSTILE = """
http://127.0.0.1:{p}/
http://127.0.0.2:{p}/
http://127.255.255.254:{p}/
http://localhost:{p}/
http://LOCALHOST:{p}/
http://localhost.:{p}/
http://a.localhost:{p}/
http://2130706433:{p}/
http://0x7f000001:{p}/
http://0x7f.0.0.1:{p}/
http://0177.0.0.1:{p}/
http://00000177.1:{p}/
http://017700000001:{p}/
http://127.1:{p}/
http://127.0.1:{p}/
http://127.0x000000001:{p}/
http://①②⑦.⓪.⓪.①:{p}/
http://127。0。0。1:{p}/
http://127%2e0%2e0%2e1:{p}/
http://127.0.0.1.:{p}/
http://0:{p}/
http://0.0.0.0:{p}/
http://0x0:{p}/
http://[::1]:{p}/
http://[::]:{p}/
http://[0:0:0:0:0:0:0:1]:{p}/
http://[::ffff:127.0.0.1]:{p}/
http://[::ffff:7f00:1]:{p}/
http://[::127.0.0.1]:{p}/
http://[64:ff9b::127.0.0.1]:{p}/
http://[64:ff9b::7f00:1]:{p}/
http://[64:ff9b:1::7f00:1]:{p}/
http://[2002:7f00:1::]:{p}/
http://[2001:0:7f00:1::]:{p}/
http://[fe80::1]:{p}/
http://[fec0::1]:{p}/
http://[fc00::1]:{p}/
http://[fd00:ec2::254]:{p}/
http://[ff02::1]:{p}/
http://[::ffff:169.254.169.254]/
http://169.254.169.254/latest/meta-data/
http://0xA9FEA9FE/
http://2852039166/
http://0251.0376.0251.0376/
http://100.100.100.200/
http://192.0.0.192/
http://168.63.129.16/
http://10.0.0.1/
http://10.1:80/
http://172.16.0.1/
http://172.31.255.255/
http://192.168.0.1/
http://192.168.257/
http://100.64.0.1/
http://198.18.0.1/
http://224.0.0.1/
http://255.255.255.255/
http://240.0.0.1/
http://192.88.99.1/
http://user@127.0.0.1:{p}/
http://user:word@127.0.0.1:{p}/
http://pictures.example@127.0.0.1:{p}/
http://127.0.0.1:{p}\\@pictures.example/
http:\\\\127.0.0.1:{p}/
http:/127.0.0.1:{p}/
http:127.0.0.1:{p}/
ht\ttp://127.0.0.1:{p}/
 http://127.0.0.1:{p}/
HTTP://127.0.0.1:{p}/
http://printer.local/
http://router/
http://metadata.google.internal/computeMetadata/
http://intranet.corp/
http://1.0.0.127.in-addr.arpa/
http://pictures.onion/
http://pictures.example..:{p}/
gopher://127.0.0.1:{p}/_GET
file:///etc/hostname
ftp://127.0.0.1:{p}/
dict://127.0.0.1:{p}/
ws://127.0.0.1:{p}/
data:text/html,x
javascript:x
about:blank
//127.0.0.1:{p}/
127.0.0.1:{p}
http://
http://:{p}/
http://[::1%25lo]:{p}/
http://1.2.3.4.5/
""".strip("\n").split("\n")


@pytest.fixture(scope="module")
def canary():
    """Listeners on loopback (both families, one port); yields the port and what arrived."""
    arrived: list[object] = []
    four = socket.create_server(("0.0.0.0", 0))
    port = four.getsockname()[1]
    listeners = [four]
    with contextlib.suppress(OSError):  # a machine without IPv6 has nothing to reach there
        listeners.append(socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=False))

    def accept(listener):
        while True:
            try:
                connection, peer = listener.accept()
            except OSError:
                return
            arrived.append(peer)
            connection.close()

    for listener in listeners:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
    yield port, arrived
    for listener in listeners:
        listener.close()


@pytest.fixture
def every_port(canary, monkeypatch, settings):
    settings.CRAWL_ALLOW_PRIVATE = False
    monkeypatch.setattr(policies, "WEB_PORTS", frozenset({80, 443, canary[0]}))
    canary[1].clear()
    return canary


@pytest.fixture(scope="module")
def quick():
    with Fetcher(Limits(connect_seconds=1, total_seconds=2)) as fetcher:
        yield fetcher


@pytest.mark.parametrize("form", HOSTILE)
def test_no_hostile_address_reaches_a_listener(form, every_port, quick):
    port, arrived = every_port
    url = form.replace("{p}", str(port)).replace("\\\\", "\\")

    with pytest.raises(NotPermitted):
        may_fetch(url)
    assert quick.fetch(url).outcome in {Outcome.BLOCKED_ADDRESS, Outcome.NOT_WEB}
    assert arrived == []


def test_the_canary_listens(every_port, settings, quick):
    port, arrived = every_port
    settings.CRAWL_ALLOW_PRIVATE = True

    quick.fetch(f"http://127.0.0.1:{port}/")

    assert len(arrived) == 1


@pytest.mark.parametrize(
    "address", ["10.0.0.7", "169.254.169.254", "192.168.1.1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0"]
)
def test_allowing_loopback_allows_nothing_else_that_is_private(address, settings):
    settings.CRAWL_ALLOW_PRIVATE = True

    assert refusal_of(ip_address("127.0.0.1"), 8080) is None
    assert refusal_of(ip_address("::1"), 80) is None
    assert refusal_of(ip_address(address), 80) is not None


@pytest.mark.parametrize("port", [0, 21, 22, 25, 3306, 5432, 6379, 8080, 65535])
def test_only_ports_of_the_web_are_permitted(port, settings):
    settings.CRAWL_ALLOW_PRIVATE = False

    with pytest.raises(NotPermitted) as refused:
        may_fetch(f"http://93.184.215.14:{port}/")
    assert refused.value.code == "crawl.port_refused"


@pytest.mark.parametrize(
    "url", ["http://93.184.215.14/", "https://93.184.215.14/a?b", "http://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/"]
)
def test_a_public_address_is_permitted(url, settings):
    settings.CRAWL_ALLOW_PRIVATE = False

    assert may_fetch(url) is True


def test_a_name_that_does_not_resolve_is_unavailable_never_true(settings):
    settings.CRAWL_ALLOW_PRIVATE = False

    with pytest.raises(Unavailable):
        may_fetch("http://nobody-has-this-name.invalid/")


def test_one_private_address_among_public_ones_refuses_the_name(settings, monkeypatch):
    settings.CRAWL_ALLOW_PRIVATE = False
    _resolver_answers(monkeypatch, [["93.184.215.14", "10.0.0.1"]])

    with pytest.raises(NotPermitted):
        may_fetch("http://rebind.test/")


def test_a_second_answer_of_the_resolver_changes_nothing(every_port, monkeypatch, quick):
    """Rebinding: public when judged, loopback when asked again. The fetcher asks once and connects to what was judged."""
    port, arrived = every_port
    asked = _resolver_answers(monkeypatch, [["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]])

    outcome = quick.fetch(f"http://rebind.test:{port}/").outcome

    assert asked == ["rebind.test"]
    assert outcome in {Outcome.TIMEOUT, Outcome.DEAD_HOST}
    assert arrived == []


def test_the_veto_refuses_at_the_moment_of_connecting(every_port, quick):
    """Even when a bad address has slipped through the judgement, the socket is never opened."""
    port, arrived = every_port
    target = Target(f"http://slipped.test:{port}/", "http", "slipped.test", port, (ip_address("127.0.0.1"),))

    answer = quick._transfer(_Transfer(target, quick.limits, ""))

    assert answer.outcome is Outcome.BLOCKED_ADDRESS
    assert arrived == []


def test_the_veto_refuses_an_address_that_was_not_judged(every_port, settings, quick):
    """libcurl resolving by itself (here: a literal that it was not told about) is refused although loopback is allowed."""
    port, arrived = every_port
    settings.CRAWL_ALLOW_PRIVATE = True
    target = Target(f"http://127.0.0.1:{port}/", "http", "other.test", port, (ip_address("127.0.0.9"),))

    answer = quick._transfer(_Transfer(target, quick.limits, ""))

    assert answer.outcome is Outcome.BLOCKED_ADDRESS
    assert arrived == []


def test_our_own_address_is_refused(monkeypatch):
    """An address that this machine carries is never a host of the web, however public it looks."""
    monkeypatch.setattr(policies, "_is_public", lambda _address: True)

    assert refusal_of(ip_address("127.0.0.1"), 80) == "crawl.address_refused"


@given(text=st.text(max_size=80) | st.builds("http://{}/".format, st.text(max_size=40)))
def test_any_text_is_judged_or_refused_with_a_code(text):
    try:
        assert may_fetch(text) is True
    except VigilError as exc:
        assert exc.code.startswith("crawl.")


@given(number=st.integers(0, 2**32 - 1))
def test_what_python_knows_as_private_is_refused(number):
    address = ip_address(number)
    if not address.is_global or address.is_multicast:
        assert refusal_of(address, 80) is not None


@given(number=st.integers(0, 2**128 - 1) | st.integers(0x2001 << 112, (0x2003 << 112) - 1))
def test_what_python_knows_as_private_in_ipv6_is_refused(number):
    address = ip_address(number) if number >= 2**32 else ip_address(number + 2**40)
    if not address.is_global or address.is_multicast or address.sixtofour or address.teredo or address.ipv4_mapped:
        assert refusal_of(address, 80) is not None


def _resolver_answers(monkeypatch, answers):
    """The resolver is the outer edge: this one gives the answers in turn."""
    asked: list[str] = []

    def getaddrinfo(host, *_args, **_kwargs):
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(policies.socket, "getaddrinfo", getaddrinfo)
    return asked
