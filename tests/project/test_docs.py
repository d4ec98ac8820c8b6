"""What the documents say exists, exists; what no file may hold, no file holds."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from vigil.cli import parser

PROJECT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
# The patterns are written apart, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:wo" r"rk|ho" r"me/\w+|Us" r"ers/\w+|ro" r"ot/(?!\.cache)\w+)/"),
    "a temporary path": re.compile(r"(?<![\w./])/tm" r"p/(?!vigil)\w"),
    "a private registry": re.compile(r"(?i)artif" r"actory|nex" r"us\.|index-ur" r"l\s*=|pypi\.(?!org)[a-z]+"),
    "something left to do": re.compile(r"\bTO" r"DO\b(?!.*#\d)|\bFIX" r"ME\b|\bXX" r"X\b"),
}
# (file, what): why it stands.
ALLOWED: dict[tuple[str, str], str] = {}


@cache
def tracked():
    """Every text file of the repository, by path. What git does not know yet but does not ignore counts too."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    found = {}
    for name in listed.rstrip("\0").split("\0"):
        path = PROJECT / name
        if path.is_file():
            try:
                found[name] = path.read_text()
            except UnicodeDecodeError:
                continue
    return found


def documents():
    return {name: text for name, text in tracked().items() if name.endswith(".md")}


def anchor_of(heading):
    """The anchor that a heading gets: small letters, no punctuation, spaces as hyphens."""
    words = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


@pytest.mark.parametrize("name", sorted(documents()))
def test_every_link_within_the_repository_leads_somewhere(name):
    broken = []
    for target in LINK.findall(re.sub(r"```.*?```", "", documents()[name], flags=re.DOTALL)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (PROJECT / name).parent / path if path else PROJECT / name
        if not file.resolve().is_relative_to(PROJECT) or not file.exists():
            broken.append(target)
        elif anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            if anchor not in {anchor_of(heading) for heading in headings}:
                broken.append(target)
    assert broken == []


def make_targets(name):
    """What `make` knows beside a document, or at the root."""
    beside = (PROJECT / name).parent / "Makefile"
    makefile = beside if beside.exists() else PROJECT / "Makefile"
    return set(re.findall(r"^([a-z][a-z0-9-]*):", makefile.read_text(), re.MULTILINE))


def commands():
    """Every command of `vigil` as words: `vigil audit verify`, with the names that its last word may have."""

    def walk(one, words):
        subs = [
            action for action in one._actions if getattr(action, "choices", None) and hasattr(action, "_parser_class")
        ]
        yield (
            words,
            {name for action in one._actions if not hasattr(action, "_parser_class") for name in action.choices or ()},
        )
        for action in subs:
            for name, sub in action.choices.items():
                yield from walk(sub, (*words, name))

    return dict(walk(parser(), ()))


def problem_of(call):
    """What is wrong with `vigil WORDS` as a document says it, or an empty text."""
    known, taken, words = commands(), (), call.split()
    while words and (*taken, words[0]) in known:
        taken, words = (*taken, words[0]), words[1:]
    is_command = bool(taken) and not any(other[: len(taken)] == taken and other != taken for other in known)
    if not is_command and (not taken or (words and words[0].isalpha() and words[0].islower())):
        return f"no command: {call}"
    choices = known[taken]
    if words and choices and words[0].isalpha() and words[0].islower() and words[0] not in choices:
        return f"no {words[0]} in: {call}"
    return ""


def named_in(text, program):
    """What the code in a document calls: the words after `make` or `vigil`."""
    pattern = re.compile(rf"(?<![\w./-])(?:\.venv/bin/)?{program}((?: +[A-Za-z][\w-]*)+)")
    return [match.strip() for code in CODE.findall(text) for match in pattern.findall(code)]


@pytest.mark.parametrize("name", sorted(documents()))
def test_every_command_that_a_document_names_exists(name):
    text = documents()[name]
    targets = {word for call in named_in(text, "make") for word in call.split()[:1]}
    assert targets - make_targets(name) == set()
    assert [problem for call in named_in(text, "vigil") if (problem := problem_of(call))] == []


def test_the_readme_names_the_doors_of_the_project():
    readme = documents()["README.md"]
    assert {"demo", "test"} <= {call.split()[0] for call in named_in(readme, "make")}
    assert any(call.startswith("trace") for call in named_in(readme, "vigil"))


def test_a_wrong_command_and_a_wrong_target_are_noticed():
    assert (
        problem_of("audit verify") == problem_of("web public") == problem_of("trace NUMBER") == problem_of("db") == ""
    )
    assert problem_of("audit repair") and problem_of("web elsewhere") and problem_of("explode")
    assert named_in("`make explode` or\n```\nmake demo # says\n```", "make") == ["explode", "demo"]


def test_both_languages_have_the_same_documents():
    documents_in_french = {name for name in documents() if name.endswith(".fr.md")} | {"LISEZMOI.md"} & set(documents())
    of = {"LISEZMOI.md": "README.md"}
    assert {
        name for name in documents_in_french if of.get(name, name.replace(".fr.md", ".md")) not in documents()
    } == set()
    for name in documents_in_french:
        english = documents()[of.get(name, name.replace(".fr.md", ".md"))]
        count = len(re.findall(r"^#+ ", english, re.MULTILINE))
        assert len(re.findall(r"^#+ ", documents()[name], re.MULTILINE)) == count, (
            f"{name}: other headings than in English"
        )


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_no_file_holds(what):
    found = {
        f"{name}:{number}"
        for name, text in tracked().items()
        for number, line in enumerate(text.splitlines(), 1)
        if FORBIDDEN[what].search(line) and (name, what) not in ALLOWED
    }
    assert found == set()


def test_no_secret_is_in_a_file():
    private = re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|://[^/\s:@]+:[^/\s:@{}]+@"
    )
    found = {
        f"{name}:{number}"
        for name, text in tracked().items()
        if "/tests/" not in f"/{name}"
        for number, line in enumerate(text.splitlines(), 1)
        if private.search(line)
    }
    assert found == set()
