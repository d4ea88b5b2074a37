# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs phases side by side: each as soon as what it needs is there and processors are free, the longest way first."""

from __future__ import annotations

import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from processes import Failed, Shell, Stop, Stopped, tail

PATIENCE = 10
"""A phase is ended when it has taken so many times its usual time ..."""
LEAST_SECONDS = 1200.0
"""... but never before this."""
NEWS_SECONDS = 30.0
"""A line says what is running whenever nothing was said for so long."""


class Skipped(Exception):
    """A phase cannot run here; the text is the reason."""


@dataclass(frozen=True)
class Result:
    """What a phase has to tell.

    Attributes:
        passed: Tests that passed; 1 for a check that is not made of tests.
        skipped: Reasons of the tests that were left out, with how many each.
        slowest: Seconds and names of tests.
        text: More for the reader.
        silent: There was nothing to do and nothing to say.

    """

    passed: int = 1
    skipped: Mapping[str, int] = field(default_factory=dict)
    slowest: Sequence[tuple[float, str]] = ()
    text: str = ""
    silent: bool = False

    def words(self) -> str:
        """Return it in a few words."""
        left_out = sum(self.skipped.values())
        return ", ".join(f"{n} {what}" for n, what in ((self.passed, "passed"), (left_out, "skipped")) if n)


NOTHING = Result(passed=0, silent=True)
READY = Result(passed=0)


@dataclass(frozen=True)
class Phase:
    """One named step.

    Attributes:
        name: What the reader sees, and ODJ_ONLY chooses by.
        work: Does it.
        usual: Seconds that it takes on two quiet processors when nothing is cached.
        needs: Names of the phases that have to be done before.
        load: Processors that it keeps busy, on average.

    """

    name: str
    work: Callable[[Shell], Result]
    usual: float
    needs: tuple[str, ...] = ()
    load: float = 1.0

    @property
    def limit(self) -> float:
        """Seconds after which it is ended."""
        return max(LEAST_SECONDS, PATIENCE * self.usual)


