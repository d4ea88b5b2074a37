# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage in the running lab; what a test does to the servers and to Intune is undone after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import Person, Stage
from odj_lab import directory, inventory
from odj_lab.settings import SERVERS, Lab
from odj_lab.store import JsonStore


@pytest.fixture(scope="module")
def estate(lab: Lab) -> Iterator[Lab]:
    """Name all three servers in the inventory."""
    inventory.write(lab, len(SERVERS))
    yield lab
    inventory.write(lab)


@pytest.fixture
def stage(estate: Lab, tmp_path: Path) -> Iterator[Stage]:
    """Begin with servers without a connector, whose set-up programs take no time; put everything back afterwards."""
    stores = [JsonStore(d / "state.json") for d in (*map(estate.server_dir, SERVERS), estate.cloud_dir)]
    before = [store.read() for store in stores]
    for store in stores[:-1]:
        with store.edit("a test begins") as state:
            state["product"]["install_seconds"] = 0
    yield Stage(estate, tmp_path)
    for store, first in zip(stores, before, strict=True):
        with store.edit("a test is over") as state:
            state.clear()
            state.update(first)


@pytest.fixture
def person(stage: Stage) -> Iterator[Person]:
    """Somebody who signs in at servers; the accounts that this makes are removed afterwards."""
    one = Person(stage.lab)
    yield one
    with directory.connected(stage.lab, "Administrator") as connection:
        for account in one.made:
            connection.delete(account["dn"])
