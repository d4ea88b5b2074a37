# SPDX-License-Identifier: GPL-3.0-or-later
"""A set-up program beside the inventory is found, as the README has it, and checked before anything begins (U5)."""

from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.installer_source import places_of, verdict

SUM, OTHER = "a" * 64, "b" * 64


def test_a_bare_name_is_looked_for_beside_inventory_and_playbook() -> None:
    variables = {"inventory_dir": "/estate", "playbook_dir": "/plays"}
    assert places_of("setup.exe", variables) == ("/estate/setup.exe", "/plays/setup.exe")
    assert places_of("files/setup.exe", {"inventory_dir": None}) == ()
    assert places_of("/srv/setup.exe", variables) == ()


@pytest.mark.parametrize(
    ("found", "digest", "wanted", "said"),
    [
        ("/estate/setup.exe", SUM, "met", ""),
        ("/estate/setup.exe", OTHER, "unmet", f"is {OTHER}, expected was {SUM}"),
        ("/estate/setup.exe", None, "unmet", "cannot be read"),
        (None, None, "unmet", "There is no setup.exe on the controller"),
    ],
)
def test_the_verdict_on_a_set_up_program(found: str | None, digest: str | None, wanted: str, said: str) -> None:
    row = verdict("setup.exe", found, digest, SUM)
    assert row["verdict"] == wanted
    assert said in row["cause"]
    assert bool(row["cure"]) == (wanted == "unmet")
