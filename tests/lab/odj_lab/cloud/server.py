# SPDX-License-Identifier: GPL-3.0-or-later
"""The https server of the lab's cloud: one thread per connection, every request logged."""

from __future__ import annotations

import json
import re
import ssl
import time
import traceback
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

from odj_lab import pki
from odj_lab.cloud import entra, faults, intune
from odj_lab.cloud.answers import Answer, Request, graph_error
from odj_lab.cloud.state import create_state, requests_log, store
from odj_lab.listening import Listener
from odj_lab.processes import LabError
from odj_lab.settings import Lab
from odj_lab.store import State

PORT = 8443
HOST_NAME = "graph.contoso-lab.test"
DISCOVERY = re.compile(r"/([^/]+)/v2\.0/\.well-known/openid-configuration")
TOKEN = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
GRAPH = re.compile(r"/(beta|v1\.0)/.*")
MAX_BODY = 1 << 16


class Cloud:
    """A cloud that listens. Close it to take it away, together with the connections that are open."""

    def __init__(self, lab: Lab) -> None:
        certificate, key = pki.ensure_leaf(lab, "cloud", dns=[HOST_NAME], addresses=[lab.cloud_address])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = _Server((lab.cloud_address, PORT), lab, context)
        self._server.start()

    def close(self) -> None:
        """Stop listening and end all connections."""
        self._server.end()


def serve(lab: Lab) -> Cloud:
    """Start the cloud of a lab on https, port 8443; it listens when this returns. Makes the first state if missing.

    Raises:
        OSError: The port is taken.

    """
    if not store(lab).path.exists():
        store(lab).create(create_state(lab))
    return Cloud(lab)


class _Server(Listener):
    def __init__(self, address: tuple[str, int], lab: Lab, context: ssl.SSLContext) -> None:
        self.lab = lab
        super().__init__(address, _Handler, context)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "hybridjoin-lab"
    timeout = 600
    wbufsize = -1  # head and body in one piece, or each answer waits 40 ms for an acknowledgement
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr: requests.jsonl is the log."""

    def do_GET(self) -> None:
        request = self._request()
        kind, fault = _kind(request), None
        status = 0
        try:
            fault, answer = self._answer(request, kind)
            status = answer.status
        except faults.Dropped as dropped:
            fault, self.close_connection = dropped.rule, True
            return
        finally:
            requests_log(self.server.lab).append(
                kind=kind,
                method=request.method,
                path=self.path,
                status=status,
                fault=fault and fault["do"],
                client=request.headers.get("user-agent", ""),
                client_request_id=request.headers.get("client-request-id", ""),
            )
        self._send(answer)

    def _answer(self, request: Request, kind: str) -> tuple[State | None, Answer]:
        """Return the rule that struck, if any, and the answer; that a state is spoilt is told to the client."""
        lab, fault = self.server.lab, None
        try:
            state = store(lab).read()
            fault = faults.due(lab, state, kind)
            return fault, (fault and faults.strike(lab, state, fault, request)) or _answer(lab, request)
        except faults.Dropped:
            raise
        except LabError as error:
            text = str(error)
        except Exception as error:
            traceback.print_exc()
            text = f"The state of the lab's cloud is spoilt: {error!r}."
        return fault, graph_error(500, "InternalServerError", text, request, time.time())

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def _request(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        given = headers.get("content-length", "0")
        length = min(int(given), MAX_BODY) if given.isdecimal() else 0
        body = self.rfile.read(length).decode(errors="replace")
        is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        url = urlsplit(self.path)
        return Request(
            self.command,
            url.path,
            dict(parse_qsl(url.query)),
            headers,
            dict(parse_qsl(body)) if is_form else {},
            f"https://{headers.get('host', '')}",
        )

    def _send(self, answer: Answer) -> None:
        data = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _kind(request: Request) -> str:
    if DISCOVERY.fullmatch(request.path):
        return "discovery"
    if TOKEN.fullmatch(request.path):
        return "token"
    if GRAPH.fullmatch(request.path):
        return "read" if request.method == "GET" else "write"
    return "unknown"


def _answer(lab: Lab, request: Request) -> Answer:
    state = store(lab).read()
    if match := DISCOVERY.fullmatch(request.path):
        return entra.discovery(state, request, match[1])
    if match := TOKEN.fullmatch(request.path):
        return entra.token(lab, state, request, match[1])
    if GRAPH.fullmatch(request.path):
        return intune.answer(state, request)
    return Answer(404, {"error": {"code": "NotFound", "message": f"The lab's cloud has nothing at {request.path}."}})
