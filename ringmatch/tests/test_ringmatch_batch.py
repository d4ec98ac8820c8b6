"""Hashing many files: the same hashes as one by one, in order, whatever is wrong with some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import ringmatch
from ringmatch import FileHash, TooLarge, Undecodable, hash_many


@pytest.fixture
def folder(tmp_path: Path, make_picture: Callable[..., NDArray[np.uint8]]) -> Path:
    for number in range(40):
        Image.fromarray(make_picture(number, 60, 80)).save(tmp_path / f"{number:02}.png")
    (tmp_path / "17.png").write_bytes(b"no picture")
    return tmp_path


@pytest.mark.parametrize("workers", [1, 2])
def test_many_files_are_hashed_in_order_and_failures_stay_with_their_file(folder: Path, workers: int) -> None:
    paths: list[Path] = [*sorted(folder.iterdir()), folder / "missing.png"]
    done: list[int] = []

    results = list(hash_many(paths, workers, progress=done.append))

    assert [Path(result.path) for result in results] == paths
    assert done == list(range(1, 42))
    for number, result in enumerate(results):
        assert isinstance(result, FileHash)
        if number == 17:
            assert result.pdq is None and isinstance(result.error, Undecodable)
        elif number == 40:
            assert result.pdq is None and isinstance(result.error, FileNotFoundError)
        else:
            assert result.error is None
            assert result.pdq == ringmatch.pdq(paths[number].read_bytes())
            assert result.pdq.dihedral() == ringmatch.pdq(paths[number].read_bytes()).dihedral()


def test_the_byte_limit_is_checked_without_reading(folder: Path) -> None:
    with (folder / "huge.jpg").open("wb") as file:
        file.truncate(2**40)

    (result,) = hash_many([folder / "huge.jpg"], 1)

    assert isinstance(result.error, TooLarge)


def test_paths_are_taken_only_as_they_are_needed(folder: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Path]:
        number = 0
        while True:
            taken.append(number)
            yield folder / f"{number % 40:02}.png"
            number += 1

    results = hash_many(endless(), 2)
    for _ in range(20):
        next(results)
    results.close()

    assert len(taken) < 400


def test_a_negative_number_of_workers_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError):
        list(hash_many([], -1))
