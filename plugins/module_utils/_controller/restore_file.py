# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""The file of restore points: only its owner reads it, and it is whole whatever happens while it is written."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import (
    RestoreError,
    RestorePoint,
    dump,
    load,
)

_KEEP = "No access list is written without a restore point."
_DROP = "The access lists are as they were asked for."


class RestoreFile:
    """A file that grows by a few restore points with each change."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    @classmethod
    def checked(cls, path: str) -> RestoreFile:
        """Return the file at a path at which points can be kept; nothing is changed.

        Raises:
            RestoreError: They cannot, or what is there is something else.
        """
        file = cls(path)
        file.read()
        folder = file._path.parent
        if not folder.is_dir():
            raise file._problem("keep restore points", f"there is no directory {folder}")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise file._problem("keep restore points", f"the directory {folder} may not be written")
        return file

    def read(self) -> tuple[RestorePoint, ...]:
        """Return the points, oldest first; () when there is no file yet.

        Raises:
            RestoreError: It cannot be read, or is something else.
        """
        try:
            mode = self._path.lstat().st_mode
            text = self._path.read_text(encoding="utf-8") if stat.S_ISREG(mode) else None
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as problem:
            raise self._problem("read the restore points", str(problem)) from None
        if text is None:
            raise self._problem("read the restore points", "it is not a regular file")
        return load(text, str(self._path))

    def add(self, points: Sequence[RestorePoint]) -> None:
        """Put points behind those that are there: on the disk, mode 0600, when this returns.

        Raises:
            RestoreError: It cannot be done; the file is as it was.
        """
        try:
            with self._locked():
                self._replace(dump((*self.read(), *points)))
        except OSError as problem:
            raise self._problem("keep restore points", str(problem), _KEEP) from None

    def drop(self, points: Collection[RestorePoint]) -> None:
        """Take these points out again.

        Raises:
            RestoreError: It cannot be done; the file is as it was.
        """
        try:
            with self._locked():
                self._replace(dump(point for point in self.read() if point not in points))
        except OSError as problem:
            raise self._problem("drop restore points that were not needed", str(problem), _DROP) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other tasks out that write the same file at the same time; the lock goes with the process."""
        handle = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _replace(self, text: str) -> None:
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def _problem(self, tried: str, got: str, advice: str = "Nothing was changed.") -> RestoreError:
        return RestoreError(tried, on=str(self._path), got=got, advice=f"Correct backup_path. {advice}")
