"""Searching everything that an installation wrote for planted texts, in the forms that a text takes on its way."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote


def forms_of(text: str) -> dict[str, bytes]:
    """A text as it would look in a file, a log, a dump, an address or a header: name of the form -> bytes."""
    plain = text.encode()
    found = {
        "UTF-8": plain,
        "upper case": text.upper().encode(),
        "percent": "".join(f"%{byte:02X}" for byte in plain).encode(),
        "percent, lower case": "".join(f"%{byte:02x}" for byte in plain).encode(),
        "percent where needed": quote(text, safe="").encode(),
        "hex": plain.hex().encode(),
        "hex, upper case": plain.hex().upper().encode(),
        "UTF-16 LE": text.encode("utf-16-le"),
        "UTF-16 BE": text.encode("utf-16-be"),
        "backwards": plain[::-1],
    }
    for shift in range(3):
        # What stands before the text decides its alignment; the characters that depend on neighbours are cut off.
        encoded = base64.b64encode(b"\0" * shift + plain)
        whole = encoded[(0, 2, 3)[shift] : len(encoded.rstrip(b"=")) - 1]
        found[f"base64, shifted by {shift}"] = whole
        found[f"base64 for addresses, shifted by {shift}"] = whole.replace(b"+", b"-").replace(b"/", b"_")
    return found


def unpacked(content: bytes) -> bytes:
    """A gzip file's content; anything else as it is."""
    if content[:2] == b"\x1f\x8b":
        try:
            return gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            pass
    return content


def files_under(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every ordinary file, packed ones unpacked. Files that vanish meanwhile are passed over."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            try:
                yield str(path), unpacked(path.read_bytes())
            except FileNotFoundError:
                continue


def hits(content: bytes, texts: dict[str, str]) -> list[str]:
    """Which planted text is in the content, and in which form. Says names, never the texts."""
    return [
        f"{name} in {form}"
        for name, text in texts.items()
        for form, needle in forms_of(text).items()
        if len(needle) >= 8 and needle in content
    ]