class State(Enum):
    """How a phase ended."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Outcome:
    """How a phase ended, and what it had to say."""

    phase: Phase
    state: State
    seconds: float
    result: Result = NOTHING
    text: str = ""


def choose(phases: Sequence[Phase], text: str, preparing: Sequence[Phase] = ()) -> list[Phase]:
    """Return the phases whose name holds the text, with all that they need; of those that prepare only the needed."""
    by_name = {phase.name: phase for phase in (*preparing, *phases)}
    wanted: set[str] = set()
    queued = [phase.name for phase in phases if text in phase.name]
    while queued:
        name = queued.pop()
        if name not in wanted:
            wanted.add(name)
            queued += by_name[name].needs
    return [phase for name, phase in by_name.items() if name in wanted]


def priorities(phases: Iterable[Phase]) -> dict[str, float]:
    """Return for each phase how many seconds pass from its begin to the end of the last that waits for it."""
    by_name = {phase.name: phase for phase in phases}
    after: dict[str, list[str]] = {name: [] for name in by_name}
    for phase in by_name.values():
        for need in phase.needs:
            after[need].append(phase.name)
    known: dict[str, float] = {}

    def path(name: str) -> float:
        if name not in known:
            known[name] = by_name[name].usual + max((path(later) for later in after[name]), default=0.0)
        return known[name]

    for name in by_name:
        path(name)
    return known


class Run:
    """One run of a list of phases.

    Args:
        phases: In any order.
        processors: How many phases that keep one processor busy may run at once.
        logs: Directory for the output of the phases.
        say: Takes each line for the reader.

    """

    def __init__(self, phases: Sequence[Phase], processors: int, logs: Path, say: Callable[[str], None]) -> None:
        self._phases, self._processors, self._logs, self._say = phases, processors, logs, say
        self._rank = priorities(phases)
        self._waiting = sorted(phases, key=lambda phase: -self._rank[phase.name])
        self._running: dict[str, tuple[Phase, float]] = {}
        self._ended: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._stop = Stop()
        self._begun = time.monotonic()
        self.outcomes: dict[str, Outcome] = {}

    def carry_out(self) -> None:
        """Run all of them. A phase that fails stops only those that need it.

        Raises:
            KeyboardInterrupt: Somebody stopped the run; all that ran has been ended.

        """
        try:
            while self._waiting or self._running:
                self._begin_what_can()
                if self._running:
                    self._next()
        except BaseException:
            self._stop.set()
            ended = [self._ended.get() for __ in self._running]
            self._running.clear()
            for outcome in ended:
                self._note(outcome)
            raise

    def _begin_what_can(self) -> None:
        for phase in list(self._waiting):
            needed = [self.outcomes.get(name) for name in phase.needs]
            missing = [outcome for outcome in needed if outcome and outcome.state is not State.DONE]
            if missing:
                self._waiting.remove(phase)
                self._end_unbegun(phase, missing[0])
            elif all(needed) and self._fits(phase):
                self._waiting.remove(phase)
                self._running[phase.name] = (phase, time.monotonic())
                threading.Thread(target=self._work, args=(phase,), name=phase.name).start()

    def _fits(self, phase: Phase) -> bool:
        load = sum(running.load for running, _since in self._running.values())
        return not load or load + phase.load <= self._processors + 1e-9

    def _end_unbegun(self, phase: Phase, cause: Outcome) -> None:
        """Leave out a phase: for the same reason as the one that it needs, or because that one failed."""
        text = cause.text if cause.state is State.SKIPPED else f"{cause.phase.name} did not succeed"
        self._note(Outcome(phase, State.SKIPPED, 0.0, text=text))

    def _work(self, phase: Phase) -> None:
        begun = time.monotonic()
        log = self._logs / (re.sub(r"[^A-Za-z0-9.]+", "-", phase.name).strip("-") + ".log")
        log.touch()
        shell = Shell(f"{os.getpid()}.{phase.name}", log, self._stop, phase.limit)
        state, result, text = State.FAILED, NOTHING, ""
        try:
            result = phase.work(shell)
            state = State.DONE
        except Skipped as reason:
            state, text = State.SKIPPED, str(reason)
        except Stopped:
            state = State.STOPPED
        except Failed as failure:
            text = str(failure)
        except Exception as error:  # a mistake of the gate's own must not pass for a phase that never ended
            text = "\n".join([*tail(log), f"{type(error).__name__}: {error}"])
        finally:
            shell.sweep()
            self._ended.put(Outcome(phase, state, time.monotonic() - begun, result, text))

    def _next(self) -> None:
        """Wait for a phase to end; meanwhile say now and then what is running."""
        while True:
            try:
                outcome = self._ended.get(timeout=NEWS_SECONDS)
            except queue.Empty:
                self._say_running()
                continue
            del self._running[outcome.phase.name]
            self._note(outcome)
            return

    def _note(self, outcome: Outcome) -> None:
        self.outcomes[outcome.phase.name] = outcome
        if not outcome.result.silent or outcome.state is not State.DONE:
            self._say(line(outcome))
        shown = outcome.text.splitlines()[-60:] if outcome.state is State.FAILED else outcome.result.text.splitlines()
        for text in shown:
            self._say(f"    {text}")

    def _say_running(self) -> None:
        now = time.monotonic()
        running = sorted(self._running.values(), key=lambda pair: pair[1])
        names = ", ".join(f"{phase.name} ({now - since:.0f} s)" for phase, since in running)
        self._say(f"  {now - self._begun:4.0f} s  running: {names}")


def line(outcome: Outcome) -> str:
    """Return the line that a reader sees when a phase has ended."""
    said = {
        State.DONE: outcome.result.words(),
        State.SKIPPED: f"skipped: {outcome.text}",
        State.FAILED: "FAILED",
        State.STOPPED: "stopped",
    }[outcome.state]
    return f"{outcome.phase.name:<58}{outcome.seconds:6.1f} s  {said}".rstrip()
