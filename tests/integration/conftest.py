# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab that ODJ_LAB_NAME and ODJ_LAB_HOME name; without one, tests that need it are skipped."""

from __future__ import annotations

import pytest

from odj_lab import world
from odj_lab.settings import Domain, Lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    here = Lab.from_environment()
    if not world.is_up(here):
        pytest.skip("no lab is running; make lab-up starts one")
    return here


@pytest.fixture(scope="session")
def domain(lab: Lab) -> Domain:
    """Return the first domain of the lab, contoso.test."""
    return lab.domains[0]
