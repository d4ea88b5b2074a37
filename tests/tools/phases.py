# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases of a job: each says one line with its time when it is over, and shows its output only when it failed."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

Command = Sequence[str | Path]


class PhaseFailed(Exception):
    """A phase did not end as it should; the text is what it printed."""


class PhaseSkipped(Exception):
    """A phase cannot run here; the text is the reason."""


@dataclass
class Tally:
    """What the phases counted: tests, and one for each check that is not made of tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, passed: int = 0, failed: int = 0, skipped: int = 0) -> None:
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped

    def line(self) -> str:
        """Return the closing line."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(command: Command, *, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 1200) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        PhaseFailed: It exited with another code than 0, or took longer than the time given.

    """
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PhaseFailed(f"{command[0]} was still running after {timeout:.0f} s\n{error.output}") from error
    if done.returncode:
        raise PhaseFailed(f"{' '.join(str(w) for w in command)}\nexit code {done.returncode}\n{done.stdout}")
    return done.stdout


def count_tests(output: str) -> dict[str, int]:
    """Add up pytest's closing lines.

    Raises:
        PhaseFailed: There is none, or no test ran.

    """
    totals = {
        kind: sum(int(n) for n in re.findall(rf"(\d+) {kind}[^=\n]* in [\d.]+s", output))
        for kind in ("passed", "skipped")
    }
    if not totals["passed"]:
        raise PhaseFailed(f"no test ran\n{output}")
    return totals


@dataclass(frozen=True)
class Phase:
    """One named check; ``work`` returns the tests it counted, or None for a check that counts as one."""

    name: str
    work: Callable[[], Mapping[str, int] | None]


def carry_out(lanes: Sequence[Sequence[Phase]], tally: Tally) -> None:
    """Run lanes side by side and the phases of a lane one after the other; a failed phase does not stop the others."""
    with ThreadPoolExecutor(max_workers=len(lanes)) as pool:
        for future in [pool.submit(_lane, lane, tally) for lane in lanes]:
            future.result()


def _lane(lane: Sequence[Phase], tally: Tally) -> None:
    for phase in lane:
        begin = time.monotonic()
        try:
            counted = phase.work() or {"passed": 1}
            tally.add(**counted)
            _say(phase, begin, ", ".join(f"{n} {kind}" for kind, n in counted.items() if n))
        except PhaseSkipped as reason:
            tally.add(skipped=1)
            _say(phase, begin, f"skipped: {reason}")
        except PhaseFailed as failure:
            tally.add(failed=1)
            _say(phase, begin, "FAILED\n" + "\n".join(f"    {line}" for line in str(failure).splitlines()[-60:]))


def _say(phase: Phase, begin: float, what: str) -> None:
    print(f"{phase.name:<58}{time.monotonic() - begin:6.1f} s  {what}", flush=True)
