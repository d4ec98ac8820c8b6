"""One parser for web addresses from check to connect: the WHATWG URL standard, through can_ada."""

from __future__ import annotations

import re

import can_ada

from vigil.core.errors import Invalid


class NotAWebAddress(Invalid):
    """The text is not an address of the web (http or https, with a host)."""

    code = "address.not_web"


def normalise(text: str) -> str:
    """The normal form of a web address: parsed, without fragment, log-in or default port. Raises NotAWebAddress.

    A missing scheme is read as https, since people copy addresses without one. Source: WHATWG URL.
    """
    text = text.strip()
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.\-]*:(?![/\d])", text):
        raise NotAWebAddress()  # mailto:, javascript: and the like
    if text and "://" not in text.split("?")[0].split("#")[0]:
        text = f"https://{text}"
    try:
        parsed = can_ada.parse(text)
    except ValueError as exc:
        raise NotAWebAddress() from exc
    if (
        parsed.protocol not in {"http:", "https:"}
        or not parsed.hostname
        or "." not in parsed.hostname.strip("[]").replace(":", ".")
    ):
        raise NotAWebAddress()
    parsed.hash = ""
    parsed.username = ""
    parsed.password = ""
    return str(parsed.href)


def host_of(url: str) -> str:
    """Host name (with the port when it is not the scheme's own) of a normalised address."""
    return str(can_ada.parse(url).host)
