# SPDX-License-Identifier: GPL-3.0-or-later
"""Many requests under way on one connection: order, errors, breakdowns."""

from __future__ import annotations

import itertools
import re
import socket
import typing as t

import ldap3
import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    Entry,
    Present,
    Procedure,
    Read,
    Write,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import WINDOW
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.errors import OdjError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import MODIFY, SEARCH, Request, message, served


def read_then_write(dn: str) -> Procedure[str]:
    entry = yield Read(dn, ["cn"])
    assert entry is not None
    yield Write(dn, {"description": ("replace", [entry.one("cn") or b""])})
    return entry.text("cn")


def reading(dn: str) -> Procedure[Entry | None]:
    return (yield Read(dn, ["cn"]))


def writing(dn: str) -> Procedure[str]:
    yield Write(dn, {"cn": ("replace", [b"x"])})
    return dn


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
            yield writing(f"cn=x{number}")

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
        with pytest.raises(DirectoryError, match=said):
            directory.delete("cn=x")
    assert 0 < len(outcomes) <= WINDOW + 1
    problems = [o for o in outcomes if isinstance(o, DirectoryError) and o.code is None]
    assert [p.on for p in problems] == [f"cn=x{n}" for n in range(len(outcomes))]
    assert re.search(said, str(outcomes[0]))
    assert "not known" not in str(outcomes[0]), "a read leaves nothing behind"


TOTAL = 6


@pytest.mark.parametrize("last", range(TOTAL + 1))
def test_when_the_connection_ends_what_was_written_and_what_is_in_doubt_is_told(last: int) -> None:
    """The server ends it after each possible number of answers, and has made one change more than it says."""
    made: list[str] = []

    def drop(requests: list[Request]) -> list[bytes]:
        answers: list[bytes] = []
        for request in requests:
            made.extend([request.dn] if len(made) <= last else [])
            answers += [request.done()] if len(made) <= last else [b""]
        return answers

    with served(drop) as directory:
        outcomes = list(directory.run_all(writing(f"cn=x{n}") for n in range(TOTAL)))
    known = [o for o in outcomes if isinstance(o, str)]
    doubtful = [o for o in outcomes if isinstance(o, DirectoryError)]
    assert known == made[:last]
    assert [p.on for p in doubtful] == [f"cn=x{n}" for n in range(last, TOTAL)]
    assert all("Whether this was done is not known" in p.advice and p.tried == "change cn" for p in doubtful)


def test_a_server_that_falls_silent_does_not_hold_the_task() -> None:
    with served(lambda requests: [], timeout=0.05) as directory:
        (outcome,) = directory.run_all([reading("cn=x")])
    assert "raise timeout" in str(outcome)


def test_a_single_change_whose_answer_is_lost_is_in_doubt() -> None:
    for change in ("add", "delete", "modify"):
        given: t.Any = {"add": ("container", {}), "delete": (), "modify": ({"cn": ("replace", [b"x"])},)}[change]
        with served(lambda requests: [b""]) as directory, pytest.raises(DirectoryError, match="not known"):
            getattr(directory, change)("cn=x", *given)


def test_an_error_of_a_search_is_not_its_own_cause() -> None:
    with served(lambda requests: [b""]) as directory, pytest.raises(DirectoryError) as caught:
        directory.search("cn=x", Present("objectClass"), ["cn"])
    seen: list[BaseException | None] = [caught.value]
    while seen[-1] is not None:
        assert seen[-1].__cause__ not in seen
        seen.append(seen[-1].__cause__)


def test_after_a_request_that_could_not_be_sent_no_other_is() -> None:
    seen: list[Request] = []

    def note(requests: list[Request]) -> list[bytes]:
        seen.extend(requests)
        return []

    with served(note) as directory:
        whole = directory._strategy.connection.socket
        directory._strategy.connection.socket = Deaf(whole)
        with pytest.raises(DirectoryError, match=r"Broken pipe.*run again") as first:
            directory.add("cn=x", "container", {})
        directory._strategy.connection.socket = whole
        (second,) = directory.run_all([reading("cn=x")])
        with pytest.raises(DirectoryError) as third:
            directory.delete("cn=x")
    assert isinstance(second, DirectoryError)
    assert second.got == first.value.got == third.value.got
    assert seen == []


class Drops:
    """A socket that hands out one byte at a time."""

    def __init__(self, whole: socket.socket) -> None:
        self._whole = whole

    def recv(self, size: int) -> bytes:
        return self._whole.recv(1)

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._whole, name)


class Deaf(Drops):
    """A socket that takes nothing any more."""

    def sendall(self, data: bytes) -> None:
        raise BrokenPipeError(32, "Broken pipe")


def test_an_answer_that_comes_in_drops_does_not_hold_the_task() -> None:
    """Each drop comes in time; the clock stands for a server that takes a second for each."""
    seconds = itertools.count()

    class Ticking(StandingClock):
        def monotonic(self) -> float:
            return float(next(seconds))

    with served(lambda requests: [bytes((byte,)) for byte in found(requests[0])[0]], Ticking()) as directory:
        directory._strategy.connection.socket = Drops(directory._strategy.connection.socket)
        (outcome,) = directory.run_all([reading("cn=x")])
    assert "timed out within an answer" in str(outcome)
    assert "raise timeout" in str(outcome)
    assert next(seconds) < 10


def test_an_answer_that_comes_in_drops_is_put_together() -> None:
    def drops(requests: list[Request]) -> list[bytes]:
        return [bytes((byte,)) for request in requests for data in found(request) for byte in data]

    with served(drops) as directory:
        names = [f"cn=x{n}" for n in range(10)]
        assert [o.dn for o in directory.run_all(map(reading, names)) if isinstance(o, Entry)] == names


def test_numbers_begin_anew_when_there_are_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ldap3.Server, "_message_counter", 2**31 - 20)
    seen: list[int] = []

    def answer(requests: list[Request]) -> list[bytes]:
        seen.extend(request.number for request in requests)
        return [data for request in requests for data in found(request)]

    with served(answer) as directory:
        names = [f"cn=x{n}" for n in range(100)]
        assert [o.dn for o in directory.run_all(map(reading, names)) if isinstance(o, Entry)] == names
    assert max(seen) < 2**31
    assert min(seen) == 1
    assert len(set(seen)) == 100


def test_an_object_that_is_not_there_is_none_of_an_error() -> None:
    with served(lambda requests: [r.done(32) for r in requests]) as directory:
        assert list(directory.run_all([reading("cn=x")])) == [None]
