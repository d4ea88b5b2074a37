# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to the collection hybridjoin.odj: may change without notice.
"""How an ldap3 connection keeps several requests under way without a second thread.

ldap3's own asynchronous strategy reads in a thread of its own. That thread works on the TLS object at the same time as
the one that writes, which OpenSSL does not allow, and it does not end when the connection breaks under it; here the
one thread there is reads when it wants an answer.
"""

from __future__ import annotations

import typing as t
from collections.abc import Container
from dataclasses import dataclass, field

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import entry_in, message_size, number_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry

try:
    from ldap3.core.exceptions import LDAPSessionTerminatedByServerError, LDAPSocketReceiveError, LDAPSocketSendError
    from ldap3.strategy.sync import SyncStrategy
    from ldap3.utils.asn1 import decode_message_fast
except ImportError:  # said by session.LDAP3_IMPORT_ERROR
    SyncStrategy = object  # type: ignore[assignment,misc]

_CHUNK = 1 << 14  # a TLS record; more would only be allocated, not filled
_UNFINISHED = frozenset({"searchResRef", "intermediateResponse"})


@dataclass(slots=True)
class Answer:
    """What has come for one request.

    Attributes:
        entries: The objects that were found.
        result: ldap3's view of the result (RFC 4511 4.1.9); empty until it has come.

    """

    entries: list[Entry] = field(default_factory=list)
    result: dict[str, t.Any] = field(default_factory=dict)


class PipelinedStrategy(SyncStrategy):
    """Every operation of the connection returns its message id at once; collect() waits for the answer."""

    def __init__(self, connection: t.Any) -> None:
        super().__init__(connection)  # type: ignore[no-untyped-call]
        self.sync = False
        self._outstanding: dict[int, t.Any] = {}
        self._received = bytearray()
        self._answers: dict[int, Answer] = {}
        self._complete: set[int] = set()

    def post_send_search(self, message_id: int) -> int:
        """Let the caller go on (ldap3's hook)."""
        return message_id

    def post_send_single_response(self, message_id: int) -> int:
        """Let the caller go on (ldap3's hook)."""
        return message_id

    def send_raw(self, message_id: int, message: bytes) -> None:
        """Send a message that is encoded already.

        Raises:
            LDAPSocketSendError: The connection is gone.

        """
        self._outstanding[message_id] = {}
        try:
            self.connection.socket.sendall(message)
        except (OSError, AttributeError) as problem:
            raise LDAPSocketSendError(f"error sending data: {problem}") from problem

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
        try:
            data = self.connection.socket.recv(_CHUNK)
        except (OSError, AttributeError) as problem:
            self.connection.last_error = f"error receiving data: {problem}"
            raise LDAPSocketReceiveError(self.connection.last_error) from problem
        if not data:
            self.connection.last_error = "the server ended the connection"
            raise LDAPSessionTerminatedByServerError(self.connection.last_error)
        self._received += data
        try:
            self._take_all()
        except (ValueError, LookupError) as problem:
            self.connection.last_error = f"the server sent what is not LDAP: {problem}"
            raise LDAPSocketReceiveError(self.connection.last_error) from problem

    def _take_all(self) -> None:
        while (size := message_size(self._received[:8])) is not None and size <= len(self._received):
            message = bytes(self._received[:size])
            del self._received[:size]
            self._take(message)

    def _take(self, message: bytes) -> None:
        number = number_of(message)
        if number not in self._outstanding:  # among them 0, the server's notice that it ends the session
            self.connection.last_error = "the server ended the session"
            raise LDAPSessionTerminatedByServerError(self.connection.last_error)
        answer = self._answers.setdefault(number, Answer())
        if entry := entry_in(message):
            answer.entries.append(entry)
            return
        result = self.decode_response_fast(decode_message_fast(message))  # type: ignore[no-untyped-call]
        if result["type"] not in _UNFINISHED:
            answer.result = result
            self._complete.add(number)


def pipelined(connection: t.Any) -> t.Any:
    """Go over to this strategy on a connection that is open and logged on; ldap3 offers no choice but its own ones."""
    strategy = connection.strategy = PipelinedStrategy(connection)
    for name in ("send", "post_send_single_response", "post_send_search"):
        setattr(connection, name, getattr(strategy, name))
    return strategy
