# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests under way on one connection: order, errors, breakdowns; pages and ranges, which Samba never forces."""

from __future__ import annotations

import itertools
import re
import threading
import typing as t

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.contract import Entry, Procedure, Read, Write
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.filters import ANYTHING
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import WINDOW
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import MODIFY, SEARCH, Request, message, served


def read_then_write(dn: str) -> Procedure[str]:
    entry = yield Read(dn, ["cn"])
    assert entry is not None
    yield Write(dn, {"description": ("replace", [entry.one("cn") or b""])})
    return entry.text("cn")


def reading(dn: str) -> Procedure[Entry | None]:
    return (yield Read(dn, ["cn"]))


def found(request: Request) -> list[bytes]:
    return [request.entry(request.dn, cn=[request.dn.upper()]), request.done()]


class Hoarder:
    """Answers only when it has as many requests as can be under way, and then from the last to the first."""

    def __init__(self, total: int) -> None:
        self.left = total
        self.held: list[Request] = []
        self.most = 0

    def __call__(self, requests: list[Request]) -> list[bytes]:
        self.held += requests
        self.most = max(self.most, len(self.held))
        if len(self.held) < min(WINDOW, self.left):
            return []
        answered, self.held = self.held[::-1], []
        self.left -= len(answered)
        return [data for r in answered for data in (found(r) if r.kind == SEARCH else [r.done()])]


def test_as_many_as_the_window_holds_are_under_way_and_answers_may_come_in_any_order() -> None:
    names = [f"cn=x{n}" for n in range(150)]
    hoarder = Hoarder(total=150)
    with served(hoarder) as directory:
        outcomes = list(directory.run_all(reading(name) for name in names))
        assert [o.dn for o in outcomes if isinstance(o, Entry)] == names
        assert directory.facts()["operations"] == {"bind": 0, "search": 150, "modify": 0, "add": 0, "delete": 0}
    assert hoarder.most == WINDOW


def test_each_procedure_goes_on_as_soon_as_its_own_answer_is_there() -> None:
    order: list[tuple[int, str]] = []

    def first_one_last(requests: list[Request]) -> list[bytes]:
        order.extend((r.kind, r.dn) for r in requests)
        late = [r for r in held if (MODIFY, "cn=b") in order]
        held.extend(r for r in requests if r.dn == "cn=a" and r.kind == SEARCH)
        now = [r for r in requests if r not in held] + late
        return [data for r in now for data in (found(r) if r.kind == SEARCH else [r.done()])]

    held: list[Request] = []
    with served(first_one_last) as directory:
        assert list(directory.run_all(map(read_then_write, ["cn=a", "cn=b"]))) == ["CN=A", "CN=B"]
    assert order == [(SEARCH, "cn=a"), (SEARCH, "cn=b"), (MODIFY, "cn=b"), (MODIFY, "cn=a")]


def test_after_an_error_none_is_started_and_those_under_way_are_finished() -> None:
    def refuse_the_third(requests: list[Request]) -> list[bytes]:
        return [r.done(50, "no") if r.dn == "cn=x2" else r.done() for r in requests]

    started = []

    def writes() -> t.Iterator[Procedure[str]]:
        for number in itertools.count():
            started.append(number)
            yield write(f"cn=x{number}")

    def write(dn: str) -> Procedure[str]:
        yield Write(dn, {"cn": ("replace", [b"x"])})
        return dn

    with served(refuse_the_third) as directory:
        outcomes = list(directory.run_all(writes()))
    problems = [o for o in outcomes if isinstance(o, OdjError)]
    assert [p.on for p in problems] == ["cn=x2"]
    assert [o for o in outcomes if o not in problems] == [f"cn=x{n}" for n in started if n != 2]
    assert len(started) < 3 * WINDOW


def test_an_error_can_be_handled_where_its_step_was_yielded() -> None:
    def retried(dn: str) -> Procedure[int | None]:
        try:
            yield Write(dn, {"cn": ("delete", [b"x"])})
        except DirectoryError as problem:
            yield Read(dn, ["cn"])
            return problem.code
        return None

    def answer(requests: list[Request]) -> list[bytes]:
        return [r.done(32) if r.kind == SEARCH else r.done(16) for r in requests]

    with served(answer) as directory:
        assert list(directory.run_all([retried("cn=x")])) == [16]


