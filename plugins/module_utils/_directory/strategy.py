# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""How an ldap3 connection keeps several requests under way without a second thread.

ldap3's own asynchronous strategy reads in a thread of its own. That thread works on the TLS object at the same time as
the one that writes, which OpenSSL does not allow, and it does not end when the connection breaks under it; here the
one thread there is reads when it wants an answer.
"""

from __future__ import annotations

import math
import typing as t
from collections.abc import Container
from dataclasses import dataclass, field
from time import monotonic

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import (
    DONE,
    ENTRY,
    HEAD,
    INTERMEDIATE,
    NOTICE,
    REFERENCE,
    Result,
    entry_in,
    head_of,
    message_size,
    result_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry

try:
    from ldap3.core.exceptions import LDAPSessionTerminatedByServerError, LDAPSocketReceiveError, LDAPSocketSendError
    from ldap3.strategy.sync import SyncStrategy
except ImportError:  # said by session.LDAP3_IMPORT_ERROR
    SyncStrategy = object  # type: ignore[assignment,misc]

_CHUNK = 1 << 14  # a TLS record; more would only be allocated, not filled
_UNFINISHED = (REFERENCE, INTERMEDIATE)
_ENDED = "the server ended the connection"


@dataclass(slots=True)
class Answer:
    """What has come for one request.

    Attributes:
        entries: The objects that were found.
        result: How it ended; None until that has come.

    """

    entries: list[Entry] = field(default_factory=list)
    result: Result | None = None


class PipelinedStrategy(SyncStrategy):
    """Every operation of the connection returns its message id at once; collect() waits for the answer.

    Whatever goes wrong on the way ends the connection for good: what comes after half a message means nothing.
    """

    def __init__(self, connection: t.Any) -> None:
        super().__init__(connection)  # type: ignore[no-untyped-call]
        self.sync = False
        self._outstanding: dict[int, t.Any] = {}
        self._received = bytearray()
        self._answers: dict[int, Answer] = {}
        self._complete: set[int] = set()
        self._broken: Exception | None = None

    def post_send_search(self, message_id: int) -> int:
        """Let the caller go on (ldap3's hook)."""
        return message_id

    def post_send_single_response(self, message_id: int) -> int:
        """Let the caller go on (ldap3's hook)."""
        return message_id

    def send(self, message_type: str, request: t.Any, controls: t.Any = None) -> int:
        """Send what ldap3 encodes.

        Raises:
            LDAPException: The connection is gone.

        """
        if self._broken and message_type != "unbindRequest":
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
        self._outstanding[message_id] = {"type": message_type}
        try:
            self.connection.socket.sendall(message)
        except (OSError, AttributeError) as problem:
            raise self._end(LDAPSocketSendError, _reason("sending", problem)) from problem

    def wait_any(self, message_ids: Container[int]) -> int:
        """Return the id of one of these requests whose answer is complete, waiting for it when there is none.

        Raises:
            LDAPException: The connection is gone, or nothing came in time.

        """
        while True:
            for number in self._complete:
                if number in message_ids:
                    return number
            self._receive()

    def collect(self, message_id: int) -> Answer:
        """Return the answer to a request, waiting for it when it has not come yet.

        Raises:
            LDAPException: The connection is gone, or nothing came in time.

        """
        while message_id not in self._complete:
            self._receive()
        self._complete.discard(message_id)
        del self._outstanding[message_id]
        return self._answers.pop(message_id)

    def _receive(self) -> None:
        """Take what comes until there was a whole message; one that comes in drops has no more time than another.

        What is not LDAP is said to whoever waits for more than what came before it.
        """
        if self._broken:
            raise self._broken
        latest = monotonic() + (self.connection.receive_timeout or math.inf)
        try:
            self._received += self._chunk()
            while not self._take_all():
                if monotonic() > latest:
                    raise self._end(LDAPSocketReceiveError, "timed out within an answer")
                self._received += self._chunk()
        except ValueError as problem:
            self._end(LDAPSocketReceiveError, f"the server sent what is not LDAP: {problem}")

    def _chunk(self) -> bytes:
        try:
            data: bytes = self.connection.socket.recv(_CHUNK)
        except (OSError, AttributeError) as problem:
            raise self._end(LDAPSocketReceiveError, _reason("receiving", problem)) from problem
        if not data:
            raise self._end(LDAPSessionTerminatedByServerError, _ENDED)
        return data

    def _take_all(self) -> bool:
        """Take the messages that are complete; say whether there was one."""
        taken = False
        while not self._broken:
            size = message_size(self._received[:HEAD])
            if size is None or size > len(self._received):
                break
            message = bytes(self._received[:size])
            del self._received[:size]
            self._take(message)
            taken = True
        return taken

    def _take(self, message: bytes) -> None:
        number, kind, position = head_of(message)
        if (number, kind) == (0, NOTICE):
            self._end(LDAPSessionTerminatedByServerError, _parting(result_in(message, position)))
            return
        if number not in self._outstanding:
            raise ValueError("an answer to what was not asked")
        answer = self._answers.setdefault(number, Answer())
        final = DONE.get(self._outstanding[number]["type"])
        if kind == ENTRY and final == DONE["searchRequest"]:
            answer.entries.append(entry_in(message, position))
        elif kind == final:
            answer.result = result_in(message, position)
            self._complete.add(number)
        elif kind not in _UNFINISHED:
            raise ValueError("an answer of another kind than the request")

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


def pipelined(connection: t.Any) -> t.Any:
    """Go over to this strategy on a connection that is open and logged on; ldap3 offers no choice but its own ones."""
    strategy = connection.strategy = PipelinedStrategy(connection)
    for name in ("send", "post_send_single_response", "post_send_search"):
        setattr(connection, name, getattr(strategy, name))
    return strategy
