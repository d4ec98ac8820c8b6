"""The package as one file: every file's SHA-256 and size in a manifest, in a zip whose bytes depend on the contents alone.

An officer checks it offline with what every computer has: `sha256sum -c SHA256SUMS` inside the unpacked folder, then compares the
digest of `manifest.json` with the one shown in the portal or read out on the telephone.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from vigil.referral.errors import PackageUnreadable

MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
FORMAT = "vigil-referral-manifest/1"
MAX_PACKAGE_BYTES = 64 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one file of a package."""

    name: str
    code: str  # missing | changed | unlisted | unreadable


def manifest_of(files: Mapping[str, bytes], *, number: str) -> bytes:
    """Canonical JSON (sorted keys, no spaces) that names every file with its size and SHA-256."""
    rows = [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
        for name, data in sorted(files.items())
    ]
    return canonical_json({"files": rows, "format": FORMAT, "number": number})


def canonical_json(value: object) -> bytes:
    """One value, one sequence of bytes: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def digest_of(manifest: bytes) -> str:
    """The one digest that stands for the whole package."""
    return hashlib.sha256(manifest).hexdigest()


def pack(files: Mapping[str, bytes], *, number: str) -> tuple[bytes, bytes]:
    """Make the package: (zip, manifest). The same files give the same bytes on every machine: stored, sorted, dated 1980."""
    manifest = manifest_of(files, number=number)
    everything = {**files, MANIFEST: manifest}
    everything[SUMS] = _sums(everything)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(everything.items()):
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.create_system = 3  # Unix everywhere, or the bytes would differ by the system that wrote them.
            info.external_attr = 0o100600 << 16
            archive.writestr(info, data)
    return target.getvalue(), manifest


def _sums(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())).encode()


def unpack(package: bytes) -> dict[str, bytes]:
    """The files of a package. Raises PackageUnreadable when it is not one, or holds more than a package may."""
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > MAX_PACKAGE_BYTES:
                raise PackageUnreadable("size")
            if len({info.filename for info in infos}) != len(infos):
                raise PackageUnreadable("names")
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as exc:
        raise PackageUnreadable("zip") from exc


def verify(package: bytes, *, expected_digest: str | None = None) -> list[Problem]:
    """What is wrong with a package; empty when nothing is. `expected_digest` is the manifest's digest, known from elsewhere.

    Without it only accidents are found: whoever changes a file can write a new manifest too.
    """
    try:
        files = unpack(package)
        manifest = files.pop(MANIFEST)
        listed = {row["name"]: (row["size_bytes"], row["sha256"]) for row in json.loads(manifest)["files"]}
    except (PackageUnreadable, KeyError, ValueError, TypeError):
        return [Problem(MANIFEST, "unreadable")]
    problems = []
    if expected_digest is not None and digest_of(manifest) != expected_digest:
        problems.append(Problem(MANIFEST, "changed"))
    sums = files.pop(SUMS, None)
    if sums is None:
        problems.append(Problem(SUMS, "missing"))
    elif sums != _sums({**files, MANIFEST: manifest}):
        problems.append(Problem(SUMS, "changed"))
    for name in sorted(listed.keys() | files.keys()):
        if name not in files:
            problems.append(Problem(name, "missing"))
        elif name not in listed:
            problems.append(Problem(name, "unlisted"))
        elif (len(files[name]), hashlib.sha256(files[name]).hexdigest()) != listed[name]:
            problems.append(Problem(name, "changed"))
    return problems
