# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import LONGEST_WAIT, seconds_to_wait

NOON = datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("hints", "seconds"),
    [
        (("7", "99"), 7.0),
        (("", "3"), 3.0),
        (("soon", "3"), 3.0),
        (("0",), 0.0),
        (("86400",), 86400.0),
        (("Tue, 24 Nov 2026 12:00:30 GMT",), 30.0),
        (("Tue, 24 Nov 2026 12:00:30 -0000",), 30.0),
        (("Tue, 24 Nov 2026 11:00:00 GMT",), 0.0),
    ],
)
def test_the_first_hint_that_can_be_read_decides(hints: tuple[str, ...], seconds: float) -> None:
    assert seconds_to_wait(hints, 1, NOON, 0.9) == seconds


def test_without_a_hint_the_wait_doubles_up_to_a_limit() -> None:
    waits = [seconds_to_wait(("", "-5", "٣"), attempt, NOON, 0.25) for attempt in (1, 2, 3, 20)]
    assert waits == [1.25, 2.25, 4.25, LONGEST_WAIT]
