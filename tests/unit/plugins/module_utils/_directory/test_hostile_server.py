# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that answer the first three questions wrongly, without an end, or too late: an error that says so, always."""

from __future__ import annotations

import itertools
import random
import socket
import ssl
import threading
import typing as t
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Settings
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.session import open_directory
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.clock import Clock
from ansible_collections.hybridjoin.odj.plugins.module_utils._module.task import SystemClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.certificate import server_context
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.domain_controller import (
    BIND,
    EXTENDED,
    HOST,
    ROOT,
    Answer,
    as_usual,
    domain_controller,
    saying,
)
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import (
    SEARCH,
    Request,
    element,
    message,
    octets,
)

PASSWORD = "secret-word"


class TickingClock(StandingClock):
    """Moves on by a second whenever somebody looks: for whom a byte a second is too slow."""

    def __init__(self) -> None:
        super().__init__()
        self._ticks = itertools.count()

    def monotonic(self) -> float:
        return float(next(self._ticks)) + super().monotonic()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    return path, server_context(path, HOST)


class Door:
    """Opens a directory whose domain controller gives these answers."""

    def __init__(self, authority: tuple[Path, ssl.SSLContext]) -> None:
        self.ca_path, self.tls = authority
        self.asked: list[int] = []

    def open(self, answers: dict[int, Answer], clock: Clock | None = None, timeout: int = 30) -> str:
        """Return what the error says, "" when there is none."""
        mode = "start_tls" if EXTENDED in answers else "ldaps"
        with domain_controller(self.tls, answers, starts_tls=EXTENDED in answers) as (port, controller):
            said = self.try_at(port, clock, tls_mode=mode, timeout=timeout)
            self.asked = controller.asked
        return said

    def try_at(self, port: int, clock: Clock | None = None, **settings: t.Any) -> str:
        given = {"username": "x", "password": PASSWORD, "ca_path": str(self.ca_path), **settings}
        caught: DirectoryError | None = None
        try:
            with open_directory(Settings(HOST, port=port, **given), clock or SystemClock()):
                return ""
        except DirectoryError as problem:
            caught = problem
        assert caught.__cause__ is not caught
        assert PASSWORD not in str(caught)
        assert caught.got
        return str(caught)


@pytest.fixture
def door(authority: tuple[Path, ssl.SSLContext]) -> Door:
    return Door(authority)


def drops(start: bytes) -> Answer:
    """Return an answer that never ends: its beginning, and then one byte after the other as long as somebody reads."""

    def pieces(request: Request) -> Iterator[bytes]:
        yield start
        yield from itertools.repeat(b"\0" * 1000)

    return pieces


LONG = b"\x30\x84\x03\xff\xff\0"  # almost 64 MiB


@pytest.mark.parametrize("kind", [EXTENDED, SEARCH, BIND])
def test_an_answer_before_the_logon_that_never_ends_has_no_more_time_than_another(door: Door, kind: int) -> None:
    said = door.open({kind: drops(LONG)}, TickingClock())
    assert "timed out" in said
    assert "raise timeout" in said
    assert door.asked[-1] == kind


@pytest.mark.parametrize("kind", [EXTENDED, SEARCH, BIND])
def test_an_answer_before_the_logon_that_is_longer_than_any_is_not_waited_for(door: Door, kind: int) -> None:
    assert "claims to have" in door.open({kind: drops(b"\x30\x84\x7f\xff\xff\xff")})


def test_there_is_one_time_limit_up_to_the_logon_and_not_one_for_each_answer(door: Door) -> None:
    """Each answer takes twenty of the thirty seconds that there are for all of them."""
    clock = StandingClock()
    with domain_controller(door.tls, starts_tls=True, heard=lambda: clock.sleep(20)) as (port, controller):
        assert "timed out" in door.try_at(port, clock, tls_mode="start_tls", timeout=30)
    assert controller.asked == [EXTENDED, SEARCH], "the password is not sent any more"


