# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS server on loopback that knows what a test tells it, spoken to over the wire by the real resolver."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Zone = Mapping[tuple[str, str], Sequence[str]]  # (name, type) -> values


@contextmanager
def dns_server(zone: Zone, code: dns.rcode.Rcode = dns.rcode.NOERROR) -> Iterator[int]:
    """Yield the port of a server with these records; with another code than NOERROR, it answers that to everything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_serve, args=(server, zone, code))
        thread.start()
        port = server.getsockname()[1]
        try:
            yield port
        finally:
            server.sendto(b"", ("127.0.0.1", port))  # the end
            thread.join()


def _serve(server: socket.socket, zone: Zone, code: dns.rcode.Rcode) -> None:
    while True:
        data, client = server.recvfrom(4096)
        if not data:
            return
        server.sendto(_answer(dns.message.from_wire(data), zone, code).to_wire(), client)


def _answer(query: dns.message.Message, zone: Zone, code: dns.rcode.Rcode) -> dns.message.Message:
    answer = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
    values = zone.get((name, kind), ())
    if code != dns.rcode.NOERROR:
        answer.set_rcode(code)
    elif values:
        answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
    elif not any(known == name for known, __ in zone):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer
