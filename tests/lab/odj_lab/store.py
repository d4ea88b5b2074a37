# SPDX-License-Identifier: GPL-3.0-or-later
"""State as one JSON file with a lock and a log of changes, and logs of lines that tests can count."""

from __future__ import annotations

import fcntl
import json
import os
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from odj_lab.processes import LabError

State: t.TypeAlias = dict[str, t.Any]


class JsonLog:
    """A file of JSON lines. Appending is safe from several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, **entry: object) -> None:
        """Add one line; the time (UTC seconds) is put in front."""
        line = json.dumps({"time": time.time(), **entry}, default=str) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def entries(self) -> list[State]:
        """Return all lines, oldest first."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]


class JsonStore:
    """One JSON document shared by processes: read it whole, or edit it under a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changes = JsonLog(path.with_name("changes.jsonl"))

    def read(self) -> State:
        """Return the present state.

        Raises:
            LabError: Somebody has spoilt the file.

        """
        try:
            return t.cast(State, json.loads(self.path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise LabError(f"{self.path} is not JSON ({error}): repair it, or reset the lab.") from error

    def create(self, state: State) -> None:
        """Write the first state."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._write(state)

    @contextmanager
    def edit(self, why: str) -> Iterator[State]:
        """Yield the state for changes; what changed is written and logged unless the block raises.

        Do not hold it while waiting for anything else: everyone who edits waits behind it.
        """
        with self.path.with_suffix(".lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self.read()
            state = json.loads(json.dumps(before))
            yield state
            touched = sorted(key for key in before.keys() | state.keys() if before.get(key) != state.get(key))
            if touched:
                self._write(state)
                self.changes.append(why=why, touched=touched)

    def _write(self, state: State) -> None:
        scratch = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        scratch.write_text(json.dumps(state, sort_keys=True), encoding="utf-8")
        scratch.replace(self.path)
