"""What the documents say is so: their examples run, they name everything public, and the stub is the module's own list."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import inspect
import re
import sys
from pathlib import Path

import pytest

import ringmatch
from ringmatch import _native

FOLDER = Path(__file__).resolve().parents[1]
STUB = FOLDER / "python" / "ringmatch" / "_native.pyi"
REFERENCE = FOLDER / "docs" / "api.md"

if not REFERENCE.exists():
    pytest.skip("THE DOCUMENTS ARE MISSING beside these tests: they stay unchecked here", allow_module_level=True)


def python_blocks(document: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_reference_give_what_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []
    session = doctest.DocTestParser().get_doctest(REFERENCE.read_text(), {}, "api.md", str(REFERENCE), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)

    result = runner.run(session, out=printed.append)

    assert result.failed == 0, "".join(printed)
    assert result.attempted > 30


@pytest.mark.parametrize("name", ["README.md", "docs/hma.md"])
def test_the_python_in_a_document_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = python_blocks(FOLDER / name)
    if any("threatexchange" in block for block in blocks) and importlib.util.find_spec("threatexchange") is None:
        if not (peers := Path(sys.prefix) / "peers").is_dir():
            pytest.skip("threatexchange IS MISSING: the example for it is not run here. `make peers` installs it.")
        monkeypatch.syspath_prepend(str(peers))
    monkeypatch.chdir(tmp_path)

    assert blocks
    names: dict[str, object] = {"__name__": "__example__"}
    for block in blocks:
        exec(compile(block, name, "exec"), names)


def test_the_reference_has_every_public_name_and_every_argument() -> None:
    text = REFERENCE.read_text()
    headings = "\n".join(re.findall(r"^### .*$", text, re.MULTILINE))
    assert [name for name in ringmatch.__all__ if not re.search(rf"\b{name}\b", text)] == []

    functions = [one for name in ringmatch.__all__ if inspect.isfunction(one := getattr(ringmatch, name))]
    classes = [one for name in ringmatch.__all__ if inspect.isclass(one := getattr(ringmatch, name))]
    methods = [
        (f"{one.__name__}.{name}", getattr(one, name))
        for one in classes
        for name, member in vars(one).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, classmethod))
    ]
    for name, member in [(one.__name__, one) for one in functions] + methods:
        assert re.search(rf"\b{name.rpartition('.')[2]}\(", text), f"{name} is not in the reference"
        if f"`{name}(" in headings:
            shown = re.search(rf"`{re.escape(name)}\((.*?)\)`", headings)
            assert shown is not None
            arguments = [part.split("=")[0].strip() for part in shown[1].split(",") if part.strip() not in {"*", ""}]
            assert arguments == [one for one in inspect.signature(member).parameters if one != "self"], name
    properties = [name for one in classes for name, member in vars(one).items() if isinstance(member, property)]
    assert [name for name in properties if f"`{name}`" not in text and f"`.{name}`" not in text] == []


def test_the_reference_has_every_error_with_its_code() -> None:
    text = REFERENCE.read_text()
    for name in ringmatch.__all__:
        one = getattr(ringmatch, name)
        if inspect.isclass(one) and issubclass(one, ringmatch.RingmatchError):
            assert re.search(rf"^\| `{name}`.*\| `{re.escape(one.code)}` \|", text, re.MULTILINE), name


def arguments_of(function: ast.FunctionDef) -> list[tuple[str, bool]]:
    """Names of the arguments, and whether each may be left out."""
    names = [argument.arg for argument in function.args.args]
    required = len(names) - len(function.args.defaults)
    return [(name, number >= required) for number, name in enumerate(names)]


def arguments_of_native(function: object) -> list[tuple[str, bool]]:
    """The same of a function of the module, from the signature that nanobind keeps for it."""
    ((text, *_),) = function.__nb_signature__  # type: ignore[attr-defined]
    inner = re.sub(r"\\\d+", "...", text[: text.rindex(") ->") + 1])
    # The types are not Python: "ndarray[dtype=uint8, shape=(*, 32)]".
    while inner != (plain := re.sub(r"\[[^\[\]]*\]", "", inner)):
        inner = plain
    (parsed,) = ast.parse(f"{inner}: ...").body
    assert isinstance(parsed, ast.FunctionDef)
    return arguments_of(parsed)


def test_the_stub_of_the_native_module_names_what_is_there_and_nothing_else() -> None:
    tree = ast.parse(STUB.read_text())
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    classes = {one.name: one for one in tree.body if isinstance(one, ast.ClassDef)}

    assert {name for name in dir(_native) if not name.startswith("_")} == set(functions) | set(classes)
    for name, function in functions.items():
        assert arguments_of(function) == arguments_of_native(getattr(_native, name)), name
    for name, stub in classes.items():
        real = getattr(_native, name)
        members = {one.name: one for one in stub.body if isinstance(one, ast.FunctionDef)}
        assert {member for member in vars(real) if not member.startswith("_")} == set(members), name
        for member, function in members.items():
            decorators = {decorator.id for decorator in function.decorator_list if isinstance(decorator, ast.Name)}
            assert ("property" in decorators) == (type(vars(real)[member]) is property), member
            if "property" not in decorators:
                assert arguments_of(function) == arguments_of_native(getattr(real, member)), member


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> object:
    folder = FOLDER / "benchmarks"
    if not (folder / "results").is_dir():
        pytest.skip("THE RESULTS OF THE BENCHMARKS ARE MISSING beside these tests")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "report", raising=False)
    import report  # type: ignore[import-not-found]

    return report


def test_the_measurements_say_what_the_result_files_say(report: object) -> None:
    results = report.load(FOLDER / "benchmarks" / "results")  # type: ignore[attr-defined]
    document = (FOLDER / "BENCHMARKS.md").read_text()

    assert results
    assert report.document_with(report.measured_part(results), document) == document  # type: ignore[attr-defined]


def test_a_figure_changed_by_hand_is_noticed(report: object) -> None:
    results = report.load(FOLDER / "benchmarks" / "results")  # type: ignore[attr-defined]
    document = (FOLDER / "BENCHMARKS.md").read_text()
    start = document.index(report.FIRST)  # type: ignore[attr-defined]
    changed = document[:start] + re.sub(r"\d", "8", document[start:], count=200)

    assert report.document_with(report.measured_part(results), changed) != changed  # type: ignore[attr-defined]
