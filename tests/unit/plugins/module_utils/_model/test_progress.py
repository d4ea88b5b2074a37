# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that takes long says how far it has come, in the one place a module can speak to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model import clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import EVERY, Progress
from ansible_collections.hybridjoin.odj.plugins.module_utils._module import ou_delegate
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory import BASE, FakeDirectory
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_task import run
from ansible_collections.hybridjoin.odj.tests.unit.fakes.system_log import system_log


@pytest.fixture
def told() -> Iterator[list[str]]:
    with system_log() as lines:
        yield lines


def test_a_line_every_ten_seconds_and_none_before(told: list[str]) -> None:
    standing = StandingClock()
    said = Progress(standing)
    for count, seconds in enumerate((EVERY - 1, 1, 1, EVERY - 2, 1), start=1):
        standing.sleep(seconds)
        said.reached("units read", count, 5)
    assert told == ["2 of 5 units read", "5 of 5 units read"]


def test_a_long_delegation_tells_what_is_read_written_and_read_back(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = FakeDirectory()
    directory.account("msaODJ1$")
    units = [f"OU=Unit{number},{BASE}" for number in range(40)]
    for unit in units:
        directory.unit(unit)
    monkeypatch.setattr(clock, "EVERY", 0.0)
    run(ou_delegate, directory, organizational_units=units, accounts=["msaODJ1"])
    assert "39 of 40 objects read" in told
    assert [line for line in told if "access lists" in line] == [
        "32 of 40 access lists written",
        "40 of 40 access lists written",
        "32 of 40 access lists read back",
        "40 of 40 access lists read back",
    ]


def test_a_short_run_says_nothing(told: list[str]) -> None:
    directory = FakeDirectory()
    directory.account("msaODJ1$")
    directory.unit(f"OU=Unit,{BASE}")
    run(ou_delegate, directory, organizational_units=[f"OU=Unit,{BASE}"], accounts=["msaODJ1"])
    assert told == []
