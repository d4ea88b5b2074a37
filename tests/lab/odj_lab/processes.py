# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of a lab, each recorded by pid and start time: a pid alone may belong to somebody else by now."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from odj_lab.files import write_private

READY_VARIABLE = "ODJ_LAB_READY_FD"


class LabError(RuntimeError):
    """The lab cannot do what was asked; the text is one sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that can be told from a later one with the same pid, and from one of before a reboot.

    Attributes:
        pid: Process id.
        started: Start time in clock ticks after boot (field 22 of /proc/PID/stat).
        boot: Of which boot (/proc/sys/kernel/random/boot_id).

    """

    pid: int
    started: int
    boot: str

    @property
    def alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        return self.boot == _boot() and _started(self.pid) == self.started


def record(path: Path, pid: int) -> Process:
    """Write down a running process as "pid start boot" and return it."""
    process = Process(pid, _started(pid) or 0, _boot())
    write_private(path, f"{process.pid} {process.started} {process.boot}\n".encode())
    return process


def recorded(path: Path) -> Process | None:
    """Return the process written down in a file if it still runs."""
    try:
        pid, started, boot = path.read_text(encoding="ascii").split()
        process = Process(int(pid), int(started), boot)
    except (FileNotFoundError, ValueError):
        return None
    return process if process.alive else None


def stop(process: Process, seconds: float = 60) -> None:
    """End a process: SIGTERM, and SIGKILL when it takes too long."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return
        try:
            if not process.alive:
                return
            signal.pidfd_send_signal(descriptor, sign)
            if select.select([descriptor], [], [], seconds)[0]:
                return
        finally:
            os.close(descriptor)


def spawn(argv: Sequence[str], *, log: Path, environment: dict[str, str], seconds: float = 600) -> int:
    """Start a process of its own session and return its pid once it says that it is ready.

    The process writes one line to the descriptor that ``ODJ_LAB_READY_FD`` names: ``ready``, or a sentence.

    Raises:
        LabError: It said something else, ended, or took longer than ``seconds``.

    """
    log.parent.mkdir(parents=True, exist_ok=True)
    reader, writer = os.pipe()
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(writer,),
            start_new_session=True,
            env={**environment, READY_VARIABLE: str(writer)},
        )
    os.close(writer)
    try:
        said = os.read(reader, 4096).decode().strip() if select.select([reader], [], [], seconds)[0] else "no answer"
    except BaseException:
        child.kill()
        raise
    finally:
        os.close(reader)
    if said == "ready":
        return child.pid
    child.kill()
    child.wait()
    raise LabError(said or f"The lab's background process ended at once; {log} says why.")


def say(line: str) -> None:
    """Tell the process that started this one that it is ready, or in one line why not."""
    descriptor = os.environ.pop(READY_VARIABLE, "")
    if descriptor:
        with os.fdopen(int(descriptor), "w", encoding="utf-8") as stream:
            stream.write(line.replace("\n", " ") + "\n")


def tree(pid: int) -> list[int]:
    """Return the pids of a process and of all its descendants."""
    found, queue = [], [pid]
    while queue:
        current = queue.pop()
        found.append(current)
        for children in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                queue += map(int, children.read_text(encoding="ascii").split())
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def memory_mib(pid: int) -> float:
    """Return the memory of one process in MiB, shared pages counted in proportion (PSS)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def is_free(address: str, port: int) -> bool:
    """Return whether nobody listens at an address and port, on that address or on all."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _started(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
