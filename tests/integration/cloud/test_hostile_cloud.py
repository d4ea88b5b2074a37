# SPDX-License-Identifier: GPL-3.0-or-later
"""Who answers over a real connection and never comes to an end: the task does, within its time limit."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.client import Graph, GraphError, read_connectors
from ansible_collections.hybridjoin.odj.plugins.module_utils._graph.transport import LARGEST_ANSWER
from odj_lab import pki
from odj_lab.settings import Lab

Opened = Callable[..., Graph]
Pieces = Callable[[threading.Event], Iterator[bytes]]
PASSWORD = "Pa55w0rdX"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Listener:
    """A port whose every connection is answered with the same pieces, sent until the client goes or this ends."""

    def __init__(self, address: str, pieces: Pieces, tls: ssl.SSLContext | None) -> None:
        self.ended = threading.Event()
        self._pieces = pieces
        self._tls = tls
        self._socket = socket.create_server((address, 0))
        self.place = f"{address}:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            stream = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with stream:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += stream.recv(4096) or b"\r\n\r\n"
                for piece in self._pieces(self.ended):
                    if self.ended.is_set():
                        return
                    stream.sendall(piece)

    def close(self) -> None:
        self.ended.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


Listen = Callable[..., Listener]


@pytest.fixture
def listen(lab: Lab) -> Iterator[Listen]:
    made: list[Listener] = []

    def start(pieces: Pieces, *, tls: bool = True) -> Listener:
        certificate, key = pki.ensure_leaf(
            lab, "hostile", dns=["hostile.contoso-lab.test"], addresses=[lab.cloud_address]
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        made.append(Listener(lab.cloud_address, pieces, context if tls else None))
        return made[-1]

    yield start
    for listener in made:
        listener.close()


def drops(start: bytes, ended: threading.Event, drop: bytes = b"x") -> Iterator[bytes]:
    """Send a beginning, and then for ever a drop now and then, each of them well within any limit of a socket."""
    yield start
    while not ended.wait(0.1):
        yield drop


def slow_headers(ended: threading.Event) -> Iterator[bytes]:
    return drops(HEAD + b"X-Slow: ", ended)


def slow_body(ended: threading.Event) -> Iterator[bytes]:
    return drops(HEAD + b"Content-Length: 4000000\r\n\r\n", ended, b" ")


def slow_chunks(ended: threading.Event) -> Iterator[bytes]:
    return drops(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", ended, b"1\r\n \r\n")


def informational(ended: threading.Event) -> Iterator[bytes]:
    return drops(b"", ended, b"HTTP/1.1 100 Continue\r\n\r\n")


def silence(ended: threading.Event) -> Iterator[bytes]:
    ended.wait()
    yield b""


def outcomes(attempts: list[Graph]) -> list[GraphError]:
    """Read from all at once, since each takes its whole time limit, and return how each of them failed."""

    def outcome(graph: Graph) -> GraphError:
        with pytest.raises(GraphError) as caught:
            read_connectors(graph)
        return caught.value

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(outcome, attempts))


def test_an_answer_that_comes_in_drops_ends_with_the_time_limit(listen: Listen, opened: Opened) -> None:
    hosts = [listen(pieces).place for pieces in (slow_headers, slow_body, slow_chunks, informational, silence)]
    graphs = [opened(graph_url=f"https://{host}", access_token="t", timeout=1) for host in hosts]
    for error in outcomes(graphs):
        assert "No whole answer came within 1 s; see the option timeout" in error.advice
    assert [graph.operations()["read"] for graph in graphs] == [1] * len(hosts)


def test_a_server_that_never_gets_to_tls_ends_with_the_time_limit(listen: Listen, opened: Opened) -> None:
    hosts = [listen(pieces, tls=False).place for pieces in (slow_headers, informational, silence)]
    outcomes([opened(graph_url=f"https://{host}", access_token="t", timeout=1) for host in hosts])


def test_a_proxy_that_never_opens_the_tunnel_ends_with_the_time_limit(listen: Listen, opened: Opened) -> None:
    hosts = [listen(pieces, tls=False).place for pieces in (slow_headers, informational, silence)]
    outcomes([opened(proxy=f"http://{host}", access_token="t", timeout=1) for host in hosts])


def answered(*parts: bytes) -> Pieces:
    return lambda _ended: iter(parts)


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"502 Bad Gateway", b"no HTTP at all"])
def test_a_proxy_that_refuses_is_told_without_its_password(
    listen: Listen, opened: Opened, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = listen(answered(b"HTTP/1.1 " + status + b"\r\n\r\n"), tls=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://svc:{PASSWORD}@{listener.place}")
    with pytest.raises(GraphError, match=r"HTTPS_PROXY|proxy of the computer") as caught:
        read_connectors(opened())
    assert PASSWORD not in str(caught.value)


def test_a_proxy_that_nobody_listens_at_is_told_without_its_password(
    lab: Lab, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((lab.cloud_address, 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://svc:{PASSWORD}@{lab.cloud_address}:{port}")
    with pytest.raises(GraphError, match="HTTPS_PROXY") as caught:
        read_connectors(opened())
    assert PASSWORD not in str(caught.value)


def chunked(*parts: bytes) -> Pieces:
    pieces = [HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"]
    return answered(*pieces, *(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n")


def test_compressed_chunks_are_read(listen: Listen, opened: Opened) -> None:
    body = gzip.compress(json.dumps({"value": [{"id": "1"}]}).encode())
    listener = listen(chunked(body[:5], body[5:]))
    assert read_connectors(opened(graph_url=f"https://{listener.place}", access_token="t")) == [{"id": "1"}]


def test_a_small_answer_that_would_fill_the_memory_is_refused(listen: Listen, opened: Opened) -> None:
    bomb = gzip.compress(b"[" * (12 * LARGEST_ANSWER), compresslevel=1)
    listener = listen(chunked(bomb))
    with pytest.raises(GraphError, match=f"more than {LARGEST_ANSWER} bytes"):
        read_connectors(opened(graph_url=f"https://{listener.place}", access_token="t"))


@pytest.mark.parametrize(
    ("head", "filler"),
    [
        (HEAD + b"\r\n", b" " * 65536),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1" * 65536),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"ffff\r\n" + b" " * 0xFFFF + b"\r\n"),
        (HEAD, b"X-Long: y\r\n" * 1000),
        (HEAD + b"X-Long: ", b"y" * 65536),
        (b"", b"H" * 65536),
    ],
    ids=["body", "chunk length", "chunks", "headers", "header", "status line"],
)
def test_an_answer_without_end_is_refused_long_before_it_fills_the_memory(
    listen: Listen, opened: Opened, head: bytes, filler: bytes
) -> None:
    listener = listen(lambda _ended: itertools.chain([head], itertools.repeat(filler)))
    with pytest.raises(GraphError):
        read_connectors(opened(graph_url=f"https://{listener.place}", access_token="t"))


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n",
        b"HTTP/1.1 99999999999999999999 X\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\x00\xff\xfe\r\n\r\n",
        b"HTTP/1.1 401 \xff\r\nX: \xff\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 429 Busy\r\nRetry-After: \xff\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_an_error(listen: Listen, opened: Opened, reply: bytes) -> None:
    listener = listen(answered(reply))
    with pytest.raises(GraphError) as caught:
        read_connectors(opened(graph_url=f"https://{listener.place}", access_token="t"))
    str(caught.value).encode()
