"""A snapshot: immutable files of everything published at one version, memory-mapped and shared by all processes.

INDEX_DIR/current        the name of the folder in use, swapped atomically
INDEX_DIR/VERSION-xxxx/  manifest.json   which feed and version this is, and the SHA-256 of each other file
                         entries.npy     entry id, SHA-256, MD5, in the order of SHA-256
                         sha256.npy      first 8 bytes of each SHA-256, as numbers, in that order
                         md5.npy         first 8 bytes of each MD5 and the row that it belongs to, in the order of MD5
                         pdq.ring        the PDQ hashes (ringmatch), whose ids are the rows
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

import ringmatch
from vigil.lists import selectors as lists
from vigil.lists.errors import FeedDamaged
from vigil.lists.selectors import FeedChange, FeedTip

FORMAT = 1
KEPT_SNAPSHOTS = 2
PAGE_ROWS = 5000
_ROW = np.dtype([("entry", "V16"), ("sha256", "V32"), ("md5", "V16")])
_MD5 = np.dtype([("prefix", "<u8"), ("row", "<u4")])


class DamagedSnapshot(Exception):
    """The files are not, byte for byte, what was written."""


@dataclass(frozen=True)
class Snapshot:
    """An opened snapshot."""

    name: str
    tip: FeedTip
    ring: ringmatch.Index
    rows: NDArray[np.void]
    sha256_prefixes: NDArray[np.uint64]
    md5_prefixes: NDArray[np.void]

    def entry_of_row(self, row: int) -> UUID:
        """The entry of a row."""
        return UUID(bytes=self.rows["entry"][row].tobytes())

    def entries_with_sha256(self, digest: bytes) -> Iterator[UUID]:
        """Entries of exactly this file: none or one."""
        for row in _places_of(self.sha256_prefixes, digest):
            if self.rows["sha256"][row].tobytes() == digest:
                yield self.entry_of_row(row)

    def entries_with_md5(self, digest: bytes) -> Iterator[UUID]:
        """Entries whose file has this MD5."""
        for place in _places_of(self.md5_prefixes["prefix"], digest):
            row = int(self.md5_prefixes["row"][place])
            if self.rows["md5"][row].tobytes() == digest:
                yield self.entry_of_row(row)


def _places_of(prefixes: NDArray[np.uint64], digest: bytes) -> range:
    key = np.uint64(int.from_bytes(digest[:8], "big"))
    return range(int(np.searchsorted(prefixes, key, "left")), int(np.searchsorted(prefixes, key, "right")))


def current_name() -> str | None:
    """The folder of the snapshot in use, or None when there is none yet."""
    try:
        name = (_root() / "current").read_text()
    except FileNotFoundError:
        return None
    if not name or "/" in name or name.startswith("."):
        raise DamagedSnapshot("current")
    return name


def version_of(name: str) -> int:
    """The feed version that a snapshot's folder is named for. Raises DamagedSnapshot."""
    digits = name.partition("-")[0]
    if not digits.isdigit():
        raise DamagedSnapshot(name)
    return int(digits)


def open_snapshot(name: str) -> Snapshot:
    """Map the files of a snapshot after reading all of them once. Raises DamagedSnapshot, OSError."""
    folder = _root() / name
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        if manifest["format"] != FORMAT:
            raise DamagedSnapshot("format")
        for file, digest in manifest["files"].items():
            if _digest_of(folder / Path(file).name) != digest:
                raise DamagedSnapshot(file)
        entry_id = UUID(manifest["entry"]) if manifest["entry"] else None
        snapshot = Snapshot(
            name,
            FeedTip(int(manifest["version"]), entry_id, str(manifest["change"])),
            ringmatch.Index.open(folder / "pdq.ring"),
            *(np.load(folder / f"{part}.npy", mmap_mode="r") for part in ("entries", "sha256", "md5")),
        )
    except (ValueError, KeyError, TypeError, ringmatch.RingmatchError) as exc:
        raise DamagedSnapshot(name) from exc
    if not len(snapshot.rows) == len(snapshot.ring) == len(snapshot.sha256_prefixes) == len(snapshot.md5_prefixes):
        raise DamagedSnapshot("rows")
    return snapshot


