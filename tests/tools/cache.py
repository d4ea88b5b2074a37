# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that are made once and then only used, named by what they are made of; safe among several runs at once.

``made/NAME`` is a link to ``made/NAME.RANDOM``, and appears in one step when the directory is complete. A directory
never moves, since the programs of a virtual environment hold its path. Whoever uses one, or makes it, holds a shared
lock on its file ``in-use``; the tidy-up takes only what it can lock alone and what nobody has used for long.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KEPT_DAYS = 30
BORN_SECONDS = 3600
"""A directory without a link that is younger than this may be between its birth and its first lock."""


class Cache:
    """What is made below one directory."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self._made = top / "made"
        self._made.mkdir(parents=True, exist_ok=True)
        self._held: list[t.IO[bytes]] = []

    def new_logs(self) -> Path:
        """Return an empty directory for what the phases of a run print; those of old runs are deleted."""
        logs = self.top / "logs"
        logs.mkdir(exist_ok=True)
        for old in logs.iterdir():
            with suppress(FileNotFoundError):  # another run has just deleted it
                if time.time() - old.stat().st_mtime > KEPT_DAYS * 86400:
                    shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S."), dir=logs))

    def find(self, name: str) -> Path | None:
        """Return a complete directory, or None; it is in use from now on until this process ends."""
        link = self._made / name
        while True:
            try:
                directory = link.readlink()
                lock = (self._made / directory / "in-use").open("r+b")
            except FileNotFoundError:
                return None
            fcntl.flock(lock, fcntl.LOCK_SH)
            if os.fstat(lock.fileno()).st_nlink:  # else it was tidied away meanwhile: look again
                os.utime(lock.fileno())
                self._hold(lock)
                return self._made / directory
            lock.close()

    def get(self, name: str, make: Callable[[Path], None], pause: Callable[[float], None]) -> tuple[Path, bool]:
        """Return a directory, and whether it had to be made. When that fails or is stopped, nothing is left.

        Two processes that want the same do not make it twice: the second one waits, and calls ``pause`` with a number
        of seconds meanwhile, which may raise what it likes.
        """
        if found := self.find(name):
            return found, False
        with alone(self._made / f"{name}.lock", pause):
            if found := self.find(name):
                return found, False
            directory = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=self._made))
            try:
                lock = (directory / "in-use").open("xb")
                fcntl.flock(lock, fcntl.LOCK_SH)
                self._hold(lock)
                make(directory)
                self._publish(name, directory)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise
            return directory, True

    def tidy(self, days: float = KEPT_DAYS) -> list[str]:
        """Delete what nobody has used for so many days, and what a killed process left half-made; return the names."""
        gone = []
        with (self._made / "tidy.lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return []  # another run tidies up
            linked = set(self._links().values())
            for directory in self._made.iterdir():
                if directory.is_symlink() or not directory.is_dir():
                    continue
                age = BORN_SECONDS if directory.name not in linked else days * 86400
                if self._unused_for(directory, age) and self._take_away(directory):
                    gone.append(directory.name)
        return gone

    def _links(self) -> dict[Path, str]:
        """Return the names of directories by the links to them."""
        found = {}
        for link in self._made.iterdir():
            with suppress(OSError):  # no link, or replaced just now
                found[link] = link.readlink().name
        return found

    def _hold(self, lock: t.IO[bytes]) -> None:
        """Keep a lock for the rest of this process, whatever program it becomes."""
        os.set_inheritable(lock.fileno(), True)
        self._held.append(lock)

    def _publish(self, name: str, directory: Path) -> None:
        fresh = self._made / f"{directory.name}.link"
        fresh.symlink_to(directory.name)
        fresh.replace(self._made / name)

    def _unused_for(self, directory: Path, seconds: float) -> bool:
        marker = directory / "in-use"
        try:
            return time.time() - (marker if marker.exists() else directory).stat().st_mtime > seconds
        except FileNotFoundError:
            return False

    def _take_away(self, directory: Path) -> bool:
        marker = directory / "in-use"
        try:
            lock = marker.open("ab")
        except FileNotFoundError:  # its maker has just given up
            return False
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            for link, name in self._links().items():
                if name == directory.name:
                    link.unlink(missing_ok=True)
            marker.unlink()  # tells those that wait for the lock
        shutil.rmtree(directory, ignore_errors=True)
        return True


@contextmanager
def alone(path: Path, pause: Callable[[float], None]) -> Iterator[None]:
    """Hold a file's lock; ``pause`` is called with a number of seconds between two tries."""
    with path.open("wb") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                pause(0.5)
        yield
