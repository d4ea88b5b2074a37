# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and playbooks hold look-ups; what decides something is Python with tests, behind ``plugins/filter``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("roles/*/*/*.yml"), *ROOT.glob("playbooks/*.yml")])
PROGRAMS = ("{%", "map(", "zip(", "selectattr", "rejectattr", "extract", "json_query", "regex_")


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_no_expression_is_a_program(path: Path) -> None:
    for expression in re.findall(r"\{\{.*?\}\}", path.read_text(encoding="utf-8"), re.DOTALL):
        assert not [word for word in PROGRAMS if word in expression], expression
        assert len(" ".join(expression.split())) <= 180, expression


def test_whatever_is_done_for_all_is_asked_of_the_group_at_that_moment() -> None:
    """A host that was chosen once takes the work along when it leaves the play."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "run_once" not in text, path
        assert "ansible_play_hosts |" not in text, path
        assert "ansible_play_hosts[" not in text, path
