"""Saved indexes: the same answers after opening, and no answer at all from damaged bytes."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ringmatch import DamagedIndex, Index, _native

HEADER_BYTES = 4096
PIECE_BYTES = 4 * 2**20
# Offsets of header fields, as struct Header in src/image.cpp has them.
TOTAL_FIELD, ENTRIES_FIELD, IDS_FIELD, REPEATED_FIELD = 16, 24, 32, 40
ID_BITS_FIELD, LAYOUT_FIELD, FORM_FIELD, PERMUTATION_FIELD, BODY_FIELD, HEADER_FIELD = 56, 60, 64, 68, 72, 80


def example(
    count: int, repeats: bool = False, tables: bool = False, compact: bool = False
) -> tuple[Index, NDArray[np.uint8]]:
    rng = np.random.default_rng(count)
    hashes = rng.integers(0, 256, (count, 32), dtype=np.uint8)
    if repeats:
        hashes[count // 2 :] = hashes[: count - count // 2]
    ids = np.arange(count, dtype=np.uint64)
    native = _native.NativeIndex.build(hashes, ids, 1, ring_from=0 if tables else 2**32, compact=compact)
    return Index(native), hashes


def reseal(image: bytearray) -> None:
    """Give changed bytes valid checksums, as somebody who forges a file would."""
    body = bytes(image[HEADER_BYTES:])
    pieces = [_native.xxh64(body[start : start + PIECE_BYTES]) for start in range(0, len(body), PIECE_BYTES)]
    struct.pack_into("=Q", image, BODY_FIELD, _native.xxh64(struct.pack(f"={len(pieces)}Q", *pieces)))
    struct.pack_into("=Q", image, HEADER_FIELD, 0)
    struct.pack_into("=Q", image, HEADER_FIELD, _native.xxh64(bytes(image[:HEADER_BYTES])))


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("count", [0, 1, 5, 700])
def test_a_saved_index_answers_alike_after_opening(
    tmp_path: Path, count: int, repeats: bool, tables: bool, compact: bool
) -> None:
    index, hashes = example(count, repeats, tables, compact)
    path = tmp_path / "list.ring"

    index.save(path)
    opened = Index.open(path)

    assert len(opened) == count
    assert opened.entry_count == index.entry_count
    assert opened.compact is compact
    assert path.stat().st_size == index.size_bytes == opened.size_bytes
    for before, after in zip(index.search(hashes), opened.search(hashes), strict=True):
        assert np.array_equal(before, after)


def test_an_opened_index_can_be_saved_again_byte_for_byte(tmp_path: Path, compact: bool) -> None:
    index, _ = example(300, tables=True, compact=compact)
    index.save(tmp_path / "first")

    Index.open(tmp_path / "first").save(tmp_path / "second")

    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_the_same_hashes_make_the_same_file_whatever_the_order_and_threads(tmp_path: Path, compact: bool) -> None:
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, 4, (9000, 32), dtype=np.uint8)
    ids = np.arange(9000, dtype=np.uint64)
    shuffled = rng.permutation(9000)

    Index.build(hashes, ids, compact=compact).save(tmp_path / "first")
    Index.build(hashes[shuffled], ids[shuffled], threads=3, compact=compact).save(tmp_path / "second")

    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_an_index_can_be_carried_as_bytes(tmp_path: Path) -> None:
    index, hashes = example(300, repeats=True)
    index.save(tmp_path / "list.ring")

    carried = Index.from_bytes(index.to_bytes())

    assert index.to_bytes() == (tmp_path / "list.ring").read_bytes()
    assert carried.search(hashes).id.tolist() == index.search(hashes).id.tolist()
    for damaged in (b"", index.to_bytes()[:-1], index.to_bytes() + b"x"):
        with pytest.raises(DamagedIndex):
            Index.from_bytes(damaged)


def test_replacing_a_file_leaves_those_who_have_it_open_with_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "list.ring"
    old, old_hashes = example(50)
    new, new_hashes = example(60)
    old.save(path)
    opened = Index.open(path)

    new.save(path)

    assert opened.search(old_hashes, 0).id.tolist() == list(range(50))
    assert Index.open(path).search(new_hashes, 0).id.tolist() == list(range(60))
    assert [file.name for file in tmp_path.iterdir()] == ["list.ring"]


def test_a_failed_save_leaves_nothing_behind_and_the_old_file_whole(tmp_path: Path) -> None:
    index, _ = example(10)
    (tmp_path / "taken").mkdir()

    with pytest.raises(OSError):
        index.save(tmp_path / "taken")

    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_every_changed_byte_of_a_file_is_noticed(compact: bool) -> None:
    """All positions: no byte can change an answer without the checksum telling."""
    index, _ = example(40, repeats=True, compact=compact)
    image = bytearray(index.to_bytes())

    for position in range(len(image)):
        image[position] ^= 1 << (position % 8)
        with pytest.raises(DamagedIndex):
            Index.from_bytes(image)
        image[position] ^= 1 << (position % 8)


def test_a_changed_byte_in_any_table_is_noticed(tmp_path: Path, compact: bool) -> None:
    index, _ = example(2000, repeats=True, tables=True, compact=compact)
    path = tmp_path / "list.ring"
    index.save(path)
    image = path.read_bytes()
    rng = np.random.default_rng(2)
    positions = np.concatenate([np.arange(0, len(image), 40_009), rng.integers(0, len(image), 60), [len(image) - 1]])

    with path.open("r+b") as file:
        for position in positions.tolist():
            file.seek(position)
            file.write(bytes([image[position] ^ 0x40]))
            file.flush()
            with pytest.raises(DamagedIndex) as caught:
                Index.open(path)
            assert caught.value.code == "ringmatch.damaged_index"
            file.seek(position)
            file.write(image[position : position + 1])


def test_generated_damage_and_forgeries_keep_to_the_rules() -> None:
    """A few of the cases of fuzz_index_files.py, which runs as many as asked for."""
    program = Path(__file__).with_name("fuzz_index_files.py")
    spec = importlib.util.spec_from_file_location("fuzz_index_files", program)
    assert spec is not None
    assert spec.loader is not None
    fuzz = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_index_files"] = fuzz  # its dataclasses look for their module there
    spec.loader.exec_module(fuzz)

    counts = fuzz.run(cases=220, seed=5)

    assert sum(counts.values()) == 220
    assert counts["refused"] > 70
    assert counts["opened, forged"] > 3


def test_a_file_that_is_cut_off_or_too_long_is_refused(tmp_path: Path) -> None:
    index, _ = example(40, tables=True)
    path = tmp_path / "list.ring"
    index.save(path)
    image = path.read_bytes()

    for length in [0, 1, 8, 71, 72, 4095, 4096, 4097, len(image) // 2, len(image) - 4096, len(image) - 1]:
        path.write_bytes(image[:length])
        with pytest.raises(DamagedIndex):
            Index.open(path)
    path.write_bytes(image + b"\0")
    with pytest.raises(DamagedIndex):
        Index.open(path)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(8000), bytes(10_000), b"RINGMTCH" + bytes(9000)])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)

    with pytest.raises(DamagedIndex):
        Index.open(path)


def test_a_missing_file_and_a_folder_are_errors_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Index.open(tmp_path / "none")
    with pytest.raises(OSError):
        Index.open(tmp_path)


def test_resealing_in_these_tests_matches_the_real_seal() -> None:
    """Otherwise the forgeries below would be refused for the wrong reason."""
    index, _ = example(40, repeats=True, tables=True)
    image = bytearray(index.to_bytes())
    resealed = bytearray(image)

    reseal(resealed)

    assert resealed == image


@pytest.mark.parametrize(
    "field",
    [TOTAL_FIELD, ENTRIES_FIELD, IDS_FIELD, REPEATED_FIELD, LAYOUT_FIELD, FORM_FIELD, PERMUTATION_FIELD],
)
@pytest.mark.parametrize("value", [0, 1, 41, 2**16, 2**31, 2**32 - 1])
def test_a_forged_header_is_refused(tmp_path: Path, field: int, value: int, compact: bool) -> None:
    index, _ = example(40, repeats=True, tables=True, compact=compact)
    image = bytearray(index.to_bytes())
    true_value = struct.unpack_from("=I", image, field)[0]
    if value == true_value:
        value = 2**32 - 2
    struct.pack_into("=I", image, field, value)
    reseal(image)
    path = tmp_path / "forged"
    path.write_bytes(image)

    with pytest.raises(DamagedIndex):
        Index.open(path)


@pytest.mark.parametrize("bits", [*range(6), *range(57, 64), 65, 2**16, 2**32 - 1])
def test_a_forged_width_of_ids_is_refused_or_reads_inside_the_file(bits: int) -> None:
    index, hashes = example(40, repeats=True, tables=True)
    image = bytearray(index.to_bytes())
    struct.pack_into("=I", image, ID_BITS_FIELD, bits)
    reseal(image)

    if bits > 56:
        with pytest.raises(DamagedIndex):
            Index.from_bytes(bytes(image))
    else:
        assert max(Index.from_bytes(bytes(image)).search(hashes).id) < 2**bits


def test_a_forged_table_cannot_make_a_search_read_outside_the_file(compact: bool) -> None:
    index, hashes = example(40, repeats=True, tables=True, compact=compact)
    original = index.to_bytes()
    rng = np.random.default_rng(3)
    refused = 0

    for round_number in range(150):
        image = bytearray(original)
        # Half of the changes hit the ids, the hashes and the first tables, the rest anything.
        limit = 12_000 if round_number % 2 else len(image)
        for position in rng.integers(HEADER_BYTES, limit, 30).tolist():
            image[position] = int(rng.integers(0, 256))
        reseal(image)
        try:
            Index.from_bytes(bytes(image)).search(hashes)
        except DamagedIndex:
            refused += 1

    assert refused > 50


def test_forged_entries_beyond_the_end_are_not_followed(compact: bool) -> None:
    """They are the only numbers that opening does not look at: a search does, when it uses one."""
    index, hashes = example(700, tables=True, compact=compact)
    forged = bytearray(index.to_bytes())
    # The last table: its starts end with the number of entries, and the next section follows on a multiple of 64.
    begin = -(-(forged.rindex(struct.pack("=I", 700)) + 4) // 64) * 64
    length = 700 * 2 if compact else 700 * 10 // 8
    forged[begin : begin + length] = b"\xff" * length
    reseal(forged)

    found = Index.from_bytes(bytes(forged)).search(hashes, 31)

    assert set(found.id.tolist()) <= set(range(700))


@pytest.mark.parametrize(
    ("data", "seed", "expected"),
    [
        (b"", 0, 0xEF46DB3751D8E999),
        (b"a", 0, 0xD24EC4F1A98C6E5B),
        (b"abc", 0, 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0, 0xFBCEA83C8A378BF1),
    ],
)
def test_the_checksum_is_xxh64(data: bytes, seed: int, expected: int) -> None:
    assert _native.xxh64(data, seed) == expected


def test_the_package_is_found_from_the_folder_above_its_sources() -> None:
    """That folder holds one named ringmatch too, which Python would take for a namespace package."""
    folder = Path(__file__).resolve().parents[2]

    answer = subprocess.run(
        [sys.executable, "-c", "import ringmatch; print(ringmatch.pdq.__name__)"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stdout.strip() == "pdq", answer.stderr


@pytest.mark.parametrize("path", _native.available_paths())
def test_the_environment_can_choose_the_instructions(path: str) -> None:
    program = f"import os; os.environ['RINGMATCH_PATH'] = {path!r}; import ringmatch; print(ringmatch.active_path())"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == path
