"""PDQ picture hashes and exact Hamming search over 256-bit hashes. See README.md for the reference."""

from __future__ import annotations

import os

from ringmatch import _native
from ringmatch.batch import FileHash, hash_many
from ringmatch.errors import (
    BadFeatures,
    BadShape,
    DamagedIndex,
    DistanceTooWide,
    NoVideoStream,
    RingmatchError,
    TooLarge,
    TooSlow,
    Undecodable,
)
from ringmatch.exact import Digest, ExactSet
from ringmatch.hashing import Pdq, pdq, pdq_frames
from ringmatch.index import Index, Matches

__version__ = "0.1.0"
__all__ = [
    "BadFeatures",
    "BadShape",
    "DamagedIndex",
    "Digest",
    "DistanceTooWide",
    "ExactSet",
    "FileHash",
    "Index",
    "Matches",
    "NoVideoStream",
    "Pdq",
    "RingmatchError",
    "TooLarge",
    "TooSlow",
    "Undecodable",
    "__version__",
    "active_path",
    "hash_many",
    "pdq",
    "pdq_frames",
]


def active_path() -> str:
    """Return which instructions are in use: "avx512", "avx2", "neon" or "portable"."""
    return _native.active_path()


# For measuring and for looking into a suspected fault of the faster paths; results are the same on all of them.
if _requested_path := os.environ.get("RINGMATCH_PATH"):
    _native.select_path(_requested_path)
