# SPDX-License-Identifier: GPL-3.0-or-later
"""Which unit tests another version of Ansible can make a difference to: those that import it, however far away."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tree import Tree

PREFIX = "ansible_collections.hybridjoin.odj."
UNKNOWN = {"importlib", "subprocess", "runpy", "multiprocessing"}
"""Who imports one of these may reach Ansible in a way that the text does not show."""


def dependants(tree: Tree) -> list[Path]:
    """Return the unit tests, relative to the collection, whose imports lead to Ansible."""
    root = tree.collection
    tests = sorted((root / "tests" / "unit").rglob("test_*.py"))
    return [test.relative_to(root) for test in tests if _reaches_ansible(root, test)]


def _reaches_ansible(root: Path, test: Path) -> bool:
    seen: set[Path] = set()
    queue = [test, *(p / "conftest.py" for p in test.parents if root in p.parents and (p / "conftest.py").exists())]
    while queue:
        file = queue.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in _imported(file):
            if name.partition(".")[0] in {"ansible", *UNKNOWN}:
                return True
            queue += _files(root, name)
    return False


@cache
def _imported(file: Path) -> frozenset[str]:
    """Return all names that a file imports, at any place in it; of ``from a import b`` both a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "importlib" if node.level else str(node.module)  # a relative one leads nobody knows where
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _files(root: Path, name: str) -> Iterator[Path]:
    """Yield the files of the collection that an import runs: the module, and the packages on the way to it."""
    if not name.startswith(PREFIX):
        return
    path = root
    for part in name.removeprefix(PREFIX).split("."):
        path /= part
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.exists():
                yield file
