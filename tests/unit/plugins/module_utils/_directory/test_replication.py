# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.service_accounts import PAUSE, wait_for_others
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import EVERY
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.system_log import system_log


def test_each_server_is_looked_at_until_it_has_it_and_not_after() -> None:
    clock, quick, slow = StandingClock(), FakeDirectory(), FakeDirectory()

    def arrived(directory: Directory) -> bool:
        return directory is quick or clock.monotonic() >= 2 * PAUSE

    looks = wait_for_others({"quick": quick, "slow": slow}, arrived, "msa$", 60, clock)
    assert looks == {"quick": 1, "slow": 3}
    assert clock.monotonic() == 2 * PAUSE


@pytest.mark.parametrize("timeout", [0, 1, 2 * PAUSE + 1])
def test_the_wait_ends_in_time_with_a_look_and_names_who_is_late(timeout: float) -> None:
    clock, looked = StandingClock(), []

    def arrived(directory: Directory) -> bool:
        looked.append(clock.monotonic())
        return False

    with pytest.raises(DirectoryError, match=r"late\): after .* still hold another state of msa\$") as caught:
        wait_for_others({"late": FakeDirectory()}, arrived, "msa$", timeout, clock)
    assert looked[-1] == clock.monotonic() == timeout
    assert "is written" in caught.value.advice


def test_a_long_wait_says_who_has_it() -> None:
    clock, quick, slow = StandingClock(), FakeDirectory(), FakeDirectory()

    def arrived(directory: Directory) -> bool:
        return directory is quick or clock.monotonic() >= 2 * EVERY + PAUSE

    with system_log() as told:
        wait_for_others({"quick": quick, "slow": slow}, arrived, "msa$", 60, clock)
    assert told == ["1 of 2 domain controllers hold msa$ as it is to be"] * 2


def test_nobody_to_wait_for() -> None:
    assert wait_for_others({}, lambda directory: False, "msa$", 0, StandingClock()) == {}