def build_snapshot() -> int:
    """Write a snapshot of everything published now and make it the current one; returns its version.

    The files are complete and on the disk before `current` names them, so a crash leaves the old one in use.
    """
    tip, published = FeedTip(0, None, ""), dict[UUID, FeedChange]()
    for change in changes_after(0):
        tip = FeedTip(change.version, change.entry_id, change.change)
        if change.change == "publish":
            published[change.entry_id] = change
        else:
            published.pop(change.entry_id, None)
    root = _root()
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    with _only_builder(root):
        name = _write(root, tip, sorted(published.values(), key=lambda change: change.sha256))
        _swap(root, name)
        _forget_old(root, name)
    return tip.version


def changes_after(version: int) -> Iterator[FeedChange]:
    """All changes after a version, page by page. Raises FeedDamaged at a gap."""
    while page := lists.feed_since(version, limit=PAGE_ROWS):
        for change in page:
            version += 1
            if change.version != version:
                raise FeedDamaged(version)
            yield change


def _write(root: Path, tip: FeedTip, published: list[FeedChange]) -> str:
    name = f"{tip.version}-{secrets.token_hex(4)}"
    partial = root / f".{name}.part"
    partial.mkdir(mode=0o750)
    rows = np.zeros(len(published), dtype=_ROW)
    for row, change in enumerate(published):
        rows[row] = (np.void(change.entry_id.bytes), np.void(change.sha256), np.void(change.md5))
    by_md5 = np.zeros(len(published), dtype=_MD5)
    by_md5["prefix"] = _prefixes(change.md5 for change in published)
    by_md5["row"] = np.arange(len(published))
    np.save(partial / "entries.npy", rows, allow_pickle=False)
    np.save(partial / "sha256.npy", _prefixes(change.sha256 for change in published), allow_pickle=False)
    np.save(partial / "md5.npy", np.sort(by_md5, order=["prefix", "row"]), allow_pickle=False)
    hashes = np.frombuffer(b"".join(change.pdq for change in published), dtype=np.uint8).reshape(-1, 32)
    ringmatch.Index.build(hashes, np.arange(len(published), dtype=np.uint64)).save(partial / "pdq.ring")
    manifest = {
        "format": FORMAT,
        "version": tip.version,
        "entry": str(tip.entry_id) if tip.entry_id else None,
        "change": tip.change,
        "files": {path.name: _digest_of(path) for path in sorted(partial.iterdir())},
    }
    (partial / "manifest.json").write_text(json.dumps(manifest))
    for path in (*partial.iterdir(), partial):
        _sync(path)
    partial.rename(root / name)
    _sync(root)
    return name


def _prefixes(digests: Iterable[bytes]) -> NDArray[np.uint64]:
    return np.array([int.from_bytes(digest[:8], "big") for digest in digests], dtype="<u8")


def _swap(root: Path, name: str) -> None:
    pointer = root / ".current.part"
    pointer.write_text(name)
    _sync(pointer)
    pointer.replace(root / "current")
    _sync(root)


def _forget_old(root: Path, name: str) -> None:
    """Keep the one in use and the one before (somebody may be opening it); what is mapped stays readable anyway."""
    folders = sorted((path for path in root.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime_ns)
    whole = [path for path in folders if not path.name.startswith(".") and path.name != name]
    partial = [path for path in folders if path.name.startswith(".")]
    for path in (*whole[: max(0, len(whole) - (KEPT_SNAPSHOTS - 1))], *partial):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _only_builder(root: Path) -> Iterator[None]:
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _root() -> Path:
    return Path(settings.INDEX_DIR)
