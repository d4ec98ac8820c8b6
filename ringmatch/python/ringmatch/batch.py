"""Hash many files on several processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from ringmatch.errors import RingmatchError, TooLarge
from ringmatch.hashing import MAX_BYTES, MAX_PIXELS, Pdq, pdq

# Files that one process takes at a time: enough to hide the cost of handing them over.
_FILES_PER_TASK = 16
_TASKS_WAITING_PER_WORKER = 4


class FileHash(NamedTuple):
    """What became of one file: exactly one of `pdq` and `error` is set.

    error: a RingmatchError (undecodable, too large) or an OSError (missing, not readable).
    """

    path: str
    pdq: Pdq | None
    error: RingmatchError | OSError | None


def hash_many(
    paths: Iterable[str | os.PathLike[str]],
    workers: int = 0,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    scaled: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Iterator[FileHash]:
    """Yield a FileHash for every path, in the order of `paths`, however long that list is.

    workers: number of processes, 0 for one a core, 1 to stay in this process. Processes, since decoding takes most of the
    time and holds the interpreter lock for part of it. scaled: as in `pdq`. progress: called with the number of files done so far.
    A file that cannot be hashed does not stop the others.
    """
    if workers < 0:
        raise ValueError("workers is a number of processes, or 0 for one a core")
    names = (os.fspath(path) for path in paths)
    wanted = workers or os.cpu_count() or 1
    hashed = (
        (_hash_file(name, max_bytes, max_pixels, scaled) for name in names)
        if wanted == 1
        else _hashed_in_processes(names, wanted, max_bytes, max_pixels, scaled)
    )
    for done, file in enumerate(hashed, start=1):
        if progress is not None:
            progress(done)
        yield file


def _hashed_in_processes(
    names: Iterator[str], workers: int, max_bytes: int, max_pixels: int, scaled: bool
) -> Iterator[FileHash]:
    # A new interpreter for each, because a fork of a program with threads can stand still for ever.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: list[Future[list[FileHash]]] = []
        try:
            while True:
                # Only so many ahead: the paths may come from a generator over millions of files.
                while len(waiting) < workers * _TASKS_WAITING_PER_WORKER:
                    task = list(islice(names, _FILES_PER_TASK))
                    if not task:
                        break
                    waiting.append(pool.submit(_hash_files, task, max_bytes, max_pixels, scaled))
                if not waiting:
                    return
                yield from waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()


def _hash_files(names: list[str], max_bytes: int, max_pixels: int, scaled: bool) -> list[FileHash]:
    return [_hash_file(name, max_bytes, max_pixels, scaled) for name in names]


def _hash_file(name: str, max_bytes: int, max_pixels: int, scaled: bool) -> FileHash:
    try:
        size = Path(name).stat().st_size
        if size > max_bytes:
            # Before reading: a file of any size may lie there.
            return FileHash(name, None, TooLarge(f"the file has {size} bytes; the limit is {max_bytes}"))
        with Path(name).open("rb") as file:
            data = file.read(max_bytes + 1)
        return FileHash(name, pdq(data, max_bytes=max_bytes, max_pixels=max_pixels, scaled=scaled), None)
    except (RingmatchError, OSError) as error:
        return FileHash(name, None, error)
