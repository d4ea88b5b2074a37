# SPDX-License-Identifier: GPL-3.0-or-later
"""Each room imports only what it may, and no file outgrows its room (docs/architecture.md has the picture)."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
PREFIX = "ansible_collections.hybridjoin.odj.plugins."
MODEL = "module_utils/_model"

# room -> (rooms of ours it may import beside itself, outside packages beside the standard library)
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    MODEL: (set(), set()),
    "module_utils/_controller": ({MODEL}, set()),
    "module_utils/_directory": ({MODEL}, {"ldap3", "dns", "gssapi", "cryptography"}),
    "module_utils/_graph": ({MODEL}, {"msal", "requests", "urllib3", "cryptography"}),
    "module_utils/_module": (
        {MODEL, "module_utils/_controller", "module_utils/_directory", "module_utils/_graph"},
        {"ansible"},
    ),
    "plugin_utils/_windows": ({MODEL}, {"ansible"}),
    "plugin_utils": ({MODEL, "module_utils/_module", "plugin_utils/_windows"}, {"ansible"}),
    "modules": ({MODEL, "module_utils/_module"}, {"ansible"}),
    "action": ({MODEL, "module_utils/_module", "plugin_utils", "plugin_utils/_windows"}, set()),
    "filter": ({MODEL}, {"ansible"}),
    "test": ({MODEL}, {"ansible"}),
    "lookup": ({MODEL, "module_utils/_module"}, {"ansible"}),
    "inventory": ({MODEL, "module_utils/_graph", "module_utils/_module"}, {"ansible"}),
    "doc_fragments": (set(), set()),
}
FILES = sorted(PLUGINS.rglob("*.py"))

# What somebody has to read who wants to understand a module: its own file, and all that it imports, however far away.
MOST_FILES = {"odj_connector_info": 12, "odj_msa": 30, "odj_ou_delegate": 30}
MOST_FLOORS, MOST_ROOMS_OF_THE_MODEL = 5, 14


def room_of(relative: str) -> str:
    return max((room for room in ROOMS if relative.startswith(f"{room}/")), key=len)


@cache
def imported(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "" if not node.level else "." * node.level)
    return tuple(names)


def files_to_read(path: Path) -> set[Path]:
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        seen.add(file)
        ours = (name.removeprefix(PREFIX) for name in imported(file) if name.startswith(PREFIX))
        waiting += {PLUGINS / f"{name.replace('.', '/')}.py" for name in ours} - seen
    return seen


def model_imports() -> dict[str, set[str]]:
    """Return which parts of the model (its files and folders) import which others."""
    edges: dict[str, set[str]] = {}
    for file in (PLUGINS / MODEL).rglob("*.py"):
        part = file.relative_to(PLUGINS / MODEL).parts[0].removesuffix(".py")
        ours = (name.removeprefix(f"{PREFIX}module_utils._model.") for name in imported(file) if ".plugins." in name)
        edges.setdefault(part, set()).update({name.partition(".")[0] for name in ours} - {part})
    return edges


@pytest.mark.parametrize("path", FILES, ids=[str(f.relative_to(PLUGINS)) for f in FILES])
def test_imports_stay_in_their_room(path: Path) -> None:
    room = room_of(path.relative_to(PLUGINS).as_posix())
    ours, outside = ROOMS[room]
    for name in imported(path):
        if name.startswith(PREFIX):
            assert room_of(name.removeprefix(PREFIX).replace(".", "/")) in {room, *ours}, name
        else:
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names or top in outside, name


def test_every_kind_of_plugin_has_a_room() -> None:
    for kind in ("action", "doc_fragments", "filter", "inventory", "lookup", "modules", "test"):
        assert room_of(f"{kind}/odj_anything.py") == kind


def test_no_circle_and_few_floors_in_the_model() -> None:
    edges = model_imports()

    def floor(part: str, above: tuple[str, ...] = ()) -> int:
        assert part not in above, f"circle: {' -> '.join((*above, part))}"
        return 1 + max((floor(other, (*above, part)) for other in edges[part]), default=0)

    assert max(map(floor, edges)) <= MOST_FLOORS
    assert len(edges) <= MOST_ROOMS_OF_THE_MODEL


@pytest.mark.parametrize(("module", "most"), MOST_FILES.items())
def test_a_module_can_be_read_in_an_afternoon(module: str, most: int) -> None:
    assert len(files_to_read(PLUGINS / "modules" / f"{module}.py")) <= most


@pytest.mark.parametrize("path", FILES, ids=[str(f.relative_to(PLUGINS)) for f in FILES])
def test_no_file_hands_on_names(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [n for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "__all__"]


@pytest.mark.parametrize("path", FILES, ids=[str(f.relative_to(PLUGINS)) for f in FILES])
def test_sizes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    is_module = path.parent.name in {"modules", "action"}
    documentation = sum(
        (node.end_lineno or 0) - node.lineno + 1
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").isupper()
    )
    assert len(text.splitlines()) - documentation <= (80 if is_module else 400)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and path.parent.name != "doc_fragments":
            assert (node.end_lineno or 0) - node.lineno + 1 <= 45, node.name


def test_one_gate_for_check_mode_and_one_door_for_failure() -> None:
    for word in ("not check_mode", "fail_json"):
        users = {f.name for f in FILES if word in f.read_text(encoding="utf-8")}
        assert users <= {"task.py"}, (word, users)
