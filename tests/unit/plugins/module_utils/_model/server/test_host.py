# SPDX-License-Identifier: GPL-3.0-or-later
"""By how much the clock of a server is wrong."""

from __future__ import annotations

import datetime
import json
import random

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.product import CHANNELS
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.facts import (
    SUBSETS,
    Scope,
    facts_of,
    probes_of,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.host import host_facts, host_probes
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.prerequisites import (
    NEEDED_SUBSETS,
    check_prerequisites,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import NOON
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows, facts

WINDOWS = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"


@pytest.mark.parametrize("offset", [-400.0, -0.0, 301.0])
def test_the_clock_is_bracketed_by_the_controllers(offset: float) -> None:
    result = facts(FakeWindows(clock_offset=offset))["host"]
    assert (result["clock_skew_seconds"], result["clock_uncertainty_seconds"]) == (offset, 0.0)


def test_a_server_clock_within_the_bracket_is_right() -> None:
    asked = FakeWindows().ask(host_probes())
    begin, end = asked.asked_at - datetime.timedelta(seconds=2), asked.answered_at + datetime.timedelta(seconds=3)
    host = host_facts(Snapshot(asked.answers, begin, end))
    assert (host["clock_skew_seconds"], host["clock_uncertainty_seconds"]) == (0.0, 5.0)


def test_a_server_that_tells_no_time_has_no_known_skew() -> None:
    server = FakeWindows(broken={"host"})
    host = facts(server)["host"]
    assert (host["clock_skew_seconds"], host["clock_uncertainty_seconds"]) == (None, None)


@pytest.mark.parametrize("build", ["²", "9" * 5000, "-1", "20348.1", " 20348", "٢٠٣٤٨", "NaN"])
def test_a_build_of_windows_that_is_no_number_is_not_known(build: str) -> None:
    server = FakeWindows()
    server.registry[WINDOWS]["values"]["CurrentBuild"] = {"data": build}
    assert facts(server)["host"]["os_build"] is None


@pytest.mark.once
def test_answers_of_any_kind_make_facts() -> None:
    chance = random.Random(20261128)  # noqa: S311 (a test's choice)
    odd: list[object] = [None, True, -1, 10**30, 1.5, "", "²", "é", "\ud800", [], [[]], {}, {"data": []}, "9" * 5000]

    def spoilt(value: object) -> object:
        if chance.random() < 0.08:
            return chance.choice(odd)
        if isinstance(value, dict):
            return {name: spoilt(each) for name, each in value.items()}
        return [spoilt(each) for each in value] if isinstance(value, list) else value

    server = FakeWindows()
    server.install("6.2604.2000.3")
    server.sign_in()
    server.events = {CHANNELS[0]: [{"id": 30132, "time": "2026-11-24T02:00:00Z", "record_id": 1, "properties": ["x"]}]}
    scope = Scope(frozenset(SUBSETS) - {"connector"})
    answers = server.ask(probes_of(scope)).answers
    for _round in range(2000):
        snapshot = Snapshot({name: spoilt(answer) for name, answer in answers.items()}, NOON, NOON)
        subsets = {"host", "dotnet", "events", "network"}
        json.dumps(facts_of(snapshot, Scope(frozenset(subsets)))).encode()
        check_prerequisites(snapshot, Scope(NEEDED_SUBSETS), "contoso.com")
