# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Works through many procedures at a time on one connection: while one waits for its answer, others are asked for."""

from __future__ import annotations

import typing as t
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry, Procedure, Read, T, Write
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError, in_doubt
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

WINDOW = 64  # procedures under way; enough to hide a round trip of 50 ms behind 1 ms of work for each step


class Line(t.Protocol):
    """What carries the steps: each one gets a number when it is sent, and its answer by that number."""

    def ask(self, step: Read | Write) -> int:
        """Send a step and return its number."""

    def first_answered(self, numbers: Collection[int]) -> int:
        """Wait until one of these has its answer, and return its number."""

    def answer(self, number: int, step: Read | Write) -> Entry | None:
        """Return the answer, or raise the DirectoryError that it is."""


@dataclass(slots=True, eq=False)
class _Flight(t.Generic[T]):
    procedure: Procedure[T]
    step: Read | Write = field(init=False)
    outcome: tuple[T | OdjError, ...] = ()


class Pipeline(t.Generic[T]):
    """The procedures that are under way on one line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._waiting: dict[int, _Flight[T]] = {}
        self._failed = False

    def run_all(self, procedures: Iterable[Procedure[T]]) -> Iterator[T | OdjError]:
        """See Directory.run_all."""
        source = iter(procedures)
        queue: deque[_Flight[T]] = deque()
        while True:
            while queue and queue[0].outcome:
                yield queue.popleft().outcome[0]
            while not self._failed and len(queue) < WINDOW and (procedure := next(source, None)) is not None:
                queue.append(_Flight(procedure))
                self._go_on(queue[-1], None)
            if not queue:
                return
            if not queue[0].outcome:
                self._land()

    def _land(self) -> None:
        """Take one answer, and let the procedure that waits for it go on."""
        try:
            number = self._line.first_answered(self._waiting.keys())
        except DirectoryError as problem:  # the connection is gone, for all of them
            stranded = list(self._waiting.values())
            self._waiting.clear()
            for flight in stranded:
                self._go_on(flight, _lost(flight.step, problem))
            return
        flight = self._waiting.pop(number)
        try:
            answer = self._line.answer(number, flight.step)
        except DirectoryError as problem:
            self._go_on(flight, problem)
        else:
            self._go_on(flight, answer)

    def _go_on(self, flight: _Flight[T], answer: Entry | DirectoryError | None) -> None:
        """Hand the answer to the procedure, and send its next step if there is one."""
        while True:
            try:
                if isinstance(answer, DirectoryError):
                    flight.step = flight.procedure.throw(answer)
                else:
                    flight.step = flight.procedure.send(answer)
            except StopIteration as done:
                flight.outcome = (done.value,)
                return
            except OdjError as problem:
                flight.outcome = (problem,)
                self._failed = True
                return
            try:
                self._waiting[self._line.ask(flight.step)] = flight
            except DirectoryError as problem:
                answer = problem
            else:
                return


def _lost(step: Read | Write, problem: DirectoryError) -> DirectoryError:
    """Return the problem of the connection as that of one step, whose answer it took along."""
    own = DirectoryError(step.tried, on=step.dn, got=problem.got, advice=problem.advice)
    return in_doubt(own) if isinstance(step, Write) else own
