# SPDX-License-Identifier: GPL-3.0-or-later
"""A listener that speaks just enough LDAP (RFC 4511) to play what Samba does not do: limits, disorder, breakdowns."""

from __future__ import annotations

import socket
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from ldap3.strategy.base import BaseStrategy

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.connection import connection_on
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Entry
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import LdapDirectory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import SystemClock

UNBIND, SEARCH, MODIFY = 2, 3, 6
PAGED_RESULTS = b"1.2.840.113556.1.4.319"
Answer: t.TypeAlias = Callable[["list[Request]"], Iterable[bytes]]


def element(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, 0x84)) + len(body).to_bytes(4, "big") + body  # as Active Directory does: always four bytes


def octets(value: str | bytes) -> bytes:
    return element(4, value if isinstance(value, bytes) else value.encode())


def message(number: int, operation: bytes, controls: bytes = b"") -> bytes:
    return element(0x30, element(2, number.to_bytes(4, "big")), operation, controls)


def split(data: bytes) -> tuple[int, bytes, bytes]:
    """Return tag and content of the first element, and what follows it."""
    count = data[1] & 0x7F if data[1] & 0x80 else 0
    start = 2 + count
    size = int.from_bytes(data[2:start], "big") if count else data[1]
    return data[0], data[start : start + size], data[start + size :]


class Request:
    """One request as it arrived: its number, its kind, and the name it is about."""

    def __init__(self, data: bytes) -> None:
        inside = split(data)[1]
        number, rest = split(inside)[1:]
        tag, operation = split(rest)[:2]
        self.number = int.from_bytes(number, "big")
        self.kind = tag & 0x1F
        self.dn = split(operation)[1].decode() if operation else ""
        self.data = data

    def entry(self, dn: str, **values: list[str]) -> bytes:
        """Return one object that was found; in the names of attributes, ``__`` stands for a semicolon."""
        attributes = (
            element(0x30, octets(name.replace("__", ";").replace("_to_", "-")), element(0x31, *map(octets, items)))
            for name, items in values.items()
        )
        return message(self.number, element(0x64, octets(dn), element(0x30, *attributes)))

    def done(self, code: int = 0, text: str = "", cookie: bytes | None = None) -> bytes:
        """Return the result; with a cookie, that of a page."""
        body = element(10, bytes((code,))) + octets("") + octets(text)
        page = octets(element(0x30, element(2, b"\0"), octets(cookie or b"")))
        controls = b"" if cookie is None else element(0xA0, element(0x30, octets(PAGED_RESULTS), page))
        return message(self.number, element(0x60 + self.kind + (2 if self.kind == SEARCH else 1), body), controls)


def requests_on(connection: socket.socket) -> Iterator[list[Request]]:
    """Yield the requests that come over a connection, but for the farewell, as they come."""
    waiting = b""
    while data := connection.recv(1 << 16):
        waiting += data
        found = []
        while 0 < (size := BaseStrategy.compute_ldap_message_size(waiting)) <= len(waiting):
            found.append(waiting[:size])
            waiting = waiting[size:]
        yield [request for request in map(Request, found) if request.kind != UNBIND]


@contextmanager
def listening(
    answer: Answer, place: tuple[str, int] = ("127.0.0.1", 0), tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Yield the port of something that takes one connection; ``answer`` gets what arrived and returns what is sent.

    An answer that is empty ends nothing; an answer that holds b"" ends the connection.
    """
    with socket.create_server(place) as server:
        thread = threading.Thread(target=_serve, args=(server, answer, tls))
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)  # so that nobody waits for a connection that never came
            thread.join()


@contextmanager
def served(answer: Answer, clock: Clock | None = None, timeout: float = 5) -> Iterator[LdapDirectory]:
    """Yield a directory that is logged on, so to speak; ``answer`` as for listening()."""
    with listening(answer) as port:
        place = socket.create_connection(("127.0.0.1", port))
        clock = clock or SystemClock()
        directory = LdapDirectory("fake", connection_on(place, clock, timeout), Entry("", {}), clock)
        try:
            yield directory
        finally:
            directory.close()


def _serve(server: socket.socket, answer: Answer, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        accepted, __ = server.accept()
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with accepted, tls.wrap_socket(accepted, server_side=True) if tls else accepted as connection:
            _talk(connection, answer)


def _talk(connection: socket.socket, answer: Answer) -> None:
    with suppress(ConnectionError):
        open_ = True
        for requests in requests_on(connection):
            for data in answer(requests) if requests and open_ else ():
                if not data:  # closed for writing only: what was sent before is to arrive
                    connection.shutdown(socket.SHUT_WR)
                    open_ = False
                    break
                connection.sendall(data)
