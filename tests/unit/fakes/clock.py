# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks that nobody has to wait for."""

from __future__ import annotations

import datetime

NOON = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)


class StandingClock:
    """Stands still at noon, and moves on by what somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime.datetime:
        return NOON + datetime.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)


class PatientClock(StandingClock):
    """Tells the true time; nobody waits."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)
