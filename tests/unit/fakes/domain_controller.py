# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain controller as far as the logon, over TCP and TLS; a test says which of its answers are others."""

from __future__ import annotations

import socket
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import SEARCH, Request, requests_on

BIND, EXTENDED = 0, 23
HOST = "127.0.0.1"
ROOT = {
    "defaultNamingContext": ["DC=contoso,DC=test"],
    "configurationNamingContext": ["CN=Configuration,DC=contoso,DC=test"],
    "schemaNamingContext": ["CN=Schema,CN=Configuration,DC=contoso,DC=test"],
    "currentTime": ["20261124120000.0Z"],
    "dnsHostName": ["dc1.contoso.test"],
    "supportedCapabilities": ["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"],
}
# Returns the pieces that are sent. After the last piece of an answer that a test gives, nothing comes any more.
Answer: t.TypeAlias = Callable[[Request], Iterable[bytes]]


def as_usual(request: Request) -> list[bytes]:
    """Return what a domain controller answers."""
    return [request.entry("", **ROOT), request.done()] if request.kind == SEARCH else [request.done()]


def saying(data: bytes) -> Answer:
    """Return an answer that is these bytes, whatever was asked."""
    return lambda request: [data]


class Controller:
    """Takes one connection after the other.

    Attributes:
        answers: The kind of a request -> what is sent instead of the usual answer, before the connection ends.
        asked: The kinds of the requests that came.
    """

    def __init__(
        self, tls: ssl.SSLContext, answers: Mapping[int, Answer], heard: Callable[[], None], *, starts_tls: bool
    ) -> None:
        self.answers = dict(answers)
        self.asked: list[int] = []
        self._heard = heard
        self._tls = tls
        self._starts_tls = starts_tls

    def serve(self, server: socket.socket) -> None:
        """Take connections until the socket is shut down."""
        with suppress(OSError):
            while True:
                accepted, __ = server.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with accepted, suppress(OSError, ValueError):
                    self._serve(accepted)

    def _serve(self, place: socket.socket) -> None:
        if self._starts_tls and not self._talk(place, until=EXTENDED):
            return
        with self._tls.wrap_socket(place, server_side=True) as inside:
            self._talk(inside)

    def _talk(self, place: socket.socket, until: int | None = None) -> bool:
        for requests in requests_on(place):
            for request in requests:
                self.asked.append(request.kind)
                self._heard()
                answer = self.answers.get(request.kind)
                for piece in (answer or as_usual)(request):
                    place.sendall(piece)
                if answer:
                    place.shutdown(socket.SHUT_WR)
                    return False
                if request.kind == until:
                    return True
        return False


@contextmanager
def domain_controller(
    tls: ssl.SSLContext,
    answers: Mapping[int, Answer] | None = None,
    *,
    starts_tls: bool = False,
    heard: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, Controller]]:
    """Yield the port of a domain controller, and the controller itself; ``heard`` is called at each request."""
    controller = Controller(tls, answers or {}, heard, starts_tls=starts_tls)
    with socket.create_server((HOST, 0)) as server:
        thread = threading.Thread(target=controller.serve, args=(server,))
        thread.start()
        try:
            yield server.getsockname()[1], controller
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
