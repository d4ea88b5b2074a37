# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP and HTTPS listeners of one server: authentication, encryption, faults on request, then the shells."""

from __future__ import annotations

import http.server
import ssl
import time
import traceback
import typing as t
from pathlib import Path

from odj_lab.listening import Listener, cut
from odj_lab.store import State
from odj_lab.windows import wire
from odj_lab.windows.auth import BadMessage, Gate
from odj_lab.windows.executor import execute, report
from odj_lab.windows.machine import Machine, fault
from odj_lab.windows.shells import Output, Report, Shells

LARGEST_REQUEST = 8_000_000
PATIENCE = 300  # seconds that a client may take for its handshake


class ConnectionDropped(Exception):
    """A fault asks for this connection to be cut."""


class WsmanListener(Listener):
    """One port of a server."""

    def __init__(self, address: tuple[str, int], door: Door, tls: ssl.SSLContext | None) -> None:
        self.door = door
        super().__init__(address, Handler, tls)


class Door:
    """What both listeners of a server share: its shells, accounts and faults."""

    def __init__(self, machine: Machine, accounts: Path) -> None:
        self.machine = machine
        self.accounts = accounts
        self.shells = Shells(self._run)
        self._state: State = {}
        self._written = -1

    def state(self) -> State:
        """Return the server's state, read again only when it was written since."""
        written = self.machine.store.path.stat().st_mtime_ns
        if written != self._written:
            self._state, self._written = self.machine.read(), written
        return self._state

    def gate(self, *, encrypts: bool) -> Gate:
        """Return the gate of a new connection."""
        return Gate(self.machine.lab.passwords["ansible"], self.accounts, self.machine.name, encrypts)

    def refuses_logon(self) -> bool:
        """Whether a fault lets no one in."""
        return fault(self.state(), "refuse_logon") is not None

    def delay(self) -> None:
        """Wait as long as a fault of latency says."""
        latency = fault(self.state(), "latency")
        if latency:
            time.sleep(latency["ms"] / 1000)

    def answer(self, request: wire.Request) -> bytes:
        """Answer one request.

        Raises:
            wire.Fault: As Windows would.
            ConnectionDropped: A fault says so for this remote execution, or the machine is about to go down.

        """
        going_down = request.action == "Create" and self.state()["boot"]["down_at"] is not None
        if going_down or (request.action == "Command" and self._drop_due("before")):
            raise ConnectionDropped
        answer = self.shells.handle(request)
        if request.action == "Receive" and b"CommandState/Done" in answer and self._drop_due("after"):
            raise ConnectionDropped
        return answer

    def _drop_due(self, moment: str) -> bool:
        due = fault(self.state(), "drop_connection")
        if not due or due.get("when", "before") != moment:
            return False
        with self.machine.edit("fault: drop the connection at a step") as state:
            found = fault(state, "drop_connection")
            if not found:
                return False
            found["step"] -= 1
            if found["step"] > 0:
                return False
            state["faults"].remove(found)
        return True

    def _run(self, line: str, stdin: bytes) -> tuple[Output, Report]:
        ran = execute(self.machine, line, stdin)
        return ran.output, lambda requests: report(self.machine, ran, requests)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    wbufsize = -1
    server: WsmanListener

    def setup(self) -> None:
        """Finish the TLS handshake and set up this connection's gate."""
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(PATIENCE)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()
        self.gate = self.server.door.gate(encrypts=self.server.tls is None)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Write nothing: executions have a log of their own."""

    def do_POST(self) -> None:
        """Take one WS-Man request."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_REQUEST))
        try:
            self._take(self.server.door, body)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            raise
        except Exception as error:  # somebody has spoilt the state: that must reach the person who runs the play
            traceback.print_exc()
            text = f"The lab's server {self.server.door.machine.name} cannot answer, its state is spoilt: {error!r}"
            fault = wire.faulted(None, wire.Fault(wire.GENERAL_FAILURE, "InternalError", text))
            content_type, answer = self.gate.sealed(fault)
            self._send(500, answer, content_type=content_type)

    def _take(self, door: Door, body: bytes) -> None:
        door.delay()
        if not self.path.startswith("/wsman"):
            self._send(404, b"")
        elif not self.gate.admits(self.headers.get("Authorization", "")) or door.refuses_logon():
            self._send(401, b"", challenge=self.gate.challenge)
        elif not body:
            self._send(200, b"")
        else:
            self._answer(door, body)

    def _answer(self, door: Door, body: bytes) -> None:
        request = None
        try:
            request = wire.parse(self.gate.opened(self.headers.get("Content-Type", ""), body))
            status, answer = 200, door.answer(request)
        except (wire.BadRequest, BadMessage):
            self._send(400, b"")
            return
        except wire.Fault as error:
            status, answer = 500, wire.faulted(request, error)
        except ConnectionDropped:
            self.close_connection = True
            cut(self.connection)
            return
        content_type, answer = self.gate.sealed(answer)
        self._send(status, answer, content_type=content_type)

    def _send(self, status: int, body: bytes, *, content_type: str = "", challenge: t.Sequence[str] = ()) -> None:
        self.send_response(status)
        for value in challenge:
            self.send_header("WWW-Authenticate", value)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Endpoint:
    """The two ports of one server; open while the machine is up."""

    HTTP, HTTPS = 5985, 5986

    def __init__(self, machine: Machine, accounts: Path, certificate: tuple[Path, Path]) -> None:
        self.machine = machine
        self._accounts = accounts
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(*certificate)
        self._listeners: list[WsmanListener] = []
        self._door: Door | None = None

    @property
    def is_open(self) -> bool:
        """Whether both ports listen."""
        return bool(self._listeners)

    def open(self) -> None:
        """Listen on both ports.

        Raises:
            OSError: A port is taken or the address is not there.

        """
        address = self.machine.lab.server_address(self.machine.name)
        self._door = Door(self.machine, self._accounts)
        for port, tls in ((self.HTTP, None), (self.HTTPS, self._tls)):
            try:
                listener = WsmanListener((address, port), self._door, tls)
            except OSError as error:
                self.close()
                raise OSError(error.errno, f"{self.machine.name} cannot listen on {address}:{port}: {error}") from error
            listener.start()
            self._listeners.append(listener)

    def close(self) -> None:
        """Refuse new connections, cut the open ones, forget all shells."""
        for listener in self._listeners:
            listener.end()
        self._listeners.clear()
        if self._door:
            self._door.shells.close()
