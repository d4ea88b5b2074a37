# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Time: what a clock is, how long runs tell how far they are, and how Windows, AD and people write moments.

The real clock is ``SystemClock`` in ``_module/task.py``; the glue hands it to whoever measures or waits.
"""

from __future__ import annotations

import datetime
import logging
import typing as t

LOGGER = logging.getLogger("hybridjoin.odj")
EVERY = 10.0  # seconds before the first line of progress, and between two of them

_FILETIME_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)
_GENERALIZED = "%Y%m%d%H%M%S"
_TICKS_EPOCH = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)


class Clock(t.Protocol):
    """Tells the time, measures it and waits."""

    def now(self) -> datetime.datetime:
        """Return the present moment, in UTC."""

    def monotonic(self) -> float:
        """Return seconds since some moment in the past; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Progress:
    """Tells how far a long run has come: a line now and then through Python's logging; the glue says where it goes.

    Says nothing of what is done in a few seconds.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin now."""
        self._clock = clock
        self._next = clock.monotonic() + EVERY

    def reached(self, what: str, count: int, total: int) -> None:
        """Take note of how many of how many are done; ``what`` is a plural and a participle, "OUs read"."""
        now = self._clock.monotonic()
        if now >= self._next:
            self._next = now + EVERY
            LOGGER.info("%d of %d %s", count, total, what)


def utc_text(moment: datetime.datetime) -> str:
    """Return a moment as text, to the second: ``2025-11-24T03:11:00Z``."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_filetime(value: int | None) -> datetime.datetime | None:
    """Return the moment of a FILETIME (100 nanoseconds since 1601, MS-DTYP 2.3.3); None for none, 0 and "never"."""
    if value is None or value <= 0:
        return None
    try:
        return _FILETIME_EPOCH + datetime.timedelta(microseconds=value // 10)
    except OverflowError:
        return None


def from_generalized(text: str) -> datetime.datetime | None:
    """Return the moment of a generalized time in UTC (``20251124031100.0Z``); None when it is not one."""
    whole, dot, fraction = text.removesuffix("Z").partition(".")
    if not text.endswith("Z") or (dot and not fraction.isdigit()):
        return None
    try:
        return datetime.datetime.strptime(whole, _GENERALIZED).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def from_ticks(ticks: int | None) -> datetime.datetime | None:
    """Return the moment of a .NET tick count (100 nanoseconds since the year 1, UTC); None when it tells none."""
    if ticks is None:
        return None
    try:
        return _TICKS_EPOCH + datetime.timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None