@pytest.mark.parametrize(
    ("parting", "said"),
    [
        (b"", "the server ended the connection"),
        (message(0, b"\x78\x07\x0a\x01\x34\x04\x00\x04\x00"), "the server ended the session"),
        (b"\x30\x03\x02\x01", "no answer|timed out|ended the connection"),
        (b"\x30\x02\x04\x7f", "not LDAP"),
    ],
)
def test_a_connection_that_breaks_is_said_of_each_that_was_under_way(parting: bytes, said: str) -> None:
    with served(lambda requests: [parting, b""]) as directory:
        outcomes = list(directory.run_all(reading(f"cn=x{n}") for n in range(1000)))
    assert 0 < len(outcomes) <= WINDOW + 1
    assert all(isinstance(o, DirectoryError) and o.code is None for o in outcomes)
    assert re.search(said, str(outcomes[0]))


def test_a_server_that_falls_silent_does_not_hold_the_task() -> None:
    with served(lambda requests: []) as directory:
        directory._connection.socket.settimeout(0.05)
        (outcome,) = directory.run_all([reading("cn=x")])
    assert "raise timeout" in str(outcome)


def test_an_object_that_is_not_there_is_none_of_an_error() -> None:
    with served(lambda requests: [r.done(32) for r in requests]) as directory:
        assert list(directory.run_all([reading("cn=x")])) == [None]


def test_the_next_page_is_asked_for_before_a_page_is_handed_out() -> None:
    asked = threading.Semaphore(0)

    def pages(requests: list[Request]) -> list[bytes]:
        answers: list[bytes] = []
        for request in requests:
            asked.release()
            cookie = {b"": b"one", b"one": b"two", b"two": b""}[cookie_of(request)]
            answers += [request.entry(f"cn={cookie.decode()}{n}", cn=["x"]) for n in range(2)]
            answers.append(request.done(cookie=cookie))
        return answers

    with served(pages) as directory:
        entries = directory.entries("dc=x", ANYTHING, ["cn"])
        assert next(entries).dn == "cn=one0"
        assert asked.acquire(timeout=5)
        assert asked.acquire(timeout=5)
        assert [entry.dn for entry in entries] == ["cn=one1", "cn=two0", "cn=two1", "cn=0", "cn=1"]
        assert directory.facts()["operations"]["search"] == 3


def cookie_of(request: Request) -> bytes:
    return next((word for word in (b"one", b"two") if request.data.endswith(word)), b"")


def test_other_requests_may_come_between_two_pages() -> None:
    def answer(requests: list[Request]) -> list[bytes]:
        return [
            data
            for r in requests
            for data in (found(r) if r.dn == "cn=x" else [r.entry("cn=e", cn=["x"]), r.done(cookie=b"one"[: n(r)])])
        ]

    def n(request: Request) -> int:
        return 0 if cookie_of(request) else 3

    with served(answer) as directory:
        entries = directory.entries("dc=x", ANYTHING, ["cn"])
        next(entries)
        assert [o.dn for o in directory.run_all([reading("cn=x")]) if isinstance(o, Entry)] == ["cn=x"]
        assert [entry.dn for entry in entries] == ["cn=e"]


def parts(requests: list[Request]) -> list[bytes]:
    """Give the five values of an attribute two at a time, as a server with a limit on values does."""
    answers: list[bytes] = []
    for request in requests:
        wanted = re.search(rb"member;range=(\d)-\*", request.data)
        first = int(wanted[1]) if wanted else 0
        last = "*" if first == 4 else str(first + 1)
        values = [f"v{n}" for n in range(first, min(first + 2, 5))]
        answers += [request.entry("cn=g", cn=["g"], **{f"Member__Range={first}_to_{last}": values}), request.done()]
    return answers


def test_values_that_come_in_parts_are_put_together() -> None:
    with served(parts) as directory:
        (by_search,) = directory.search("cn=g", ANYTHING, ["cn", "member"], scope="base")
        (by_read,) = directory.run_all([reading("cn=g")])
        assert directory.facts()["operations"]["search"] == 6
    assert isinstance(by_read, Entry)
    for entry in (by_search, by_read):
        assert entry.texts("member") == ("v0", "v1", "v2", "v3", "v4")
        assert dict(entry.values).keys() == {"cn", "member"}


def test_a_part_that_does_not_come_is_an_error() -> None:
    def first_part_only(requests: list[Request]) -> list[bytes]:
        return [data for r in requests for data in ([r.done()] if b"range" in r.data else parts([r]))]

    with served(first_part_only) as directory, pytest.raises(DirectoryError, match="read all values of member"):
        directory.search("cn=g", ANYTHING, ["member"], scope="base")
