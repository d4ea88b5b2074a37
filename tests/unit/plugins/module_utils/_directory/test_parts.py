# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in parts, which Samba never forces: pages of a search, ranges of the values of an attribute."""

from __future__ import annotations

import itertools
import re
import threading
import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory import ber, session
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    Entry,
    Procedure,
    Read,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import Request, element, message, octets, served


def reading(dn: str) -> Procedure[Entry | None]:
    return (yield Read(dn, ["cn"]))


def found(request: Request) -> list[bytes]:
    return [request.entry(request.dn, cn=[request.dn.upper()]), request.done()]


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


def test_a_list_that_others_change_between_two_parts_has_each_value_once() -> None:
    """A value in front of the second part goes after the first was read: its values move up by one."""
    answers = iter([{"Member__Range=0_to_1": ["v0", "v1"]}, {"Member__Range=2_to_*": ["v1", "v3"]}])

    def shrinking(requests: list[Request]) -> list[bytes]:
        return [data for r in requests for data in (r.entry("cn=g", **next(answers)), r.done())]

    with served(shrinking) as directory:
        (group,) = directory.search("cn=g", ANYTHING, ["member"], scope="base")
    assert group.texts("member") == ("v0", "v1", "v3")


@pytest.mark.parametrize("part", ["0_to_1", "1_to_*", "3_to_*", "2_to_1", "4_to_5"])
def test_a_part_that_was_not_asked_for_is_an_error(part: str) -> None:
    """A server that gives the same part again and again would be asked for ever."""

    def again(requests: list[Request]) -> list[bytes]:
        name = f"Member__Range={part if b'range' in requests[0].data else '0_to_1'}"
        return [requests[0].entry("cn=g", **{name: ["v0", "v1"]}), requests[0].done()]

    with served(again) as directory, pytest.raises(DirectoryError, match="a part of them is missing"):
        directory.search("cn=g", ANYTHING, ["member"], scope="base")


def test_a_part_that_does_not_come_is_an_error() -> None:
    def first_part_only(requests: list[Request]) -> list[bytes]:
        return [data for r in requests for data in ([r.done()] if b"range" in r.data else parts([r]))]

    with served(first_part_only) as directory, pytest.raises(DirectoryError, match="read all values of member"):
        directory.search("cn=g", ANYTHING, ["member"], scope="base")


@pytest.mark.parametrize("part", ["0_to_" + "9" * 5000, "0_to_²", "1_to_*", "0_to_x", "", "-1_to_5"])
def test_a_part_of_no_form_that_there_is_is_an_error_and_no_list_without_values(part: str) -> None:
    def odd(requests: list[Request]) -> list[bytes]:
        return [requests[0].entry("cn=g", **{f"Member__Range={part}": ["v0"]}), requests[0].done()]

    with served(odd) as directory, pytest.raises(DirectoryError, match="read all values of member"):
        directory.search("cn=g", ANYTHING, ["member"], scope="base")


def test_values_that_have_always_one_more_part_come_to_an_end() -> None:
    def one_by_one(requests: list[Request]) -> list[bytes]:
        wanted = re.search(rb"member;range=(\d+)-\*", requests[0].data)
        first = int(wanted[1]) if wanted else 0
        name = f"Member__Range={first}_to_{first}"
        return [requests[0].entry("cn=g", **{name: [f"v{first}"]}), requests[0].done()]

    with served(one_by_one) as directory, pytest.raises(DirectoryError, match="always one more part"):
        directory.search("cn=g", ANYTHING, ["member"], scope="base")


@pytest.mark.parametrize("names", [[], ["cn=x"]])
def test_pages_without_an_end_come_to_one(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty ones after a hundred; for the others the limit is a smaller one here."""
    monkeypatch.setattr(session, "_MOST_PAGES", 300)

    def one_more(requests: list[Request]) -> list[bytes]:
        return [d for r in requests for d in (*(r.entry(name, cn=["x"]) for name in names), r.done(cookie=b"more"))]

    with served(one_more) as directory:
        with pytest.raises(DirectoryError, match=f"after {300 if names else 100} pages"):
            directory.search("dc=x", ANYTHING, ["cn"])
        assert directory.facts()["operations"]["search"] <= 301


def test_pages_that_take_too_long_together_come_to_an_end() -> None:
    """Each comes in four of the five seconds that it has."""
    clock = StandingClock()

    def slowly(requests: list[Request]) -> list[bytes]:
        clock.sleep(4)
        return [d for r in requests for d in (r.entry("cn=x", cn=["x"]), r.done(cookie=b"more"))]

    with served(slowly, clock, timeout=5) as directory, pytest.raises(DirectoryError, match="after 76 pages"):
        directory.search("dc=x", ANYTHING, ["cn"])


def test_references_after_the_logon_without_an_end_come_to_one() -> None:
    def endless(requests: list[Request]) -> list[bytes]:
        return [message(requests[0].number, element(0x73, octets("ldap://x"))) * 1000] * 30

    with served(endless) as directory, pytest.raises(DirectoryError, match="without an end"):
        directory.search("dc=x", ANYTHING, ["cn"])


def test_an_answer_in_many_messages_has_no_more_time_than_one_in_one() -> None:
    clock = StandingClock()

    def slowly(requests: list[Request]) -> Iterator[bytes]:
        for number in itertools.count():
            clock.sleep(4)
            yield requests[0].entry(f"cn={number}", cn=["x"])

    with served(slowly, clock, timeout=5) as directory, pytest.raises(DirectoryError, match="timed out"):
        directory.search("dc=x", ANYTHING, ["cn"])


def test_an_answer_that_comes_once_more_ends_the_connection() -> None:
    def twice(requests: list[Request]) -> list[bytes]:
        return [data for r in requests for data in (r.done() + r.done(),)]

    with served(twice) as directory:
        directory.search("dc=x", ANYTHING, ["cn"], scope="base")
        with pytest.raises(DirectoryError, match=r"answered already"):
            directory.search("dc=x", ANYTHING, ["cn"], scope="base")


def test_pages_that_nobody_waits_for_any_more_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of many searches is given up while its next page is on its way; together they are far above the limit."""
    monkeypatch.setattr(ber, "MOST_PARTS", 50)

    def pages(requests: list[Request]) -> list[bytes]:
        return [
            d for r in requests for d in (*(r.entry(f"cn={n}", cn=["x"]) for n in range(20)), r.done(cookie=b"more"))
        ]

    with served(pages) as directory:
        for __ in range(20):
            entries = directory.entries("dc=x", ANYTHING, ["cn"])
            assert next(entries).dn == "cn=0"
            t.cast(t.Any, entries).close()
        (entry,) = directory.run_all([reading("cn=y")])
        assert isinstance(entry, Entry)
        assert directory._strategy.inbox.asked == {}
