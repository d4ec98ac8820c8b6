"""`python -m ringmatch hash FILE ...`: one fingerprint a line, `pdq:<64 hex digits>:<quality>`; names go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ringmatch.batch import hash_many


def main(arguments: Sequence[str]) -> int:
    """Hash files; the number of those that could not be hashed is the exit status, at most 99."""
    if len(arguments) < 2 or arguments[0] != "hash":
        sys.stderr.write(f"{__doc__}\n")
        return 2
    failed = 0
    for file in hash_many(arguments[1:], workers=1):
        if file.pdq is None:
            failed += 1
            sys.stderr.write(f"  ! {file.path}: {file.error}\n")
        else:
            sys.stdout.write(f"pdq:{file.pdq.hash.hex()}:{file.pdq.quality}\n")
            sys.stderr.write(f"  ^ {file.path}\n")
    return min(failed, 99)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
