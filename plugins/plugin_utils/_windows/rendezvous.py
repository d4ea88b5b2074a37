# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Tasks of one run that wait side by side, each for a person at its server: one tells the others when it is over.

A task ends, for all hosts, when it has ended for the last one. Without this, what follows a sign-in would wait for the
sign-ins at all other servers. Ansible's workers are processes of their own; what those of one run share is its
directory for temporary files, which belongs to its user alone and goes at its end.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from ansible import constants

_FOLDER = "hybridjoin.odj.signed-in"


class Rendezvous:
    """Where the tasks of one run meet.

    Args:
        directory: The run's directory for temporary files.
        name: Name of the host of this task.
        awaited: The hosts whose waits count. They are named, since a wait may be over before another one begins.
    """

    def __init__(self, directory: str, name: str, awaited: Iterable[str]) -> None:
        self._folder = Path(directory) / _FOLDER
        self._name = _file_name(name)
        self._awaited = {_file_name(one) for one in awaited} - {self._name}

    @classmethod
    def of_this_run(cls, name: str, awaited: Iterable[str]) -> Rendezvous:
        """Return the one of the run that this process is a worker of."""
        settings: t.Any = constants
        return cls(str(settings.DEFAULT_LOCAL_TMP), name, awaited)

    def arrive(self) -> None:
        """Tell the others that somebody has signed in here."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        (self._folder / self._name).touch(mode=0o600)

    def others_arrived(self) -> bool:
        """Return whether somebody has signed in at another one of those that count."""
        return any((self._folder / name).exists() for name in self._awaited)


def _file_name(host: str) -> str:
    return "at-" + quote(host, safe="")
