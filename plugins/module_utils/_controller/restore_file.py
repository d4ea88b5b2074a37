# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The file of restore points: nobody else could have written what is believed, and it is whole whatever happens."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import (
    RestoreError,
    RestorePoint,
    dump,
    load,
    trimmed,
)

LOCK_LIMIT = 60.0  # seconds that another task may hold the file; one holds it for a moment
LOCK_PAUSE = 0.1  # seconds between two attempts
MOST_BYTES = 1 << 28  # of the file; a point has a few kB
_KEEP = "No access list is written without a restore point."
_SETTLE = "The access lists are not concerned: the file tells more than was done."


class RestoreFile:
    """A file that grows by a few restore points with each change.

    What stands in it is written into access lists later, so it is believed only when nobody else can have written it:
    file and directory belong to the account that the task runs as, or to root, and others may not write them. All
    access goes through the one open directory, so that neither can be exchanged after it was looked at.

    Args:
        path: Where it is.
        clock: For the time limit of the lock.
        keep: How many points of each object stay when a task has written its lists; 0 for all.
    """

    def __init__(self, path: str, clock: Clock, keep: int = 0) -> None:
        self._path = Path(path)
        self._clock = clock
        self._keep = keep

    @classmethod
    def checked(cls, path: str, clock: Clock, keep: int = 0) -> RestoreFile:
        """Return the file at a path at which points can be kept; nothing is changed.

        Raises:
            RestoreError: They cannot, or what is there is something else.
        """
        file = cls(path, clock, keep)
        file.read()
        folder = file._path.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            raise file._problem("keep restore points", f"the directory {folder} may not be written")
        return file

    def read(self) -> tuple[RestorePoint, ...]:
        """Return the points, oldest first; () when there is no file yet.

        Raises:
            RestoreError: It cannot be read, is something else, or somebody else can have written it.
        """
        try:
            with self._folder() as folder:
                return self._points(folder)
        except (OSError, ValueError) as problem:  # ValueError: no text, or no path
            raise self._problem("read the restore points", str(problem)) from None

    def add(self, points: Sequence[RestorePoint]) -> None:
        """Put points behind those that are there: on the disk, mode 0600, when this returns.

        Raises:
            RestoreError: It cannot be done; the file is as it was.
        """
        try:
            with self._folder() as folder, self._locked(folder):
                self._replace(folder, dump((*self._points(folder), *points)))
        except (OSError, ValueError) as problem:
            raise self._problem("keep restore points", str(problem), _KEEP) from None

    def settle(self, made: Collection[RestorePoint], not_made: Collection[RestorePoint]) -> None:
        """Mark the points whose lists were written, take out those whose lists were not, and the oldest of too many.

        Raises:
            RestoreError: It cannot be done; the file is as it was.
        """
        try:
            with self._folder() as folder, self._locked(folder):
                points = [p for p in self._points(folder) if p not in not_made]
                marked = [replace(p, made=True) if p in made else p for p in points]
                self._replace(folder, dump(trimmed(marked, self._keep)))
        except (OSError, ValueError) as problem:
            raise self._problem("take note of what was written", str(problem), _SETTLE) from None

    @contextmanager
    def _folder(self) -> Iterator[int]:
        """Open the directory and refuse one that somebody else may write."""
        folder = self._path.parent
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            raise self._problem("keep restore points", f"there is no directory {folder}") from None
        try:
            found = os.fstat(handle)
            # In a directory with the sticky bit others may put files, but not exchange ours; a file says whose it is.
            self._refuse_others(found, f"the directory {folder}", shared=bool(found.st_mode & stat.S_ISVTX))
            yield handle
        finally:
            os.close(handle)

    def _refuse_others(self, found: os.stat_result, what: str, *, shared: bool = False) -> None:
        owner_is_other = found.st_uid not in (0, os.geteuid())
        if owner_is_other or (found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not shared):
            got = f"{what} belongs to user {found.st_uid}" if owner_is_other else f"others may write {what}"
            raise self._problem(
                "trust the restore points",
                got,
                "Whoever can write them can have any access list written. File and directory have to belong to the "
                "account that the task runs as, and nobody else may write them (chmod go-w). Nothing was changed.",
            )

    def _points(self, folder: int) -> tuple[RestorePoint, ...]:
        try:
            handle = os.open(self._path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except FileNotFoundError:
            return ()
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise OSError("it is not a regular file")
            self._refuse_others(found, "the file")
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise OSError(f"it has more than {MOST_BYTES} bytes")
        return load(data.decode("utf-8"), str(self._path))

    @contextmanager
    def _locked(self, folder: int) -> Iterator[None]:
        """Keep other tasks out that write the same file at the same time; the lock goes with the process.

        The directory is locked, since the file is another one after each change.
        """
        end = self._clock.monotonic() + LOCK_LIMIT
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if self._clock.monotonic() >= end:
                    raise OSError(f"another process has held the directory for {LOCK_LIMIT:g} seconds") from None
                self._clock.sleep(LOCK_PAUSE)
        try:
            yield
        finally:
            fcntl.flock(folder, fcntl.LOCK_UN)

    def _replace(self, folder: int, text: str) -> None:
        """Put a new file in the place of the old one; what a killed task left of its own is taken away."""
        new = f".{self._path.name}.new"
        with suppress(FileNotFoundError):
            os.unlink(new, dir_fd=folder)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._path.name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)  # else the new name may be lost with the power
        except OSError:
            with suppress(OSError):
                os.unlink(new, dir_fd=folder)
            raise

    def _problem(self, tried: str, got: str, advice: str = "Nothing was changed.") -> RestoreError:
        return RestoreError(tried, on=str(self._path), got=got, advice=f"Correct backup_path. {advice}")
