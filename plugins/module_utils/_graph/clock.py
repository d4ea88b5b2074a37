# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Time as the adapter needs it; tests bring a clock of their own."""

from __future__ import annotations

import datetime
import time
import typing as t


class Clock(t.Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime.datetime:
        """Return the present moment, in UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of this computer."""

    def now(self) -> datetime.datetime:
        """Return the present moment, in UTC."""
        return datetime.datetime.now(datetime.UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
