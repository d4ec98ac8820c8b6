"""A loopback RDAP server (RFC 9082, RFC 9083) that knows who stands behind the demo's hosts."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Organisation:
    """A synthetic provider: a handle, a name, a country, and an abuse mailbox (empty: it names none)."""

    handle: str
    name: str
    abuse_email: str
    country: str = "CA"


@dataclass(slots=True)
class Registry:
    """Which organisation stands behind a domain or a network (`198.51.100.0/24`)."""

    domains: dict[str, Organisation] = field(default_factory=dict)
    networks: dict[str, Organisation] = field(default_factory=dict)

    def domain(self, name: str) -> Organisation | None:
        """The organisation of exactly this registered domain."""
        return self.domains.get(name.lower().rstrip("."))

    def network(self, address: str) -> tuple[str, Organisation] | None:
        """The narrowest known network around an address."""
        try:
            wanted = ip_address(address)
        except ValueError:
            return None
        around = [name for name in self.networks if wanted in ip_network(name)]
        best = max(around, key=lambda name: ip_network(name).prefixlen, default=None)
        return (best, self.networks[best]) if best is not None else None


class RdapServer:
    """`with RdapServer(registry, port=8166) as server: server.base_url`. `fail_with`: the status of every answer."""

    def __init__(self, registry: Registry, *, port: int = 0) -> None:
        self.registry = registry
        self.fail_with = 0
        self.raw_answer: bytes | None = None
        self.questions: list[str] = []
        self._server = ThreadingHTTPServer((LOOPBACK, port), _handler_of(self))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="rdap", daemon=True)

    @property
    def base_url(self) -> str:
        """What VIGIL_RDAP_BASE_URL should be."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> RdapServer:
        """Answer questions until `stop`."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> RdapServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, path: str) -> tuple[int, bytes]:
        """Status and body for one path."""
        self.questions.append(path)
        if self.fail_with:
            return self.fail_with, _json(_error(self.fail_with, "Told to fail"))
        if self.raw_answer is not None:
            return 200, self.raw_answer
        kind, _, name = unquote(path).strip("/").partition("/")
        found = None
        if kind == "domain" and (organisation := self.registry.domain(name)):
            found = domain_object(name, organisation)
        if kind == "ip" and (hit := self.registry.network(name)):
            found = network_object(hit[0], hit[1])
        return (200, _json(found)) if found else (404, _json(_error(404, "Not found")))


def domain_object(name: str, organisation: Organisation) -> dict[str, Any]:
    """A domain object: the registrar as an entity, its abuse contact inside it, as registries answer."""
    return {
        "rdapConformance": ["rdap_level_0"],
        "objectClassName": "domain",
        "handle": f"{organisation.handle}-DOM",
        "ldhName": name,
        "status": ["active"],
        "entities": [_registrar(organisation, "registrar")],
    }


def network_object(network: str, organisation: Organisation) -> dict[str, Any]:
    """An IP network object with its registrant and, inside it, the abuse contact."""
    span = ip_network(network)
    return {
        "rdapConformance": ["rdap_level_0", "cidr0"],
        "objectClassName": "ip network",
        "handle": f"NET-{organisation.handle}",
        "name": organisation.handle,
        "startAddress": str(span[0]),
        "endAddress": str(span[-1]),
        "ipVersion": f"v{span.version}",
        "type": "ASSIGNED",
        "country": organisation.country,
        "cidr0_cidrs": [{f"v{span.version}prefix": str(span.network_address), "length": span.prefixlen}],
        "status": ["active"],
        "entities": [_registrar(organisation, "registrant")],
    }


def _registrar(organisation: Organisation, role: str) -> dict[str, Any]:
    abuse = (
        [_entity(f"{organisation.handle}-ABUSE", ["abuse"], "Abuse desk", organisation.abuse_email)]
        if organisation.abuse_email
        else []
    )
    return {**_entity(organisation.handle, [role], organisation.name, ""), "entities": abuse}


def _entity(handle: str, roles: list[str], name: str, email: str) -> dict[str, Any]:
    card: list[list[Any]] = [["version", {}, "text", "4.0"], ["fn", {}, "text", name], ["kind", {}, "text", "org"]]
    if email:
        card.append(["email", {}, "text", email])
    return {"objectClassName": "entity", "handle": handle, "roles": roles, "vcardArray": ["vcard", card]}


def _error(status: int, title: str) -> dict[str, Any]:
    return {"rdapConformance": ["rdap_level_0"], "errorCode": status, "title": title}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _handler_of(server: RdapServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = server.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/rdap+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: a question names a host."""

    return Handler


def load_registry(path: Path) -> Registry:
    """A registry from a file: {"domains": {name: {handle, name, abuse_email, country}}, "networks": {...}}."""
    content = json.loads(path.read_text())
    return Registry(
        domains={name: Organisation(**facts) for name, facts in content.get("domains", {}).items()},
        networks={name: Organisation(**facts) for name, facts in content.get("networks", {}).items()},
    )


def main() -> None:
    """Run until a signal: `python -m vigil_demo.rdap --port 8166 --registry var/demo/rdap.json`."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--registry", type=Path, required=True)
    given = options.parse_args()
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    with RdapServer(load_registry(given.registry), port=given.port):
        stop.wait()


if __name__ == "__main__":
    main()
