# SPDX-License-Identifier: GPL-3.0-or-later
"""No error is raised from itself: Ansible tells a cause behind its error, and such a one again and again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
FILES = sorted(PLUGINS.rglob("*.py"))


def can_be(raised: ast.expr) -> Iterator[str]:
    """Yield the names of what may be raised as it is: the expression itself, or a branch of it."""
    if isinstance(raised, ast.Name):
        yield raised.id
    elif isinstance(raised, ast.IfExp):
        yield from (*can_be(raised.body), *can_be(raised.orelse))
    elif isinstance(raised, ast.BoolOp):
        yield from (name for value in raised.values for name in can_be(value))
    elif isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name):
        # A function that is handed an error may hand it back; what takes it apart (str, an attribute) cannot.
        yield from (one.id for one in raised.args if isinstance(one, ast.Name))


def own_causes(source: str) -> list[int]:
    """Return the lines that raise what may be its own cause."""
    raises = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Raise) and node.exc and node.cause]
    return [
        node.lineno
        for node in raises
        if node.exc and isinstance(node.cause, ast.Name) and node.cause.id in set(can_be(node.exc))
    ]


@pytest.mark.parametrize("path", FILES, ids=[str(file.relative_to(PLUGINS)) for file in FILES])
def test_no_error_is_its_own_cause(path: Path) -> None:
    assert own_causes(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("raise problem from problem", True),
        ("raise (doubt(problem) if writes else problem) from problem", True),
        ("raise after(problem, done) from problem", True),
        ("raise made or problem from problem", True),
        ("raise Other(str(problem)) from problem", False),
        ("raise Other('x') from problem", False),
        ("raise problem from None", False),
        ("raise", False),
    ],
)
def test_the_ways_to_write_it_are_found(statement: str, found: bool) -> None:
    source = f"try:\n    pass\nexcept ValueError as problem:\n    {statement}\n"
    assert bool(own_causes(source)) is found
