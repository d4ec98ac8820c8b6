"""The drop-in for python-threatexchange, against the real package."""

from __future__ import annotations

import importlib.util
import io
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

if importlib.util.find_spec("threatexchange") is None:
    pytest.skip(
        "threatexchange IS MISSING: the drop-in for it is untested here (it is large, and tested in an environment of its own)",
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


@pytest.mark.parametrize("signal", ["", "00", "zz" * 32, "0" * 63, "0" * 66])
def test_something_that_is_no_hash_is_refused(signal: str) -> None:
    index: RingPdqIndex[int] = RingPdqIndex([("00" * 32, 1)])

    with pytest.raises(ValueError):
        index.query(signal)
    with pytest.raises(ValueError):
        index.add(signal, 2)
    assert len(index) == 1


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
