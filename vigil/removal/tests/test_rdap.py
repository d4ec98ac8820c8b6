"""Who to write to, asked of a real RDAP server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from vigil.core.errors import Unavailable
from vigil.removal.errors import LookupNotConfigured, LookupUnavailable
from vigil.removal.rdap import abuse_contact, registrable_domain
from vigil_demo.rdap import Organisation, RdapServer, Registry

HOSTING = Organisation("HOSTING-7", "Example Hosting", "Abuse@Hosting.example", "CA")
REGISTRAR = Organisation("REG-1", "Example Registrar", "abuse@registrar.example")
SILENT = Organisation("SILENT-1", "Silent Networks", "")


@pytest.fixture
def server() -> Iterator[RdapServer]:
    registry = Registry(
        domains={"pictures.example": REGISTRAR, "quiet.example": SILENT},
        networks={"198.51.100.0/24": HOSTING, "203.0.113.0/24": SILENT, "2001:db8::/32": HOSTING},
    )
    with RdapServer(registry) as running:
        yield running


def test_the_network_that_hosts_the_place_comes_first(server: RdapServer) -> None:
    contact = abuse_contact("img.pictures.example", "198.51.100.7", base_url=server.base_url)

    assert contact is not None
    assert (contact.email, contact.name, contact.source) == ("abuse@hosting.example", "Example Hosting", "rdap.ip")
    assert (contact.handle, contact.country) == ("NET-HOSTING-7", "CA")
    assert server.questions == ["/ip/198.51.100.7"]


def test_the_registrar_of_the_registrable_domain_is_asked_when_the_network_names_nobody(server: RdapServer) -> None:
    contact = abuse_contact("img.cdn.pictures.example", "203.0.113.9", base_url=server.base_url)

    assert contact is not None
    assert (contact.email, contact.source) == ("abuse@registrar.example", "rdap.domain")
    assert server.questions == ["/ip/203.0.113.9", "/domain/pictures.example"]


def test_a_host_that_is_an_address_is_looked_up_as_one(server: RdapServer) -> None:
    contact = abuse_contact("2001:db8::7", "", base_url=server.base_url)
    assert contact is not None and contact.email == "abuse@hosting.example"


def test_nobody_named_is_none(server: RdapServer) -> None:
    assert abuse_contact("a.quiet.example", "203.0.113.9", base_url=server.base_url) is None
    assert abuse_contact("unknown.example", "192.0.2.1", base_url=server.base_url) is None


@pytest.mark.parametrize("status", [429, 500, 302])
def test_a_server_that_does_not_answer_is_unknown_not_nobody(server: RdapServer, status: int) -> None:
    server.fail_with = status
    with pytest.raises(LookupUnavailable) as caught:
        abuse_contact("img.pictures.example", "198.51.100.7", base_url=server.base_url)
    assert caught.value.code == "rdap.refused"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"objectClassName": "domain"}',
        b'{"objectClassName": "x", "handle": "y"}',
        b"[" * 20000,
    ],
)
def test_an_answer_that_is_not_rdap_is_unknown_not_nobody(server: RdapServer, body: bytes) -> None:
    server.raw_answer = body
    with pytest.raises(LookupUnavailable) as caught:
        abuse_contact("img.pictures.example", "", base_url=server.base_url)
    assert caught.value.code == "rdap.unreadable"


def test_an_answer_without_end_is_cut_off(server: RdapServer) -> None:
    server.raw_answer = b" " * 1_200_000 + b"{}"
    with pytest.raises(LookupUnavailable) as caught:
        abuse_contact("img.pictures.example", "", base_url=server.base_url)
    assert caught.value.code == "rdap.too_large"


@pytest.mark.parametrize(
    "email", ["abuse@x.example\r\nBcc: b@c.example", "Abuse <abuse@x.example>", "abuse", "mailto:"]
)
def test_an_abuse_address_that_could_not_stand_in_a_header_is_not_taken(server: RdapServer, email: str) -> None:
    server.registry.networks["198.51.100.0/24"] = Organisation("BAD-1", "Bad\r\nName", email)
    server.registry.domains.clear()
    contact = abuse_contact("img.pictures.example", "198.51.100.7", base_url=server.base_url)
    assert contact is None


def test_a_closed_port_and_no_server_at_all_are_unavailable(server: RdapServer) -> None:
    base_url = server.base_url
    server.stop()
    with pytest.raises(LookupUnavailable):
        abuse_contact("img.pictures.example", "198.51.100.7", base_url=base_url)
    with pytest.raises(LookupNotConfigured) as caught:
        abuse_contact("img.pictures.example", "198.51.100.7", base_url="")
    assert isinstance(caught.value, Unavailable)


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("img.pictures.co.uk", "pictures.co.uk"),
        ("a.b.pictures.example", "pictures.example"),
        ("pictures.ca.", "pictures.ca"),
        ("localhost", "localhost"),
        ("someone.github.io", "github.io"),
    ],
)
def test_registrable_domains(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain
