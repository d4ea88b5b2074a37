# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage in the running lab; what a test does to the servers and to Intune is undone after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration.modules.scenery import Person, Stage
from odj_lab import cloud, directory, inventory, world
from odj_lab.settings import Lab
from odj_lab.store import JsonStore, State


@pytest.fixture(scope="module")
def estate(lab: Lab) -> Iterator[Lab]:
    """Name all three servers of the first domain in the inventory."""
    inventory.write(lab, lab.domains[0].servers)
    yield lab
    inventory.write(lab)


def fill(store: JsonStore, content: State) -> None:
    """Put a whole state in the place of another."""
    with store.edit("a test begins or ends") as state:
        state.clear()
        state.update(content)


@contextmanager
def first_day(lab: Lab) -> Iterator[None]:
    """Begin on the first day of servers and cloud, with set-up programs that take no time; put everything back then."""
    servers = {name: JsonStore(lab.server_dir(name) / "state.json") for name in lab.servers}
    cloud_store = JsonStore(lab.cloud_dir / "state.json")
    before = [(store, store.read()) for store in (*servers.values(), cloud_store)]
    fill(cloud_store, cloud.create_state(lab))
    for name, store in servers.items():
        first: State = world.server_state(lab, name)
        first["product"]["install_seconds"] = 0
        fill(store, first)
    yield
    for store, state in before:
        fill(store, state)


@pytest.fixture
def stage(estate: Lab, tmp_path: Path) -> Iterator[Stage]:
    """Have a place for playbooks, on the first day of servers and cloud."""
    with first_day(estate):
        yield Stage(estate, tmp_path)


@pytest.fixture
def person(stage: Stage) -> Iterator[Person]:
    """Somebody who signs in at servers; the accounts that this makes are removed afterwards."""
    one = Person(stage.lab)
    yield one
    with directory.connected(stage.domain, "Administrator") as connection:
        for account in one.made:
            connection.delete(account["dn"])
