# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab that most tests share; each worker of pytest-xdist has one of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ansible_collections.hybridjoin.odj.tests.integration import nets
from odj_lab import directory, world
from odj_lab.settings import Domain, Lab, home_in_environment


def nothing(__: str) -> None:
    """Say nothing of what a lab does."""


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Use the lab that is up, and leave it so; else bring one up, and take it away (or down, when it was there).

    Whatever lab a worker finds under its name was left by one that was killed, and is made anew.
    """
    if sentence := directory.missing():
        pytest.skip(sentence)
    os.environ.update(ODJ_LAB_NAME=nets.NAME, ODJ_LAB_NET=nets.net("lab"))
    here = Lab.from_environment()
    if nets.WORKER and here.path.exists():
        world.wipe(here, nothing)
        here = Lab.from_environment()
    known, was_up = here.path.exists(), world.is_up(here)
    world.up(here, nothing)
    yield here
    if not known:
        world.wipe(here, nothing)
    elif not was_up:
        world.down(here, nothing)


@pytest.fixture(scope="session")
def domain(lab: Lab) -> Domain:
    """Return the first domain of the lab, contoso.test."""
    return lab.domains[0]


@pytest.fixture(scope="session")
def forests(lab: Lab) -> Lab:
    """Return the lab with a second domain, fabrikam.test, which has two servers."""
    both = lab.with_domains("fabrikam.test")
    world.up(both, nothing)
    return both


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Take the labs away that killed workers have left."""
    if nets.WORKER or not session.config.getoption("numprocesses", None):
        return
    home = home_in_environment()
    for path in home.parent.glob(f"{home.name}-gw*/lab.json"):
        world.wipe(Lab.load(path.parent), nothing)
    for place in home.parent.glob(f".{home.name}-gw*/"):
        nets.wipe_all(place)
