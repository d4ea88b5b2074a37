# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Waiting until other domain controllers hold what was written on one."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Mapping

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.progress import Progress

PAUSE = 1.0  # seconds between two looks
_TRIED = "see the account on the other domain controllers"


class Clock(t.Protocol):
    """Measures time and waits."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of this computer."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def wait_for_others(
    others: Mapping[str, Directory], arrived: Callable[[Directory], bool], subject: str, timeout: float, clock: Clock
) -> dict[str, int]:
    """Look at open directories, each once at least, until ``arrived`` says of every one that it holds the subject.

    Returns how often each was looked at. ``timeout`` is in seconds, for all of them together.

    Raises:
        DirectoryError: Names the servers that did not have it in time, or the one that could not be asked.

    """
    looks = dict.fromkeys(others, 0)
    progress = Progress(clock.monotonic)
    waiting = dict(others)
    end = clock.monotonic() + timeout
    while waiting:
        for server, directory in list(waiting.items()):
            looks[server] += 1
            if _has_arrived(arrived, server, directory):
                del waiting[server]
        progress.reached(f"domain controllers hold {subject} as it is to be", len(others) - len(waiting), len(others))
        left = end - clock.monotonic()
        if waiting and left <= 0:
            raise DirectoryError(
                _TRIED,
                on="; ".join(waiting),
                got=f"after {timeout:g} seconds they still hold another state of {subject}",
                advice="What was to be written is written. Look at the replication between them, then run again, or "
                "give it more time with replication_timeout.",
            )
        if waiting:
            clock.sleep(min(PAUSE, left))
    return looks


def _has_arrived(arrived: Callable[[Directory], bool], server: str, directory: Directory) -> bool:
    try:
        return arrived(directory)
    except DirectoryError as problem:
        advice = f"{problem.advice} What was to be written is written.".lstrip()
        raise DirectoryError(_TRIED, on=server, got=problem.got, advice=advice, code=problem.code) from problem
