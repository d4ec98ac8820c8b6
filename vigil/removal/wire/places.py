"""Links as text: taken apart so that no program makes them clickable."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Target:
    """Where a place is, for machines: what a lookup asks about and what a notice names."""

    host: str
    port: int
    is_address: bool


def defanged(url: str) -> str:
    """`https://pictures.example/a` -> `hxxps://pictures[.]example/a`: readable, not clickable."""
    url = "".join(_visible(character) for character in url)
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url.replace(".", "[.]")
    authority, slash, path = rest.partition("/")
    return scheme.replace("t", "x").replace("T", "X") + separator + authority.replace(".", "[.]") + slash + path


def _visible(character: str) -> str:
    # Line breaks and characters that turn the reading direction would let a link write lines of its own into our text.
    if character.isprintable() and character != " ":
        return character
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def target_of(url: str) -> Target:
    """The host and port of a normalised http(s) URL. Raises ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("not an http(s) address")
    host = parts.hostname
    return Target(host, parts.port or (443 if parts.scheme == "https" else 80), _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
