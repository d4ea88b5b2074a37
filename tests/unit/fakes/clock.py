# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks on which nobody waits: they only note who wants to."""

from __future__ import annotations

import datetime

NOON = datetime.datetime(2026, 11, 24, 12, 0, 0, tzinfo=datetime.UTC)


class FakeClock:
    """Stands still at noon, and moves on by what somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime.datetime:
        return NOON + datetime.timedelta(seconds=sum(self.slept))

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class PatientClock(FakeClock):
    """Tells the true time; nobody waits."""

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)
