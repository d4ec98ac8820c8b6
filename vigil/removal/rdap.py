"""Who to write to: a place's address and domain -> the abuse mailbox that its registration data (RDAP) names.

We fetch ourselves, from the one server that the operator set, without following redirects, and let `whoisit` read the
answer. The network that an address belongs to is asked first: it hosts the file; a domain's registrar comes second.
Source: RFC 9082 (paths), RFC 9083 (answers).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

import httpx
import tldextract
from whoisit.bootstrap import Bootstrap
from whoisit.errors import ParseError
from whoisit.parser import parse

from vigil.removal.errors import LookupNotConfigured, LookupUnavailable
from vigil.removal.wire.notice_mail import is_mailable

TIMEOUT_SECONDS = 8.0
MAX_BYTES = 1_048_576
_bundled_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class AbuseContact:
    """A provider's abuse mailbox with its provenance: which kind of object named it, and that object's handle."""

    email: str
    name: str
    source: str  # "rdap.ip" or "rdap.domain"
    handle: str
    country: str


def registrable_domain(host: str) -> str:
    """`img.cdn.pictures.example` -> `pictures.example`. Suffixes outside the public list count as one label."""
    labels = host.rstrip(".").lower()
    found = _bundled_suffixes(labels)
    if found.domain and found.suffix:
        return f"{found.domain}.{found.suffix}"
    return ".".join(labels.split(".")[-2:])


def abuse_contact(host: str, server_address: str, *, base_url: str) -> AbuseContact | None:
    """The abuse mailbox for a place, or None when the registration data name none.

    Raises LookupNotConfigured without a server, LookupUnavailable when nothing was found and a question stayed
    unanswered: then nobody knows, which is not the same as "none".
    """
    if not base_url:
        raise LookupNotConfigured()
    unanswered: LookupUnavailable | None = None
    for kind, question in _questions(host, server_address):
        try:
            answer = _ask(base_url, kind, question)
        except LookupUnavailable as exc:
            unanswered = exc
            continue
        contact = contact_in(kind, question, answer) if answer is not None else None
        if contact is not None:
            return contact
    if unanswered is not None:
        raise unanswered
    return None


def contact_in(kind: str, question: str, answer: dict[str, Any]) -> AbuseContact | None:
    """The first usable abuse mailbox in one RDAP answer. Raises LookupUnavailable when the answer is not RDAP."""
    try:
        # KeyError, TypeError, AttributeError: the reader trusts the server to send objects where objects belong.
        read = parse(Bootstrap(), kind, question, answer)
    except (ParseError, KeyError, TypeError, AttributeError, ValueError) as exc:
        raise LookupUnavailable(code="rdap.unreadable") from exc
    for entity in read.get("entities", {}).get("abuse", []):
        for email in entity.get("emails") or [entity.get("email", "")]:
            if is_mailable(email):
                name = (
                    entity.get("parent_name")
                    or entity.get("organisation")
                    or read.get("name")
                    or entity.get("name")
                    or ""
                )
                country = str(read.get("country") or "")
                return AbuseContact(
                    email=email.lower(),
                    name=_clean(name) or email.partition("@")[2],
                    source=f"rdap.{'ip' if kind == 'ip' else 'domain'}",
                    handle=_clean(str(read.get("handle") or ""))[:100],
                    country=country.upper() if re.fullmatch(r"[A-Za-z]{2}", country) else "",
                )
    return None


def _questions(host: str, server_address: str) -> list[tuple[str, str]]:
    questions = []
    for candidate in (server_address, host):
        if (address := _address(candidate)) and ("ip", address) not in questions:
            questions.append(("ip", address))
    if not _address(host):
        questions.append(("domain", registrable_domain(host)))
    return questions


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _ask(base_url: str, kind: str, question: str) -> dict[str, Any] | None:
    """One RDAP question. None for "no such object"; LookupUnavailable for everything that is not an answer."""
    url = f"{base_url.rstrip('/')}/{kind}/{quote(question, safe=':')}"
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url, headers={"Accept": "application/rdap+json"}) as response,
        ):
            if response.status_code == 404:
                return None
            if response.status_code != 200:
                raise LookupUnavailable(code="rdap.refused")
            body = _capped(response)
    except httpx.HTTPError as exc:
        raise LookupUnavailable() from exc
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise LookupUnavailable(code="rdap.unreadable") from exc
    if not isinstance(answer, dict):
        raise LookupUnavailable(code="rdap.unreadable")
    return answer


def _capped(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            raise LookupUnavailable(code="rdap.too_large")
    return bytes(body)


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()[:200]
