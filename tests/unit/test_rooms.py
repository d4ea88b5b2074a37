# SPDX-License-Identifier: GPL-3.0-or-later
"""Each room imports only what it may, and no file outgrows its room (docs/architecture.md has the picture)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
PREFIX = "ansible_collections.hybridjoin.odj.plugins."

# room -> (rooms of ours it may import, outside packages beside the standard library)
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "module_utils/_model": ({"module_utils/_model"}, set()),
    "module_utils/_directory": ({"module_utils/_model", "module_utils/_directory"}, {"ldap3", "dns", "gssapi"}),
    "module_utils/_graph": ({"module_utils/_model", "module_utils/_graph"}, {"msal", "requests", "cryptography"}),
    "module_utils/_module": (
        {"module_utils/_model", "module_utils/_directory", "module_utils/_graph", "module_utils/_module"},
        {"ansible"},
    ),
    "plugin_utils/_windows": ({"module_utils/_model", "plugin_utils/_windows"}, {"ansible"}),
    "plugin_utils": (
        {"module_utils/_model", "module_utils/_module", "plugin_utils/_windows", "plugin_utils"},
        {"ansible"},
    ),
    "modules": ({"module_utils/_module", "module_utils/_model"}, {"ansible"}),
    "action": ({"module_utils/_module", "module_utils/_model", "plugin_utils"}, set()),
    "doc_fragments": (set(), set()),
}
FILES = sorted(PLUGINS.rglob("*.py"))


def room_of(relative: str) -> str:
    return max((room for room in ROOMS if relative.startswith(f"{room}/")), key=len)


def imported(tree: ast.AST) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "" if not node.level else "." * node.level)
    return names


@pytest.mark.parametrize("path", FILES, ids=[str(f.relative_to(PLUGINS)) for f in FILES])
def test_imports_stay_in_their_room(path: Path) -> None:
    ours, outside = ROOMS[room_of(path.relative_to(PLUGINS).as_posix())]
    for name in imported(ast.parse(path.read_text(encoding="utf-8"))):
        if name.startswith(PREFIX):
            assert room_of(name.removeprefix(PREFIX).replace(".", "/")) in ours, name
        else:
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names or top in outside, name


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
    assert len(text.splitlines()) - documentation <= (80 if is_module else 250)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and path.parent.name != "doc_fragments":
            assert (node.end_lineno or 0) - node.lineno + 1 <= 45, node.name


def test_one_gate_for_check_mode_and_one_door_for_failure() -> None:
    for word, allowed in (("not check_mode", {"plan.py"}), ("fail_json", {"run.py", "_stub.py"})):
        users = {f.name for f in FILES if word in f.read_text(encoding="utf-8")}
        assert users <= allowed, (word, users)
