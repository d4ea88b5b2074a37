# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers in parts, which Samba never forces: pages of a search, ranges of the values of an attribute."""

from __future__ import annotations

import re
import threading

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import (
    ANYTHING,
    Entry,
    Procedure,
    Read,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.errors import DirectoryError
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import Request, served


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
