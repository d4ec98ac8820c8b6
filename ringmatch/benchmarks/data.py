"""Synthetic lists and queries for the benchmarks. Everything follows from the seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint8]
KINDS = ("random", "clustered")


def make_list(kind: str, count: int, seed: int) -> Hashes:
    """Return `count` hashes: "random", or "clustered" like a real list (near-duplicates, skewed bits, and the rest)."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, (count, 4), dtype=np.uint64).view(np.uint8)
    if kind == "clustered":
        near, skewed = int(0.35 * count), int(0.15 * count)
        hashes[:near] = _near_duplicates(rng, near)
        hashes[near : near + skewed] = _skewed_blocks(rng, skewed)
    return hashes


def _near_duplicates(rng: np.random.Generator, count: int) -> Hashes:
    """Clusters with Zipf sizes; each member differs from its centre in up to 8 per cent of its bits."""
    centres = rng.integers(0, 256, (max(1, count // 20), 32), dtype=np.uint8)
    weights = np.cumsum(1 / np.arange(1, len(centres) + 1) ** 0.6)
    members = centres[np.searchsorted(weights / weights[-1], rng.random(count)).clip(0, len(centres) - 1)]
    for start in range(0, count, 200_000):
        part = members[start : start + 200_000]
        share = (rng.random(len(part)) * 0.08 * 65536).astype(np.uint16)[:, np.newaxis]
        part ^= np.packbits(rng.integers(0, 65536, (len(part), 256), dtype=np.uint16) < share, axis=1)
    return members


def _skewed_blocks(rng: np.random.Generator, count: int) -> Hashes:
    """Each 16 neighbouring bits come from 8192 patterns of very different frequency."""
    patterns = rng.integers(0, 65536, (16, 8192), dtype=np.uint16)
    weights = np.cumsum(1 / np.arange(1, 8193) ** 0.9)
    blocks = np.empty((count, 16), np.uint16)
    for block in range(16):
        chosen = np.searchsorted(weights / weights[-1], rng.random(count)).clip(0, 8191)
        blocks[:, block] = patterns[block][chosen]
    return blocks.view(np.uint8)


def make_queries(hashes: Hashes, kind: str, count: int, seed: int) -> Hashes:
    """Half at 1 to 31 bits from a stored hash, half unrelated but of the same kind."""
    rng = np.random.default_rng([seed, 1])
    planted = hashes[rng.integers(0, len(hashes), count // 2)]
    ranks = rng.random((len(planted), 256)).argsort(axis=1).argsort(axis=1)
    distances = 1 + np.arange(len(planted)) % 31
    queries = make_list(kind, count, seed + 1)[rng.permutation(count)]
    queries[::2] = np.packbits(np.unpackbits(planted, axis=1) ^ (ranks < distances[:, np.newaxis]), axis=1)[
        : len(queries[::2])
    ]
    return queries
