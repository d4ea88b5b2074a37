# SPDX-License-Identifier: GPL-3.0-or-later
"""By how much the clock of a server is wrong."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.host import host_facts, host_probes
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.server.probe import Snapshot
from ansible_collections.hybridjoin.odj.tests.unit.fakes.windows import FakeWindows, facts


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
