# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that leave nothing behind: a phase's processes are known by their environment, and ended with the phase.

They carry the phase's mark there, or name a directory that is the phase's alone (a lab's domain controllers have an
environment of their own). A process group would not do: ansible's workers, sshd and daemons begin sessions themselves.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

Command = Sequence[str | Path]
MARK = "ODJ_RUN_MARK"
GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""
CLEANING = 300.0
"""Seconds that a command which cleans up may take."""


class Failed(Exception):
    """A command did not end as it should; the text is for a person and holds what the command printed."""


class Stopped(Exception):
    """The whole run is being stopped."""


class Stop:
    """Tells all threads at once that the run is being stopped."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()

    def set(self) -> None:
        """Stop the run."""
        os.write(self._writer, b"x")

    @property
    def is_set(self) -> bool:
        """Whether the run is being stopped."""
        return bool(select.select([self._reader], [], [], 0)[0])

    def fileno(self) -> int:
        """Return a descriptor that is readable from the moment of the stop on."""
        return self._reader


class Shell:
    """Runs the commands of one phase.

    Args:
        mark: Names the phase; no other phase of any run on this computer has the same.
        log: File that all output goes to.
        stop: Ends the running command.
        seconds: How long all commands together may take.

    """

    def __init__(self, mark: str, log: Path, stop: Stop, seconds: float) -> None:
        self.mark, self.log = mark, log
        self._places: list[Path] = []
        self._stop, self._seconds, self._end = stop, seconds, time.monotonic() + seconds

    def run(
        self,
        command: Command,
        *,
        cwd: Path,
        env: Mapping[str, str | Path] | None = None,
        answer: bool = False,
        cleaning: bool = False,
    ) -> str:
        """Run a command to its end and return what it printed.

        Args:
            command: Program and arguments.
            cwd: Where it runs.
            env: Variables beside those of this process.
            answer: Return its standard output alone, without what it said of errors.
            cleaning: It cleans up: neither a stop of the run nor the time limit of the phase ends it.

        Raises:
            Failed: It exited with another code than 0, or the phase's time is up.
            Stopped: The run is being stopped.

        """
        if self._stop.is_set and not cleaning:
            raise Stopped
        words = [str(word) for word in command]
        with self.log.open("ab") as log, tempfile.TemporaryFile() as apart:
            begin = log.tell()
            with subprocess.Popen(
                words,
                cwd=cwd,
                env={**os.environ, **{k: str(v) for k, v in (env or {}).items()}, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=apart if answer else log,
                stderr=log,
                start_new_session=True,
            ) as process:
                try:
                    self._wait(process.pid, words[0], cleaning=cleaning)
                except BaseException:
                    self.sweep()
                    raise
            apart.seek(0)
            answered = apart.read()
            log.write(answered)
        with self.log.open("rb") as stream:
            stream.seek(begin)
            printed = stream.read().decode(errors="replace")
        if process.returncode:
            raise Failed(f"{printed.rstrip()}\n{' '.join(words)}\nended with exit code {process.returncode}")
        return answered.decode(errors="replace") if answer else printed

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: The run is being stopped.
            Failed: The phase's time is up.

        """
        left = self._end - time.monotonic()
        if select.select([self._stop], [], [], max(0.0, min(seconds, left)))[0]:
            raise Stopped
        if left <= seconds:
            raise Failed(f"ended: it still waited for another run after {self._seconds:.0f} s")

    def own(self, place: Path) -> None:
        """Make a directory that is the phase's alone: whatever has it in its environment is one of its processes."""
        place.mkdir()
        self._places.append(place)

    def sweep(self) -> int:
        """End all processes of the phase; return how many there were."""
        return end_marked(self.mark, self._places)

    def _wait(self, pid: int, name: str, *, cleaning: bool) -> None:
        seconds = CLEANING if cleaning else max(0.0, self._end - time.monotonic())
        ended = os.pidfd_open(pid)
        try:
            watched = [ended] if cleaning else [ended, self._stop.fileno()]
            ready = select.select(watched, [], [], seconds)[0]
        finally:
            os.close(ended)
        if ended in ready:
            return
        if ready:
            raise Stopped
        limit = CLEANING if cleaning else self._seconds
        raise Failed("\n".join([*tail(self.log), f"{name} was ended: it still ran after {limit:.0f} s"]))


def tail(log: Path, lines: int = 60) -> list[str]:
    """Return the last lines of a log."""
    with log.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - 400 * lines))
        return stream.read().decode(errors="replace").splitlines()[-lines:]


def end_marked(mark: str, places: Sequence[Path] = (), grace: float = GRACE) -> int:
    """End all processes that carry a mark or name a place, and what descends from them; return how many there were."""
    count = 0
    while found := marked(mark, places):  # one that was just being born is found in the next round
        count += len(found)
        end(found, grace)
    return count


def marked(mark: str, places: Sequence[Path] = ()) -> set[int]:
    """Return the processes that carry a mark or name a place in their environment, with all that descends from them."""
    wanted = f"{MARK}={mark}".encode()
    inside = [f"{place}/".encode() for place in places]

    def is_ours(entry: bytes) -> bool:
        # Where a person's shell stands says nothing.
        return entry == wanted or (not entry.startswith((b"PWD=", b"OLDPWD=")) and any(p in entry for p in inside))

    found: set[int] = set()
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError, IndexError):  # gone by now, or somebody else's
            fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] == b"Z":
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            if any(is_ours(variable) for variable in (entry / "environ").read_bytes().split(b"\0")):
                found.add(int(entry.name))
    queue = list(found)
    while queue:
        new = set(children.get(queue.pop(), ())) - found
        found |= new
        queue += new
    return found


def end(pids: Iterable[int], grace: float = GRACE) -> None:
    """End processes: SIGTERM to all, and SIGKILL to those that are still there after the time of grace."""
    waiting: list[int] = []
    for pid in pids:
        with suppress(ProcessLookupError):
            waiting.append(os.pidfd_open(pid))
    try:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for descriptor in waiting:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, sign)
            limit = time.monotonic() + grace
            while waiting and (left := limit - time.monotonic()) > 0:
                for descriptor in select.select(waiting, [], [], left)[0]:
                    waiting.remove(descriptor)
                    os.close(descriptor)
    finally:
        for descriptor in waiting:
            os.close(descriptor)
