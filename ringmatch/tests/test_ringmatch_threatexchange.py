"""The drop-in for python-threatexchange, against the real package.

That package is large, so it lives in a folder of its own (`make peers` at the root makes it), where these tests find it.
"""

from __future__ import annotations

import importlib.util
import io
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

if importlib.util.find_spec("threatexchange") is None and (PEERS := Path(sys.prefix) / "peers").is_dir():
    # After everything else, so that what is installed keeps its versions.
    sys.path.append(str(PEERS))
if importlib.util.find_spec("threatexchange") is None:
    pytest.skip(
        "threatexchange IS MISSING: the drop-in for it is untested here. `make test-peers` installs it and runs these tests.",
        allow_module_level=True,
    )

from ringmatch.threatexchange import PdqSignal, RingPdqIndex, RingPdqSignal
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.interface_validation import SignalTypeMapping
from threatexchange.signal_type.pdq import signal as reference
from threatexchange.signal_type.pdq.pdq_index import PDQIndex


def some_entries(count: int) -> tuple[list[tuple[str, dict[str, int]]], list[str]]:
    """Hashes around a few centres with entries, and queries near them."""
    rng = np.random.default_rng(count)
    centres = rng.integers(0, 256, (5, 32), dtype=np.uint8)

    def near(amount: int) -> list[str]:
        flips = np.packbits(rng.random((amount, 256)) < 0.05, axis=1)
        return [row.tobytes().hex() for row in centres[rng.integers(0, 5, amount)] ^ flips]

    return [(signal, {"number": number}) for number, signal in enumerate(near(count))], near(50)


def as_set(matches: list) -> set[tuple[int, int]]:
    return {(match.metadata["number"], match.similarity_info.distance) for match in matches}


@pytest.mark.parametrize("count", [1, 300, 3000])
def test_our_index_gives_the_matches_and_distances_of_theirs(count: int) -> None:
    entries, queries = some_entries(count)
    ours, theirs = RingPdqIndex.build(entries), PDQIndex.build(entries)

    assert len(ours) == len(theirs) == count
    for query in queries:
        found = ours.query(query)
        assert as_set(found) == as_set(theirs.query(query))
        assert [match.similarity_info.distance for match in found] == sorted(
            match.similarity_info.distance for match in found
        )
    assert [as_set(found) for found in ours.query_many(queries)] == [as_set(ours.query(query)) for query in queries]


def test_entries_added_one_by_one_and_repeated_all_come_back() -> None:
    index: RingPdqIndex[str] = RingPdqIndex()
    signal = "f8" * 32

    assert index.query(signal) == []
    index.add(signal, "first")
    assert [match.metadata for match in index.query(signal)] == ["first"]
    index.add(signal, "second")
    index.add_all([("0f" * 32, "other")])

    assert [match.metadata for match in index.query(signal)] == ["first", "second"]
    assert len(index) == 3


@pytest.mark.parametrize("waiting", [False, True])
def test_an_index_survives_serialising(waiting: bool) -> None:
    entries, queries = some_entries(200)
    index = RingPdqIndex.build(entries)
    if not waiting:
        index.query(queries[0])
    file = io.BytesIO()
    index.serialize(file)
    file.seek(0)

    for copy in (RingPdqIndex.deserialize(file), pickle.loads(pickle.dumps(index))):
        assert len(copy) == 200
        assert [as_set(copy.query(query)) for query in queries] == [as_set(index.query(query)) for query in queries]


def test_a_list_with_every_hash_three_times_gives_the_matches_of_theirs() -> None:
    entries, queries = some_entries(100)
    repeated = [(signal, {"number": 1000 * turn + entry["number"]}) for turn in range(3) for signal, entry in entries]
    ours, theirs = RingPdqIndex.build(repeated), PDQIndex.build(repeated)

    found = [as_set(ours.query(query)) for query in queries]

    assert found == [as_set(theirs.query(query)) for query in queries]
    assert max(len(matches) for matches in found) >= 3
    assert as_set(ours.query(entries[0][0])) >= {(turn * 1000, 0) for turn in range(3)}


def test_hashes_in_capitals_are_the_same_hashes_for_both() -> None:
    entries, queries = some_entries(50)
    capitals = [(signal.upper(), entry) for signal, entry in entries]
    ours, theirs = RingPdqIndex.build(capitals), PDQIndex.build(capitals)

    for query in queries:
        assert as_set(ours.query(query.upper())) == as_set(theirs.query(query.upper()))


@pytest.mark.parametrize(
    "signal", ["", "00", "zz" * 32, "0" * 63, "0" * 66, "00 " * 32, "0" * 32, " " + "00" * 32, "é" * 64]
)
def test_something_that_is_no_hash_is_refused_by_both_and_ours_stays_as_it_was(signal: str) -> None:
    good = ("00" * 32, 1)
    index: RingPdqIndex[int] = RingPdqIndex([good])

    with pytest.raises(ValueError):
        index.query(signal)
    with pytest.raises(ValueError):
        index.add_all([("0f" * 32, 2), (signal, 3)])
    assert [match.metadata for match in index.query(good[0])] == [1]
    assert index.query("0f" * 32) == []
    assert len(index) == 1
    with pytest.raises(Exception):  # noqa: B017 (theirs raises whatever its conversion leads it into)
        PDQIndex.build([good, (signal, 2)])


