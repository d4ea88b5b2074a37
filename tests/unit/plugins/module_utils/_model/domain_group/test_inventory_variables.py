# SPDX-License-Identifier: GPL-3.0-or-later
"""A misspelt variable is said; what the playbooks read is known, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.domain_group.inventory_variables import (
    KNOWN,
    unknown_variables,
)

PLAYBOOKS = Path(__file__).parents[6] / "playbooks"


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("odj_organisational_units", "odj_organizational_units"),
        ("odj_organizational_unit", "odj_organizational_units"),
        ("odj_signin", "odj_sign_in"),
        ("odj_instaler", "odj_installer"),
    ],
)
def test_a_misspelt_variable_is_said_with_what_is_meant(misspelt: str, meant: str) -> None:
    """U15."""
    assert unknown_variables([misspelt, *KNOWN, "other"]) == [
        f"No playbook of hybridjoin.odj reads the variable {misspelt}; {meant} is probably meant."
    ]


def test_what_the_playbooks_read_is_known() -> None:
    read = {
        name for file in PLAYBOOKS.glob("*.yml") for name in re.findall(r"\bodj_\w+", file.read_text(encoding="utf-8"))
    }
    groups = {"odj_connector_servers"}
    assert {name for name in read if name not in groups} <= KNOWN


def test_a_variable_of_somebody_else_is_told_without_a_guess() -> None:
    assert unknown_variables(["odj_zebra"]) == ["No playbook of hybridjoin.odj reads the variable odj_zebra."]
