# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test that the table of traps in tests/README.md names is there, under that name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", (TESTS / "README.md").read_text(encoding="utf-8"))))
FILES = [*(TESTS / "unit").rglob("test_*.py"), *(TESTS / "integration").rglob("test_*.py")]


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for path, name in NAMED])
def test_a_trap_has_its_test(path: str, name: str) -> None:
    (file,) = (file for file in FILES if file.as_posix().endswith(f"/{path}"))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_table_names_them() -> None:
    assert len(NAMED) > 40
