"""Formats: what a package says is accepted by the ontology's own validator, fits on a page and shows any tampering."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigil.referral.errors import PackageUnreadable
from vigil.referral.tests import factories
from vigil.referral.wire import case_bundle, contents, manifest, one_page_pdf

CASE_VALIDATE = Path(sys.executable).with_name("case_validate")


def case_validate(bundle: bytes, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = folder / "case.jsonld"
    path.write_bytes(bundle)
    return subprocess.run([CASE_VALIDATE, *arguments, path], capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("version", [[], ["--built-version", "case-1.4.0"]])
def test_the_case_bundle_conforms(tmp_path, version):
    done = case_validate(case_bundle.render(factories.contents()), tmp_path, *version)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Conforms: True" in done.stdout


def test_the_validator_is_no_rubber_stamp(tmp_path):
    bundle = case_bundle.build(factories.contents())
    hashes = [node for node in json.dumps(bundle).split() if node]
    assert hashes
    broken = json.loads(case_bundle.render(factories.contents()).decode().replace('"SHA256"', '"SHA-of-256"'))

    assert case_validate(json.dumps(broken).encode(), tmp_path).returncode != 0


def test_an_empty_case_still_conforms(tmp_path):
    bare = factories.contents(facts=(), words=(), places=(), handles=(), fingerprints=(), steps=())

    assert "Conforms: True" in case_validate(case_bundle.render(bare), tmp_path).stdout


def test_the_bundle_names_every_exhibit_with_its_hashes_and_links():
    package = factories.contents()
    graph = json.loads(case_bundle.render(package))["@graph"]
    by_type = {kind: [node for node in graph if node["@type"] == kind] for kind in {node["@type"] for node in graph}}
    exhibits = {node["case-investigation:exhibitNumber"] for node in by_type["case-investigation:ProvenanceRecord"]}
    assert exhibits == {"2QH7-0RV-5T1/1", "2QH7-0RV-5T1/2", "2QH7-0RV-5T1/3"}
    text = json.dumps(graph)
    assert package.places[0].url in text and package.fingerprints[0].sha256 in text
    identifiers = {node["@id"] for node in graph}
    assert set(_references(graph)) <= identifiers, "a reference leads nowhere"


def _references(node):
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if set(node) == {"@id"}:
            yield node["@id"]
        for item in node.values():
            yield from _references(item)


def test_the_same_contents_give_the_same_bytes():
    package = factories.contents()
    files = {"a.txt": b"one", "b.txt": b"two"}

    assert case_bundle.render(package) == case_bundle.render(package)
    assert one_page_pdf.render(package).pdf == one_page_pdf.render(package).pdf
    assert manifest.pack(files, number="N") == manifest.pack(dict(reversed(files.items())), number="N")


def test_contents_survive_the_journey_through_json():
    package = factories.contents()

    assert contents.from_json(contents.to_json(package)) == package
    with pytest.raises(PackageUnreadable):
        contents.from_json(b'{"format": "something/else"}')


# ---- one page ------------------------------------------------------------------------------------------------------------------
def text_of(pdf: bytes) -> str:
    return " ".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_full_case_fits_on_one_page(language):
    agency = contents.Agency("Demo Police Service", "Service de police démo", "CA-QC", language)
    full = factories.contents(
        agency=agency,
        facts=factories.contents().facts * 5,
        places=tuple(factories.a_place(n) for n in range(1, 60)),
        fingerprints=tuple(factories.a_fingerprint(n) for n in range(60, 100)),
        words=(
            contents.ReporterWords(
                "7K3M-9Q2-X4A", language, factories.NOON, "A page with pictures was reported. " * 300
            ),
        ),
        missing=("no_contact", "no_handles"),
    )

    page = one_page_pdf.render(full)

    assert page.pages == 1 == len(pypdf.PdfReader(io.BytesIO(page.pdf)).pages)
    assert full.number in text_of(page.pdf)


def test_every_fact_on_the_page_has_its_source():
    text = text_of(one_page_pdf.render(factories.contents()).pdf)

    for source in ("Reporter said", "Crawler measured", "Analyst decided"):
        assert source in text


def test_links_on_the_page_are_broken_and_nothing_on_it_can_be_clicked():
    page = one_page_pdf.render(factories.contents())
    text = text_of(page.pdf).replace("\u200b", "").replace(" ", "")

    assert "pictures.example" not in text
    assert "pictures[.]example" in text
    assert all("/Annots" not in page_ for page_ in pypdf.PdfReader(io.BytesIO(page.pdf)).pages)
    assert b"/URI" not in page.pdf


def test_the_page_prints_in_grey():
    page = pypdf.PdfReader(io.BytesIO(one_page_pdf.render(factories.contents()).pdf)).pages[0]
    operators = page.get_contents().get_data()

    assert b" rg" not in operators and b" RG" not in operators and b" scn\nx" not in operators
    spaces = str(page["/Resources"].get("/ColorSpace", {}))
    assert "RGB" not in spaces.replace("sRGB Gray", "")


def test_characters_that_cannot_be_drawn_are_spelled_out_and_said():
    words_ = (
        contents.ReporterWords(
            "7K3M-9Q2-X4A", "en", factories.NOON, "\u1403\u14c4\u1483 and \u4e2d and \u202e hidden, é œ Ω Ж"
        ),
    )

    page = one_page_pdf.render(factories.contents(words=words_))

    assert page.undrawable == ("U+1403", "U+1483", "U+14C4", "U+202E", "U+4E2D")
    text = text_of(page.pdf)
    assert "[U+1403]" in text and "could not be drawn" in text and "Ω" in text


def test_text_is_never_markup():
    nasty = '#panic("x") $x$ *bold* \\ #read("/etc/hostname") [a] <b> @c `d` // gone'
    words_ = (contents.ReporterWords("7K3M-9Q2-X4A", "en", factories.NOON, nasty),)

    text = text_of(one_page_pdf.render(factories.contents(words=words_)).pdf)

    assert '#read("/etc/hostname")' in text.replace("“", '"').replace("”", '"')
    assert "// gone" in text


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=400))
def test_any_words_become_a_page(text):
    words_ = (contents.ReporterWords("7K3M-9Q2-X4A", "en", factories.NOON, text),)

    assert one_page_pdf.render(factories.contents(words=words_)).pages == 1


# ---- manifest -------------------------------------------------------------------------------------------------------------------
FILES = {"facts.json": b'{"a": 1}', "summary.pdf": b"%PDF-1.7 synthetic", "case.jsonld": b"{}"}


def test_a_whole_package_verifies():
    package, document = manifest.pack(FILES, number="2QH70RV5T1")

    assert manifest.verify(package, expected_digest=manifest.digest_of(document)) == []
    rows = {row["name"]: row for row in json.loads(document)["files"]}
    assert rows["facts.json"]["size_bytes"] == 8 and set(rows) == set(FILES)


def repacked(package: bytes, **changes: bytes | None) -> bytes:
    """The package as somebody who changes files but not the manifest would make it."""
    files = manifest.unpack(package) | {name.replace("__", "."): data for name, data in changes.items()}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            if data is not None:
                archive.writestr(name, data)
    return target.getvalue()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"facts__json": b'{"a": 2}'}, ("facts.json", "changed")),
        ({"summary__pdf": None}, ("summary.pdf", "missing")),
        ({"extra__txt": b"x"}, ("extra.txt", "unlisted")),
    ],
)
def test_a_changed_missing_or_added_file_is_found(changes, problem):
    package, _ = manifest.pack(FILES, number="N")

    assert manifest.Problem(*problem) in manifest.verify(repacked(package, **changes))


def test_a_manifest_made_to_match_is_found_by_the_digest_known_from_elsewhere():
    _, document = manifest.pack(FILES, number="N")
    forged, _ = manifest.pack(FILES | {"facts.json": b'{"a": 2}'}, number="N")

    assert manifest.verify(forged) == []
    assert manifest.verify(forged, expected_digest=manifest.digest_of(document)) == [
        manifest.Problem("manifest.json", "changed")
    ]


@given(position=st.integers(min_value=0, max_value=10_000), flip=st.integers(min_value=1, max_value=255))
def test_no_flipped_byte_of_any_file_goes_unseen(position, flip):
    package, document = manifest.pack(FILES, number="N")
    files = manifest.unpack(package)
    name = sorted(files)[position % len(files)]
    data = bytearray(files[name])
    data[position % len(data)] ^= flip
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for each, content in files.items():
            archive.writestr(each, bytes(data) if each == name else content)

    assert manifest.verify(target.getvalue(), expected_digest=manifest.digest_of(document)) != []


@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_package_or_said_not_to_be(data):
    assert manifest.verify(data) == [manifest.Problem("manifest.json", "unreadable")]


def test_the_sums_are_accepted_by_the_ordinary_tool(tmp_path):
    package, _ = manifest.pack(FILES, number="N")
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        archive.extractall(tmp_path)

    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
