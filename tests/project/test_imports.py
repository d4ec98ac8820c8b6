"""Every import of another room's code points the allowed way and enters by a door that the room offers."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

# Further right may be imported; rooms that stand side by side do not know each other.
LEVELS = (
    ("vigil_demo",),
    ("oversight", "awareness"),
    ("referral", "removal"),
    ("casework",),
    ("intake", "crawl", "imagehelp"),
    ("matching",),
    ("lists",),
    ("accounts",),
    ("audit",),
    ("core",),
)
LEVEL_OF = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
OFFERED = {"services", "selectors", "policies", "errors"}
# What answers HTTP: the only code that may know `web`.
DOORS = {"views", "urls", "urls_public", "urls_partner", "forms", "templatetags", "middleware", "api"}
# Outside the rooms: they start and bind everything, so they may import everything except rooms' models.
AROUND = {"cli", "settings", "urls", "environment"}

# (file, what it imports): why. Every line is used: a test fails on one that is not needed any more.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("vigil_demo/provider.py", "vigil.removal.wire.notice_mail"): (
        "The demonstration's provider is the receiving end of that format; it reads a notice with the format's own parser."
    ),
}


@dataclass(frozen=True)
class Import:
    """One import of our own code: in which file, of which module."""

    path: str
    line: int
    module: str

    @property
    def importer(self):
        """The room that the file belongs to, or the module's name outside the rooms."""
        parts = Path(self.path).with_suffix("").parts
        return parts[0] if parts[0] == "vigil_demo" else parts[1]

    @property
    def is_door(self):
        """Whether the importing file answers HTTP."""
        parts = set(Path(self.path).with_suffix("").parts[2:])
        return bool(parts & DOORS) or any(part.endswith("_views") for part in parts)

    @property
    def imported(self):
        """The room that is imported, and what of it."""
        parts = self.module.split(".")
        if parts[0] == "vigil_demo":
            return "vigil_demo", ".".join(parts[1:])
        return parts[1], ".".join(parts[2:])

    def __str__(self):
        return f"{self.path}:{self.line} imports {self.module}"


def modules_of(tree, package):
    """(line, full name) of every module that a file imports: `from vigil.crawl import services` names vigil.crawl.services."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, base]) if base else ".".join(parent)
            if base.count(".") <= 1:
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, base
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {
            "import_module",
            "import_string",
        }:
            name = node.args[0] if node.args else None
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield node.lineno, name.value


def imports_of(path, source):
    """Every import of our own code in one file."""
    package = ".".join(Path(path).parent.parts)
    found = set(modules_of(ast.parse(source), package))
    return [Import(path, line, name) for line, name in sorted(found) if name.startswith(("vigil.", "vigil_demo."))]


def is_excluded(path):
    """Migrations and tests arrange other rooms' rows; apps only name their room."""
    return bool({"migrations", "tests"} & set(path.parts)) or path.name in {"apps.py", "factories.py", "conftest.py"}


def all_imports():
    paths = [
        path.relative_to(PROJECT) for root in ("vigil", "vigil_demo") for path in sorted((PROJECT / root).rglob("*.py"))
    ]
    return [
        found
        for path in paths
        if not is_excluded(path)
        for found in imports_of(str(path), (PROJECT / path).read_text())
    ]


def problem_of(found):
    """What is wrong with an import, or an empty text."""
    importer, (room, part) = found.importer, found.imported
    first = part.split(".")[0]
    if importer == room or importer in AROUND:
        return "another room's models" if importer in AROUND and first == "models" else ""
    if room in AROUND:
        return "" if room in {"settings", "environment"} else "what starts the rooms"
    if importer == "awareness":
        return "" if room == "web" or (room == "core" and first != "models") else "it stands on core and web alone"
    if room == "web":
        return "" if importer == "vigil_demo" or found.is_door else "web, outside a door"
    if importer == "web":
        return "" if room == "core" else "web knows no room"
    if LEVEL_OF[room] <= LEVEL_OF[importer]:
        return "a room that is not further right"
    if room == "core" and first != "models":
        return ""  # core is not a room: what every room stands on is all offered, except its tables
    return "" if first in OFFERED else "more than the room offers"


def test_every_import_points_right_and_enters_by_a_door():
    wrong = {
        str(found): problem
        for found in all_imports()
        if (problem := problem_of(found)) and (found.path, found.module) not in EXCEPTIONS
    }
    assert wrong == {}


def test_every_exception_is_needed_and_gives_its_reason():
    needed = {(found.path, found.module) for found in all_imports() if problem_of(found)}
    assert {key for key in EXCEPTIONS if key not in needed} == set()
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())


def test_the_walk_sees_the_rooms():
    found = all_imports()
    assert {one.importer for one in found} >= {room for rooms in LEVELS for room in rooms} - {"core"}
    assert len(found) > 300


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("vigil/casework/services/cases.py", "from vigil.crawl.models import Place"),
        ("vigil/casework/services/cases.py", "from vigil.crawl import models"),
        ("vigil/casework/services/cases.py", "import vigil.crawl.models"),
        ("vigil/casework/services/cases.py", "def f():\n    from vigil.crawl.models import Place"),
        ("vigil/casework/services/cases.py", "from vigil.removal.services import open_notice"),
        ("vigil/intake/services.py", "from vigil.crawl.services import seed_places"),
        ("vigil/casework/services/cases.py", "from vigil.web.http import require_post"),
        ("vigil/core/jobs.py", "from vigil.audit import services"),
        ("vigil/casework/jobs.py", "from ..crawl.models import Place"),
        ("vigil/web/http.py", "from vigil.accounts import selectors"),
        ("vigil/casework/views/queue.py", "import importlib\nimportlib.import_module('vigil.crawl.models')"),
        ("vigil/oversight/cli.py", "from vigil_demo.staff import PEOPLE"),
        ("vigil/awareness/facts.py", "from vigil.lists.selectors import entry"),
        ("vigil/oversight/views.py", "from vigil.awareness.selectors import page_of"),
    ],
)
def test_a_forbidden_import_is_found(path, source):
    assert [problem_of(found) for found in imports_of(path, source)] != [""] * len(imports_of(path, source))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("vigil/casework/services/cases.py", "from vigil.crawl.services import seed_places"),
        ("vigil/casework/services/cases.py", "from vigil.crawl import selectors as crawl"),
        ("vigil/casework/views/queue.py", "from vigil.web.http import require_post"),
        ("vigil/casework/services/cases.py", "from .incidents import lock"),
        ("vigil/casework/services/cases.py", "from vigil.core.errors import NotFound"),
    ],
)
def test_an_allowed_import_is_let_through(path, source):
    found = imports_of(path, source)
    assert found and [problem_of(one) for one in found] == [""] * len(found)
