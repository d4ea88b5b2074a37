# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated server: its state on disk, its clock, and the log of what was executed on it."""

from __future__ import annotations

import datetime
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from odj_lab.settings import Domain, Lab
from odj_lab.store import JsonLog, JsonStore, State

TICKS_OF_UNIX_EPOCH = 621_355_968_000_000_000  # 100 ns since 0001-01-01 UTC
FILETIME_OF_UNIX_EPOCH = 116_444_736_000_000_000  # 100 ns since 1601-01-01 UTC


@dataclass(frozen=True, slots=True)
class Machine:
    """A server of a lab; everything about it lies in its state file, so any process may hold one of these."""

    lab: Lab
    name: str

    @property
    def domain(self) -> Domain:
        """The domain that it is a member of."""
        return self.lab.domain_of(self.name)

    @property
    def store(self) -> JsonStore:
        """The state and the log of its changes."""
        return JsonStore(self.lab.server_dir(self.name) / "state.json")

    @property
    def executions(self) -> JsonLog:
        """One line for each remote execution; what a user pays for."""
        return JsonLog(self.lab.server_dir(self.name) / "executions.jsonl")

    def read(self) -> State:
        """Return the present state."""
        return self.store.read()

    @contextmanager
    def edit(self, why: str) -> Iterator[State]:
        """Yield the state for changes (short: everyone else waits)."""
        with self.store.edit(why) as state:
            yield state

    @contextmanager
    def planned(self, why: str, *, check_mode: bool) -> Iterator[State]:
        """Yield the state for changes that are kept, or in check mode thrown away."""
        if check_mode:
            yield self.store.read()
            return
        with self.store.edit(why) as state:
            yield state


def server_time(state: State) -> float:
    """Return the time on the server's own clock, UTC seconds."""
    return time.time() + float(state.get("clock_offset_seconds", 0))


def iso(seconds: float) -> str:
    """Print a time as .NET's round-trip format does: seven digits and Z."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}0Z"


def seconds_of(text: str) -> float:
    """Read a time as `iso` prints it (fewer digits allowed)."""
    head, __, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(f"{head}.{(fraction + '000000')[:6]}+00:00")
    return moment.timestamp()


def ticks(seconds: float) -> int:
    """Return .NET ticks of a time."""
    return TICKS_OF_UNIX_EPOCH + round(seconds * 10_000_000)


def filetime(seconds: float) -> int:
    """Return the FILETIME of a time."""
    return FILETIME_OF_UNIX_EPOCH + round(seconds * 10_000_000)


def fault(state: State, kind: str) -> dict[str, t.Any] | None:
    """Return the first fault of a kind that a test has set, or None."""
    return next((f for f in state.get("faults", []) if f.get("kind") == kind), None)
