# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test that the table of traps in tests/README.md names is there, under that name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_trap_of_the_table_has_its_tests() -> None:
    named = set(re.findall(r"`(test_\w+)`", (TESTS / "README.md").read_text(encoding="utf-8")))
    files = [file for folder in ("unit", "integration", "powershell") for file in (TESTS / folder).rglob("test_*.py")]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    there = {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert named - there == set()
    assert len(named) > 40
