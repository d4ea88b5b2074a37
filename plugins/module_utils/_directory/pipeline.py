# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""Many requests under way on one connection: procedures that wait for answers, and the ldap3 strategy below them.

ldap3's own asynchronous strategy reads in a thread of its own. That thread works on the TLS object at the same time as
the one that writes, which OpenSSL does not allow, and it does not end when the connection breaks under it; here the
one thread there is reads when it wants an answer. All that a server sends, from its first byte on, is read here: in a
limited time, into a limited space, and nothing is believed that does not add up.
"""

from __future__ import annotations

import math
import ssl
import typing as t
from collections import deque
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import Answer, Inbox, Result, unbind
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    Entry,
    Procedure,
    Read,
    T,
    Write,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError, in_doubt
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError

try:
    from ldap3.core.exceptions import LDAPSessionTerminatedByServerError, LDAPSocketReceiveError, LDAPSocketSendError
    from ldap3.strategy.sync import SyncStrategy
except ImportError:  # said by session.LDAP3_IMPORT_ERROR
    SyncStrategy = object  # type: ignore[assignment,misc]

WINDOW = 64  # procedures under way; enough to hide a round trip of 50 ms behind 1 ms of work for each step
_CHUNK = 1 << 14  # a TLS record; more would only be allocated, not filled
_ENDED = "the server ended the connection"


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
                self._go_on(flight, _lost_step(flight.step, problem))
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


def _lost_step(step: Read | Write, problem: DirectoryError) -> DirectoryError:
    """Return the problem of the connection as that of one step, whose answer it took along."""
    own = DirectoryError(step.tried, on=step.dn, got=problem.got, advice=problem.advice)
    return in_doubt(own) if isinstance(step, Write) else own


class PipelinedStrategy(SyncStrategy):
    """Every operation of the connection returns its message id at once; collect() waits for the answer.

    Whatever goes wrong on the way ends the connection for good: what comes after half a message means nothing.

    Attributes:
        until: The moment of the clock after which nothing is waited for any more, whatever it is.
        inbox: What has come.
    """

    def __init__(self, connection: t.Any, clock: Clock) -> None:
        super().__init__(connection)  # type: ignore[no-untyped-call]
        self.sync = False
        self.until = math.inf
        self._clock = clock
        self.inbox = Inbox()
        self._outstanding = self.inbox.asked  # ldap3 puts in it what it sends
        self._broken: Exception | None = None

    def post_send_search(self, message_id: int) -> int:
        """Let the caller go on (ldap3's hook)."""
        return message_id

    def post_send_single_response(self, message_id: int) -> int:
        """Let the caller go on (ldap3's hook)."""
        return message_id

    def next_number(self) -> int:
        """Return the number of the next message."""
        return t.cast(int, self.connection.server.next_message_id())

    @contextmanager
    def not_counted(self) -> Iterator[None]:
        """Do what is not the server's doing: the time that it takes is given back."""
        began = self._clock.monotonic()
        yield
        self.until += self._clock.monotonic() - began

    def exchange(self, message_type: str, message_of: Callable[[int], bytes]) -> Answer:
        """Send one message, and wait for its answer.

        Args:
            message_type: As for send_raw.
            message_of: Makes the message from its number.

        Raises:
            LDAPException: The connection is gone, or nothing came in time.
        """
        self._left(self._latest())
        number = self.next_number()
        self.send_raw(number, message_type, message_of(number))
        return self.collect(number)

    def wrap(self, context: ssl.SSLContext, server_name: str) -> None:
        """Go on inside TLS.

        Raises:
            LDAPSocketReceiveError: Something came already, which would be taken for what is sent inside.
            OSError: The handshake fails, or is not done in time.
            ValueError: No certificate can have that name.
        """
        if self._broken:
            raise self._broken
        if self.inbox.rest:
            raise self._end(LDAPSocketReceiveError, "the server sent what is not LDAP: more than its answer before TLS")
        self.connection.socket.settimeout(self._left(self._latest()))
        self.connection.socket = context.wrap_socket(self.connection.socket, server_hostname=server_name)

    def end(self) -> None:
        """Say goodbye where that can be heard, and close the connection."""
        with suppress(OSError, AttributeError):
            if not self._broken:
                self.connection.socket.sendall(unbind(self.next_number()))
        with suppress(OSError, AttributeError):
            self.connection.socket.close()
        self._broken = self._broken or LDAPSocketSendError("the connection was closed")

    def send(self, message_type: str, request: t.Any, controls: t.Any = None) -> int:
        """Send what ldap3 encodes.

        Raises:
            LDAPException: The connection is gone.
        """
        if self._broken:
            raise self._broken
        try:
            return t.cast(int, super().send(message_type, request, controls))  # type: ignore[no-untyped-call]
        except LDAPSocketSendError as problem:
            raise self._end(LDAPSocketSendError, str(problem)) from problem

    def send_raw(self, message_id: int, message_type: str, message: bytes) -> None:
        """Send a message that is encoded already; its type is one of ldap3's words (a key of ber.DONE).

        Raises:
            LDAPSocketSendError: The connection is gone.
        """
        if self._broken:
            raise self._broken
        self.inbox.asked[message_id] = {"type": message_type}
        try:
            self.connection.socket.sendall(message)
        except (OSError, AttributeError) as problem:
            raise self._end(LDAPSocketSendError, _reason("sending", problem)) from problem

    def wait_any(self, message_ids: Container[int]) -> int:
        """Return the id of one of these requests whose answer is complete, waiting for it when there is none.

        Raises:
            LDAPException: The connection is gone, or nothing came in time.
        """
        latest = self._latest()
        while True:
            for number in self.inbox.complete:
                if number in message_ids:
                    return number
            self._receive(latest)

    def collect(self, message_id: int) -> Answer:
        """Return the answer to a request, waiting for it when it has not come yet.

        Raises:
            LDAPException: The connection is gone, or nothing came in time.
        """
        latest = self._latest()
        while message_id not in self.inbox.complete:
            self._receive(latest)
        return self.inbox.take(message_id)

    def _latest(self) -> float:
        """Return the moment until which the next answer has to be there, all of it."""
        return min(self.until, self._clock.monotonic() + (self.connection.receive_timeout or math.inf))

    def _left(self, latest: float) -> float | None:
        """Return the seconds until then, None when there is no limit.

        Raises:
            LDAPSocketReceiveError: There are none.
        """
        left = latest - self._clock.monotonic()
        if left <= 0:
            raise self._end(LDAPSocketReceiveError, "timed out within an answer")
        return None if math.isinf(left) else left

    def _receive(self, latest: float) -> None:
        """Take what comes until there was a whole message; one that comes in drops has no more time than another.

        What is not LDAP is said to whoever waits for more than what came before it.
        """
        if self._broken:
            raise self._broken
        try:
            while not self.inbox.put(self._chunk(latest)):
                pass
        except ValueError as problem:
            self._end(LDAPSocketReceiveError, f"the server sent what is not LDAP: {problem}")
        if self.inbox.notice:
            self._end(LDAPSessionTerminatedByServerError, _parting(self.inbox.notice))

    def _chunk(self, latest: float) -> bytes:
        left = self._left(latest)
        try:
            self.connection.socket.settimeout(left)
            data: bytes = self.connection.socket.recv(_CHUNK)
        except (OSError, AttributeError) as problem:
            raise self._end(LDAPSocketReceiveError, _reason("receiving", problem)) from problem
        if not data:
            raise self._end(LDAPSessionTerminatedByServerError, _ENDED)
        return data

    def _end(self, kind: type[Exception], text: str) -> Exception:
        """Remember that and why the connection is gone, and return it as an error."""
        self.connection.last_error = text
        self._broken = kind(text)
        return self._broken


def _reason(doing: str, problem: Exception) -> str:
    return f"{_ENDED}: {problem}" if isinstance(problem, ConnectionError) else f"error {doing} data: {problem}"


def _parting(notice: Result) -> str:
    """Return what a notice of disconnection says (RFC 4511 4.4.1)."""
    return f"the server ended the session ({notice.code})" + (f": {notice.text}" if notice.text else "")
