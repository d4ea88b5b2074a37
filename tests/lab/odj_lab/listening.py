# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP servers that sleep until somebody comes, and that go at once with all their connections."""

from __future__ import annotations

import http.server
import socket
import ssl
import struct
import threading
import typing as t


class Listener(http.server.ThreadingHTTPServer):
    """One port, in a thread of its own once started. It knows its connections and takes them along when it ends."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[http.server.BaseHTTPRequestHandler],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tls = tls
        self._open: set[t.Any] = set()
        self._lock = threading.Lock()
        self._ended = False
        super().__init__(address, handler)
        self._thread = threading.Thread(target=self._run, name=f"{address[0]}:{address[1]}", daemon=True)

    def start(self) -> None:
        """Take connections from now on; those that came since the port listens are waiting."""
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            try:
                connection, address = self.get_request()
            except OSError:
                continue  # it was gone before it was taken, or this ends
            self.process_request(connection, address)

    def get_request(self) -> tuple[t.Any, t.Any]:
        """Accept a connection and remember it; a TLS handshake is left to its own thread."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: t.Any) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Stay silent: clients that go away, or that distrust our certificate, are everyday life."""

    def end(self) -> None:
        """Stop listening, and cut what is open."""
        self._ended = True
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for a connection
        if self._thread.is_alive():
            self._thread.join()
        self.server_close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            cut(connection)


def cut(connection: socket.socket) -> None:
    """End a connection the hard way, as a machine that goes down does."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