@pytest.mark.once
def test_a_handshake_that_comes_in_drops_does_not_hold_the_task(door: Door) -> None:
    """The limit of the handshake is the standard library's own, so a second passes here."""
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        place, __ = server.accept()
        with place, suppress(OSError):
            place.recv(1 << 16)
            for byte in itertools.chain(b"\x16\3\3\x40\0", itertools.repeat(0)):
                place.sendall(bytes((byte,)))
                if over.wait(0.05):
                    return

    with socket.create_server((HOST, 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        said = door.try_at(server.getsockname()[1], timeout=1)
        over.set()
        thread.join()
    assert "timed out" in said


DONE = element(10, b"\0") + octets("") + octets("")
# StartTLS, rootDSE and bind that ldap3 answered with an IndexError, a KeyError, a TypeError, or with a success.
MALFORMED: list[bytes] = [
    bytes.fromhex("300a02010178 7f0a010004000400".replace(" ", "")),
    bytes.fromhex("300a020101787f0a0100040004"),
    bytes.fromhex("3000"),
    bytes.fromhex("30020201"),
    bytes.fromhex("3003020101"),
    bytes.fromhex("30050201017800"),
    bytes.fromhex("3080"),
    bytes.fromhex("300c02010178070a01000400048400"),
    bytes.fromhex("300c020101ff070a010004000400"),
    bytes.fromhex("300c02010165070a010004000400"),  # searchResDone to whatever was asked
    bytes.fromhex("300c02010161070a01000400041f"),
    bytes.fromhex("300c02010178070a017f04000400"),
    bytes.fromhex("300c0201ff78070a010004000400"),
    bytes.fromhex("300c02010078070a013404000400"),
    message(1, element(0x64, octets("\xff"), element(0x30, b"\1\2\3"))),
    message(1, element(0x65, DONE), element(0xA0, element(0x30, octets(b"1.2.840.113556.1.4.319"), octets(b"\x30")))),
    message(1, element(0x61, DONE, b"\x87")),
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x15\x03\x01\0\2\2\x28",
    b"",
]


def numbered(data: bytes) -> Answer:
    """Return an answer with the number of the request where the bytes have the number 1 in its place."""
    at = data.find(b"\2\1\1")

    def pieces(request: Request) -> list[bytes]:
        number = bytes((request.number & 0x7F,)) if request.number < 0x80 else None
        return [data[: at + 2] + number + data[at + 3 :] if number and 0 < at < 5 else data]

    return pieces


@pytest.mark.parametrize("kind", [EXTENDED, SEARCH, BIND])
@pytest.mark.parametrize("data", MALFORMED, ids=[data.hex()[:24] or "nothing" for data in MALFORMED])
def test_a_malformed_answer_before_the_logon_is_an_error_that_says_so(
    door: Door, kind: int, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldap3.Server._message_counter", 0)
    assert door.open({kind: numbered(data)}).startswith("Could not ")
    assert door.asked[-1] == kind


@pytest.mark.parametrize("kind", [EXTENDED, SEARCH, BIND])
@pytest.mark.once
def test_any_byte_of_an_answer_may_be_another(door: Door, kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte becomes a few others, goes, or is there twice; where it ends, the answer ends."""
    chance = random.Random(kind)  # noqa: S311
    monkeypatch.setattr("ldap3.Server._message_counter", 0)
    number = {EXTENDED: 1, SEARCH: 1, BIND: 2}[kind]
    usual = b"".join(as_usual(_Asked(number, kind)))
    places = sorted(chance.sample(range(len(usual)), min(len(usual), 100)))
    outcomes = set()
    answers: dict[int, Answer] = {kind: saying(usual)}
    with domain_controller(door.tls, answers, starts_tls=kind == EXTENDED) as (port, controller):
        for place in places:
            byte = usual[place]
            flipped = byte ^ 1 << chance.randrange(8)
            for new in (b"", bytes((byte, byte)), bytes((flipped,)), bytes((chance.choice(ODD),))):
                monkeypatch.setattr("ldap3.Server._message_counter", 0)
                controller.answers[kind] = saying(usual[:place] + new + usual[place + 1 :])
                mode = "start_tls" if kind == EXTENDED else "ldaps"
                outcomes.add(door.try_at(port, tls_mode=mode)[:60])
    assert len(outcomes) > 1


ODD = (0, 1, 0x7F, 0x80, 0x84, 0x88, 0xFF)


class _Asked(Request):
    def __init__(self, number: int, kind: int) -> None:
        self.number, self.kind, self.dn, self.data = number, kind, "", b""


@pytest.mark.parametrize("part", [5, 1000])
def test_what_follows_the_answer_to_start_tls_before_tls_is_not_taken_for_what_is_sent_inside(
    door: Door, part: int
) -> None:
    def and_more(request: Request) -> list[bytes]:
        injected = message(request.number + 1, element(0x64, octets(""), element(0x30)))
        return [request.done() + injected[:part]]

    said = door.open({EXTENDED: and_more})
    assert "before TLS" in said or "what was not asked" in said
    assert door.asked == [EXTENDED]


@pytest.mark.parametrize(("kind", "said"), [(SEARCH, "another kind"), (SEARCH + 2, "another kind"), (EXTENDED, "kind")])
def test_a_logon_that_something_else_answers_is_none(door: Door, kind: int, said: str) -> None:
    def other(request: Request) -> list[bytes]:
        tag = {SEARCH: 0x65, SEARCH + 2: 0x67, EXTENDED: 0x78}[kind]
        return [message(request.number, element(tag, DONE))]

    assert said in door.open({BIND: other})


@pytest.mark.once
def test_a_root_dse_of_many_objects_does_not_fill_the_memory(door: Door) -> None:
    def endless(request: Request) -> Iterator[bytes]:
        yield from itertools.repeat(request.entry("", **ROOT) * 100)

    assert "without an end" in door.open({SEARCH: endless})


def test_references_without_an_end_come_to_one(door: Door) -> None:
    def endless(request: Request) -> Iterator[bytes]:
        yield from itertools.repeat(message(request.number, element(0x73, octets("ldap://x"))) * 1000)

    assert "without an end" in door.open({SEARCH: endless})


def test_the_usual_answers_open_it(door: Door) -> None:
    with domain_controller(door.tls) as (port, controller):
        assert door.try_at(port) == ""
    assert controller.asked == [SEARCH, BIND]
    with domain_controller(door.tls, starts_tls=True) as (port, controller):
        assert door.try_at(port, tls_mode="start_tls") == ""
    assert controller.asked == [EXTENDED, SEARCH, BIND]


def test_an_address_that_cannot_be_used_here_does_not_hide_the_next(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A computer without IPv6 still gets the addresses of a name that has both."""
    usual = socket.getaddrinfo
    unknown = (99, socket.SOCK_STREAM, 0, "", ("::1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: [unknown, *usual(*args, **kw)])
    with domain_controller(door.tls) as (port, controller):
        assert door.try_at(port) == ""
    assert controller.asked == [SEARCH, BIND]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kw: [])
    assert "no address" in door.try_at(1)
