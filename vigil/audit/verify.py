"""Verifying the log: any changed, missing, reordered, inserted or cut-off row is found and the first bad one named.

The rows are recomputed here, independently of the database's own function. The heads file, signed by a key that is not in the
database and kept outside it, tells a chain whose end was cut off from one that simply ends there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from vigil.audit.errors import HeadsUnreadable

BATCH_ROWS = 2000


@dataclass(frozen=True)
class BadRow:
    """The first bad place of a chain: `n` is the row's number, `problem` a stable code."""

    chain: str
    n: int
    problem: str


@dataclass(frozen=True)
class Verdict:
    """What a verification found. `heads_checked` counts signed heads that were compared with rows."""

    rows: int
    chains: int
    heads_checked: int
    bad: tuple[BadRow, ...]

    @property
    def is_whole(self) -> bool:
        """Nothing bad was found."""
        return not self.bad


@dataclass(frozen=True)
class _Row:
    n: int
    body: str
    recorded_at: str
    db_role: str
    previous: bytes
    hash: bytes


def genesis(chain: str) -> bytes:
    """The hash before a chain's first row."""
    return hashlib.sha256(f"vigil audit {chain}".encode()).digest()


def row_hash(chain: str, n: int, previous: bytes, recorded_at: str, db_role: str, body: str) -> bytes:
    """SHA-256 over version, chain, number, previous hash, time of recording, database role and body, one a line."""
    return hashlib.sha256("\n".join(("1", chain, str(n), previous.hex(), recorded_at, db_role, body)).encode()).digest()


def verify(connection: psycopg.Connection[Any], heads_dir: Path) -> Verdict:
    """Check every chain of the database behind `connection` against itself and against the signed heads in `heads_dir`."""
    heads, bad_heads = _signed_heads(heads_dir)
    chains = {
        name: (n, bytes(digest)) for name, n, digest in connection.execute("SELECT chain, n, hash FROM audit.chain")
    }
    names = (
        {name for (name,) in connection.execute("SELECT DISTINCT chain FROM audit.event")} | set(chains) | set(heads)
    )
    bad, rows, checked = list(bad_heads), 0, 0
    for name in sorted(names):
        count, first_bad = _verify_chain(connection, name, chains.get(name), heads.get(name, {}))
        rows += count
        checked += len(heads.get(name, {}))
        if first_bad is not None:
            bad.append(first_bad)
    return Verdict(rows=rows, chains=len(names), heads_checked=checked, bad=tuple(bad))


def _verify_chain(
    connection: psycopg.Connection[Any], chain: str, counter: tuple[int, bytes] | None, heads: dict[int, bytes]
) -> tuple[int, BadRow | None]:
    expected_n, previous, unseen = 1, genesis(chain), dict(heads)
    for row in _rows(connection, chain):
        if row.n != expected_n:
            return expected_n - 1, BadRow(chain, expected_n, "missing" if row.n > expected_n else "inserted")
        if row.previous != previous:
            return expected_n - 1, BadRow(chain, row.n, "previous_differs")
        if row.hash != row_hash(chain, row.n, previous, row.recorded_at, row.db_role, row.body):
            return expected_n - 1, BadRow(chain, row.n, "changed")
        if row.n in unseen and unseen.pop(row.n) != row.hash:
            return expected_n - 1, BadRow(chain, row.n, "rewritten")
        expected_n, previous = row.n + 1, row.hash
    last = expected_n - 1
    if unseen:
        return last, BadRow(chain, last + 1, "cut_off")
    if counter is None or counter != (last, previous):
        return last, BadRow(chain, last + 1, "cut_off" if counter and counter[0] > last else "counter_differs")
    return last, None


def _rows(connection: psycopg.Connection[Any], chain: str) -> Iterator[_Row]:
    # Physical order says nothing: rows are read by number, so a swapped pair shows as changed.
    after = -(2**63)
    while True:
        batch = connection.execute(
            "SELECT n, body, recorded_at, db_role, previous, hash FROM audit.event WHERE chain = %s AND n > %s ORDER BY n LIMIT %s",
            [chain, after, BATCH_ROWS],
        ).fetchall()
        for n, body, recorded_at, db_role, previous, digest in batch:
            yield _Row(n, body, recorded_at, db_role, bytes(previous), bytes(digest))
        if len(batch) < BATCH_ROWS:
            return
        after = batch[-1][0]


def _signed_heads(heads_dir: Path) -> tuple[dict[str, dict[int, bytes]], list[BadRow]]:
    heads: dict[str, dict[int, bytes]] = {}
    if not (heads_dir / "heads.jsonl").exists():
        return heads, []
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex((heads_dir / "public.key").read_text().strip()))
        lines = (heads_dir / "heads.jsonl").read_text().splitlines()
    except (OSError, ValueError) as exc:
        raise HeadsUnreadable() from exc
    for number, line in enumerate(lines, start=1):
        try:
            signed = json.loads(line)
            public.verify(bytes.fromhex(signed["signature"]), signed["body"].encode())
        except (InvalidSignature, ValueError, KeyError):
            return heads, [BadRow("heads", number, "signature_bad")]
        for chain, n, digest in json.loads(signed["body"])["heads"]:
            heads.setdefault(chain, {})[n] = bytes.fromhex(digest)
    return heads, []