def test_many_threads_that_ask_at_once_after_an_addition_get_every_match_once() -> None:
    entries, queries = some_entries(3000)
    expected = [as_set(RingPdqIndex.build(entries).query(query)) for query in queries]

    for _ in range(5):
        index = RingPdqIndex.build(entries)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(index.query, queries))
        assert [as_set(found) for found in answers] == expected
        assert [len(found) for found in answers] == [len(found) for found in expected]


def test_the_calls_that_hma_makes_give_what_it_stores_and_answers() -> None:
    """Its indexer builds from pairs of text and number and stores the bytes; its matcher reads them and asks."""
    examples = PdqSignal.get_examples()
    mapping = SignalTypeMapping(PdqSignal.get_content_types(), [PdqSignal])
    signal_type = mapping.signal_type_by_name["pdq"]
    index_class = signal_type.get_index_cls()
    assert len(index_class.build([]).query(examples[0])) == 0

    with tempfile.TemporaryFile() as stored:
        index_class.build([(signal, number) for number, signal in enumerate(examples)]).serialize(stored)
        stored.seek(0)
        index = index_class.deserialize(stored)
    found = index.query(signal_type.validate_signal_str(examples[0]))

    theirs = PDQIndex.build([(signal, number) for number, signal in enumerate(examples)]).query(examples[0])
    answers = {(match.metadata, match.similarity_info.pretty_str()) for match in found}
    assert answers == {(match.metadata, match.similarity_info.pretty_str()) for match in theirs}
    assert found[0].metadata == 0 and found[0].similarity_info.pretty_str() == "0"


def test_our_signal_type_takes_the_place_of_theirs(make_picture: Callable[..., NDArray[np.uint8]]) -> None:
    file = io.BytesIO()
    Image.fromarray(make_picture(1)).save(file, "PNG")
    ours = PdqSignal.hash_from_bytes(file.getvalue())
    theirs = reference.PdqSignal.hash_from_bytes(file.getvalue())

    assert PdqSignal.get_name() == reference.PdqSignal.get_name() == "pdq"
    assert PdqSignal.validate_signal_str(ours) == ours
    assert PdqSignal.compare_hash(ours, theirs, 2).match
    assert PdqSignal.get_index_cls() is RingPdqIndex
    assert PdqSignal.hash_from_bytes(b"no picture") == ""


def test_the_command_line_can_load_it_beside_the_built_in_one() -> None:
    manifest = ThreatExchangeExtensionManifest.load_from_module_name("ringmatch.threatexchange")

    mapping = SignalTypeMapping(RingPdqSignal.get_content_types(), [reference.PdqSignal, *manifest.signal_types])

    assert set(mapping.signal_type_by_name) == {"pdq", "ring_pdq"}


def run_tx(home: Path, *arguments: str) -> str:
    """Run the command of python-threatexchange with a home of its own; return what it prints."""
    run = subprocess.run(
        [sys.executable, "-c", "from threatexchange.cli.main import main; main()", *arguments],
        env={**os.environ, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_tx_itself_loads_the_extension_fetches_a_list_and_matches_a_file(
    tmp_path: Path, make_picture: Callable[..., NDArray[np.uint8]]
) -> None:
    for number, name in enumerate(["listed.png", "unlisted.png"]):
        Image.fromarray(make_picture(number)).save(tmp_path / name)
    Image.fromarray(make_picture(0)).save(tmp_path / "sent.jpg", quality=85)

    assert "ring_pdq - RingPdqSignal" in run_tx(tmp_path, "config", "extensions", "add", "ringmatch.threatexchange")
    hashed = dict(line.split() for line in run_tx(tmp_path, "hash", "photo", str(tmp_path / "listed.png")).splitlines())
    assert reference.PdqSignal.compare_hash(hashed["pdq"], hashed["ring_pdq"], 2).match
    (tmp_path / "list.txt").write_text(hashed["ring_pdq"] + "\n")
    source = ["--filename", str(tmp_path / "list.txt"), "--signal-type", "ring_pdq"]
    run_tx(tmp_path, "config", "collab", "edit", "local_file", "--create", "ours", *source)
    run_tx(tmp_path, "fetch", "--only-collab", "ours")

    name, distance, collab, *_ = run_tx(tmp_path, "match", "photo", str(tmp_path / "sent.jpg")).split()
    assert (name, collab) == ("ring_pdq", "(ours)")
    assert (
        int(distance)
        == PdqSignal.compare_hash(
            hashed["ring_pdq"], PdqSignal.hash_from_file(tmp_path / "sent.jpg"), 31
        ).distance.distance
    )
    assert run_tx(tmp_path, "match", "photo", str(tmp_path / "unlisted.png")) == ""
