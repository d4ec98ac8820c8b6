"""What may be fetched: the one place that judges an address, before a request and again at the moment of connecting."""

from __future__ import annotations

import concurrent.futures
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import can_ada
from django.conf import settings

from vigil.crawl.errors import AddressRefused, NameNotResolved

Address = IPv4Address | IPv6Address

WEB_PORTS = frozenset({80, 443})
DEFAULT_PORT = {"http:": 80, "https:": 443}
RESOLVE_SECONDS = 8.0
URL_MAX_CHARACTERS = 4096

# Names that never mean a host of the public web, whatever a resolver says. Sources: RFC 6761, 6762, 7686, 8375, 9476, ICANN.
PRIVATE_SUFFIXES = (
    "local",
    "localhost",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "home.arpa",
    "onion",
    "alt",
    "arpa",
)

# IANA registry of IPv4 special-purpose addresses, multicast, and a cloud's metadata service outside them (Azure: 168.63.129.16).
REFUSED_IPV4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        ),
    )
)  # fmt: skip
# IPv6: only the global unicast block, without what carries or means something else: Teredo, ORCHID and other protocol
# assignments (2001::/23), documentation, 6to4, AS112, 6bone. IPv4-mapped, NAT64 and site-local addresses lie outside the block.
PERMITTED_IPV6 = ip_network("2000::/3")
REFUSED_IPV6 = tuple(
    ip_network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
)
# The last 32 bits of these may name an IPv4 address by an operator's own NAT64, which no registry lists: ::ffff:0:0/96 style
# forms are refused above; RFC 6052 prefixes inside 2000::/3 are the operator's business (egress firewall).

_resolvers = concurrent.futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")


@dataclass(frozen=True, slots=True)
class Target:
    """A permitted address, parsed once: what the fetcher sends, and the only addresses it may connect to."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[Address, ...]


def may_fetch(url: str) -> bool:
    """True when the crawler may send a GET to `url` now. Raises NotPermitted otherwise, with a code that says why.

    Every address of the name is judged; one bad address refuses all. A name that does not resolve raises Unavailable.
    """
    permitted_target(url)
    return True


def permitted_target(url: str) -> Target:
    """Parse, resolve and judge `url` (WHATWG, no missing scheme). Raises AddressRefused, NameNotResolved."""
    parsed = _parse(url)
    host = str(parsed.hostname).removesuffix(".")
    _judge_name(host)
    port = int(parsed.port) if parsed.port else DEFAULT_PORT[parsed.protocol]
    addresses = resolve(host)
    for address in addresses:
        refusal = refusal_of(address, port)
        if refusal is not None:
            raise AddressRefused(code=refusal)
    return Target(str(parsed.href), str(parsed.protocol).rstrip(":"), str(parsed.hostname), port, addresses)


def refusal_of(address: Address, port: int) -> str | None:
    """The code of the reason why no connection to this address and port may be opened; None when it may."""
    if address.is_loopback and settings.CRAWL_ALLOW_PRIVATE:
        return None
    if port not in WEB_PORTS:
        return "crawl.port_refused"
    if not _is_public(address) or _is_our_own(address):
        return "crawl.address_refused"
    return None


def _parse(url: str) -> can_ada.URL:
    if not isinstance(url, str) or len(url) > URL_MAX_CHARACTERS:
        raise AddressRefused(code="crawl.not_web")
    try:
        parsed = can_ada.parse(url)
    except ValueError as exc:
        raise AddressRefused(code="crawl.not_web") from exc
    if parsed.protocol not in DEFAULT_PORT or not parsed.hostname:
        raise AddressRefused(code="crawl.not_web")
    if parsed.username or parsed.password:
        raise AddressRefused(code="crawl.log_in_in_address")
    parsed.hash = ""
    return parsed


def _judge_name(host: str) -> None:
    if _literal(host) is not None:
        return
    labels = host.split(".")
    if settings.CRAWL_ALLOW_PRIVATE and labels[-1] == "localhost":
        return
    if (
        len(labels) < 2
        or not all(labels)
        or any(host == suffix or host.endswith(f".{suffix}") for suffix in PRIVATE_SUFFIXES)
    ):
        raise AddressRefused(code="crawl.name_refused")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def resolve(host: str) -> tuple[Address, ...]:
    """Every address of a host name, or the address itself. Raises NameNotResolved, never an empty answer."""
    literal = _literal(host)
    if literal is not None:
        return (literal,)
    if host == "localhost" or host.endswith(".localhost"):
        # Only reached when the loopback web is allowed: these names mean loopback and no resolver is asked (RFC 6761).
        return (IPv4Address("127.0.0.1"),)
    try:
        answers = _resolvers.submit(socket.getaddrinfo, host, None, 0, socket.SOCK_STREAM).result(RESOLVE_SECONDS)
    except (OSError, UnicodeError, concurrent.futures.TimeoutError) as exc:
        raise NameNotResolved() from exc
    found = {ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers}
    if not found:
        raise NameNotResolved()
    return tuple(sorted(found, key=lambda address: (address.version, int(address))))


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in REFUSED_IPV4)
    return address in PERMITTED_IPV6 and not any(address in network for network in REFUSED_IPV6)


def _is_our_own(address: Address) -> bool:
    """Whether this machine carries the address itself: only then can a socket be bound to it."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
