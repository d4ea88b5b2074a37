# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab of these tests' own, on addresses of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.tests.integration import nets
from ansible_collections.hybridjoin.odj.tests.integration.product.scene import lab_at
from odj_lab import directory, world
from odj_lab.settings import Lab


@pytest.fixture(scope="session")
def short_home() -> Iterator[Path]:
    """Yield a directory for labs; those that a killed run has left there go first."""
    if sentence := directory.missing():
        pytest.skip(sentence)
    nets.wipe_all(nets.OWN_LABS)
    nets.OWN_LABS.mkdir(parents=True)
    yield nets.OWN_LABS
    nets.wipe_all(nets.OWN_LABS)


@pytest.fixture(scope="session")
def estate(short_home: Path) -> Iterator[Lab]:
    """Yield a lab that is up, for all tests of this folder; each installs what it needs."""
    net = nets.net("product")
    lab = lab_at(short_home, "product", net)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODJ_LAB_NET", net)
        world.up(lab, lambda __: None)
    yield lab
    world.wipe(lab, lambda __: None)
