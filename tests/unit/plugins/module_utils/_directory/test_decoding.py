# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that were damaged on the way: decoded as pyasn1 decodes them by the grammar of LDAP, or refused."""

from __future__ import annotations

import typing as t

import ldap3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ldap3.core.exceptions import LDAPException
from ldap3.protocol.rfc2696 import RealSearchControlValue
from ldap3.protocol.rfc4511 import LDAPMessage, ProtocolOp
from pyasn1.codec.ber import decoder  # type: ignore[import-untyped]
from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import (
    DONE,
    ENTRY,
    NOTICE,
    Answer,
    Result,
    entry_in,
    head_of,
    message_size,
    result_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Entry
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.pipeline import PipelinedStrategy
from ansible_collections.hybridjoin.odj.tests.unit.fakes.clock import StandingClock
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import PAGED_RESULTS, element, message, octets

NAMES = {
    0x61: "bindResponse",
    0x65: "searchResDone",
    0x67: "modifyResponse",
    0x69: "addResponse",
    0x6B: "delResponse",
    0x78: "extendedResp",
}


def short(tag: int, *parts: bytes) -> bytes:
    """Encode with the shortest length, as Samba does."""
    body = b"".join(parts)
    assert len(body) < 0x80
    return bytes((tag, len(body))) + body


ONE = short(0x30, octets("cn"), short(0x31, octets(b"one"), octets(b"two")))
PAGE = short(0x30, octets(PAGED_RESULTS), octets(short(0x30, short(2, b"\0"), octets(b"next"))))
OTHER = short(0x30, short(4, b"1.2"), short(1, b"\xff"), short(4, b"x"))
BARE = short(10, b"\0") + short(4) + short(4)
REFUSED = short(10, b"\x32") + octets("DC=x") + octets("00000005: SecErr, ü")
REFERRED = short(10, b"\x0a") + short(4) + short(4, b"text") + short(0xA3, octets("ldap://x"), octets("ldap://y"))
WHOLE = [
    message(7, element(ENTRY, octets("DC=ü"), element(0x30, ONE))),
    short(0x30, short(2, b"\7"), short(ENTRY, octets("DC=x"), short(0x30, ONE, short(0x30, octets("d"), short(0x31))))),
    short(0x30, short(2, b"\7"), short(ENTRY, octets("DC=x"), short(0x30)), short(0xA0, OTHER)),
    short(0x30, short(2, b"\7"), short(0x65, BARE)),
    message(7, element(0x65, BARE), element(0xA0, PAGE)),
    short(0x30, short(2, b"\7"), short(0x65, BARE), short(0xA0, OTHER, PAGE)),
    short(0x30, short(2, b"\7"), short(0x67, REFUSED)),
    short(0x30, short(2, b"\7"), short(0x65, REFERRED)),
    message(0, short(NOTICE, BARE, short(0x8A, b"1.3.6.1.4.1.1466.20036"))),
    short(0x30, short(2, b"\7"), short(0x61, BARE)),
    message(7, short(0x61, short(10, b"\x0e") + short(4) + octets("80090308"), short(0x87, b"token"))),
    short(0x30, short(2, b"\7"), short(0x61, REFERRED, short(0x87, b""))),
    short(0x30, short(2, b"\7"), short(NOTICE, BARE, short(0x8A, b"1.3.6.1.4.1.1466.20037"), short(0x8B, b"x"))),
]


def ours(data: bytes) -> tuple[int, Entry | Result]:
    if message_size(data[:10]) != len(data):
        raise ValueError("a message is longer or shorter")
    number, kind, position = head_of(data)
    if kind == ENTRY:
        return number, entry_in(data, position)
    if kind not in NAMES:
        raise ValueError("a message of no kind that is read")
    return number, result_in(data, position)


def by_the_grammar(data: bytes) -> tuple[int, Entry | Result]:
    decoded, rest = decoder.decode(data, asn1Spec=LDAPMessage())
    whole: t.Any = decoded
    assert not rest
    operation = whole["protocolOp"].getComponent()
    if whole["protocolOp"].getName() == "searchResEntry":
        values = {bytes(a["type"]).decode().lower(): tuple(map(bytes, a["vals"])) for a in operation["attributes"]}
        return int(whole["messageID"]), Entry(bytes(operation["object"]).decode(), values)
    text = bytes(operation["diagnosticMessage"]).decode("utf-8", "replace")
    pages = [c for c in whole["controls"] if bytes(c["controlType"]) == PAGED_RESULTS] if len(whole) > 2 else []
    cookies = [decoder.decode(bytes(c["controlValue"]), asn1Spec=RealSearchControlValue())[0]["cookie"] for c in pages]
    bound = whole["protocolOp"].getName() == "bindResponse" and operation["serverSaslCreds"].hasValue()
    token = bytes(operation["serverSaslCreds"]) if bound else b""
    cookie = bytes(cookies[-1]) if cookies else b""
    return int(whole["messageID"]), Result(int(operation["resultCode"]), text, cookie, token)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One to three bytes of an answer that are others, too many, or missing; lengths more often than the rest."""
    data = bytearray(draw(st.sampled_from(WHOLE)))
    for __ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data) - 1))
        new = draw(st.sampled_from(sorted({*data, 0, 1, 0x80, 0x81, 0x84, 0xA0, 0xFF})) | st.integers(0, 255))
        data[place : place + draw(st.sampled_from([1, 1, 1, 0, 2]))] = draw(st.sampled_from([bytes((new,)), b""]))
        if not data:
            return b""
    return bytes(data)


@pytest.mark.parametrize("data", WHOLE)
def test_an_answer_that_is_whole(data: bytes) -> None:
    assert ours(data) == by_the_grammar(data)


WITHOUT_END = short(0x30, octets("d"), b"\x31\x80")  # the values in the indefinite form, and no end of them


@settings(max_examples=1000)
@given(damaged() | st.binary(max_size=40))
@example(short(0x30, short(2, b"\7"), short(ENTRY, octets("DC=x"), short(0x30, WITHOUT_END))))
@pytest.mark.once
def test_an_answer_that_is_not(data: bytes) -> None:
    try:
        decoded = ours(data)
    except ValueError:
        return
    assert decoded == by_the_grammar(data)


class Wire:
    """A socket that has this to read, in pieces, and then nothing any more."""

    def __init__(self, data: bytes, size: int) -> None:
        self.pieces = [data[start : start + size] for start in range(0, len(data), size)]
        self.reads = 0

    def recv(self, size: int) -> bytes:
        self.reads += 1
        return self.pieces.pop(0) if self.pieces else b""

    def settimeout(self, seconds: float | None) -> None:
        """Wait for nothing."""

    def sendall(self, data: bytes) -> None:
        """Take what is asked; it is answered already."""


def waiting(wire: Wire) -> PipelinedStrategy:
    connection = ldap3.Connection(ldap3.Server("fake", get_info=ldap3.NONE))
    connection.socket = wire
    strategy = PipelinedStrategy(connection, StandingClock())
    strategy.send_raw(7, "searchRequest", b"")
    strategy.send_raw(8, "modifyRequest", b"")
    return strategy


END = short(0x30, short(2, b"\7"), short(0x65, BARE))


@settings(max_examples=500)
@given(st.lists(st.sampled_from(WHOLE[:3]), max_size=3), damaged(), st.integers(1, 50))
@example([], b"\x30\x80\0\0", 1)
@pytest.mark.once
def test_a_stream_with_damage_ends_in_an_answer_or_an_error(before: list[bytes], data: bytes, size: int) -> None:
    sent = b"".join(before) + data + END
    wire = Wire(sent, size)
    strategy = waiting(wire)
    try:
        answer = strategy.collect(7)
    except LDAPException as problem:
        with pytest.raises(type(problem)):
            strategy.collect(7)
        with pytest.raises(type(problem)):
            strategy.send_raw(9, "searchRequest", b"")
        assert wire.reads <= len(sent) + 1
    else:
        assert answer.entries[: len(before)] == [ours(data)[1] for data in before]
        assert answer.result is not None


def collected(data: bytes, number: int = 7, size: int = 1000) -> Answer:
    return waiting(Wire(data, size)).collect(number)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_references_and_intermediate_answers_come_in_between(size: int) -> None:
    number = short(2, b"\7")
    between = [short(0x30, number, short(0x73, octets("ldap://x"))), short(0x30, number, short(0x79))]
    data = b"".join([between[0], WHOLE[0], between[1], WHOLE[1], between[0], END])
    answer = collected(data, size=size)
    assert [entry.dn for entry in answer.entries] == ["DC=ü", "DC=x"]
    assert answer.result == Result(0, "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (WHOLE[6], "another kind than the request"),  # a modification's answer to a search
        (short(0x30, short(2, b"\x08"), short(ENTRY, octets(""), short(0x30))), "another kind than the request"),
        (short(0x30, short(2, b"\x09"), short(0x65, BARE)), "not asked"),
        (short(0x30, short(2, b"\xff"), short(0x65, BARE)), "does not know"),
        (short(0x30, short(2, b"\0"), short(0x65, BARE)), "not asked"),
        (WHOLE[8], r"ended the session \(0\)"),
        (message(0, short(NOTICE, short(10, b"\x34") + short(4) + octets("bye"))), r"ended the session \(52\): bye"),
        (short(0x30, short(2, b"\7"), short(0x61, BARE)), "another kind"),
        (short(0x30, short(2, b"\7"), short(0x65, BARE, short(0x8A, b"1.2"))), "not end where"),
    ],
)
def test_what_is_no_answer_ends_the_connection(data: bytes, said: str) -> None:
    with pytest.raises(LDAPException, match=said):
        collected(data + END)


@pytest.mark.parametrize("problem", [ConnectionResetError(104, "Connection reset by peer"), TimeoutError("timed out")])
def test_a_connection_that_fails_says_how_and_is_not_used_again(problem: OSError) -> None:
    class Failing(Wire):
        def recv(self, size: int) -> bytes:
            self.reads += 1
            raise problem

        def sendall(self, data: bytes) -> None:
            if data:
                raise problem

    wire = Failing(b"", 1)
    strategy = waiting(wire)
    said = (
        "the server ended the connection: .*reset" if isinstance(problem, ConnectionError) else "receiving.*timed out"
    )
    for __ in range(2):
        with pytest.raises(LDAPException, match=said):
            strategy.collect(7)
    assert wire.reads == 1
    with pytest.raises(LDAPException, match=said.replace("receiving", "sending")):
        waiting(wire).send_raw(9, "searchRequest", b"x")


def test_an_answer_that_was_given_up_is_kept_apart() -> None:
    late = short(0x30, short(2, b"\x08"), short(0x67, REFUSED))
    strategy = waiting(Wire(late + END, 5))
    assert strategy.collect(7).result == Result(0, "")
    kept = strategy.collect(8).result
    assert kept is not None
    assert kept.code == 50


def test_the_ends_of_requests_are_those_of_ldap3() -> None:
    assert set(DONE) < {str(name) for name in ProtocolOp().componentType}
    assert set(DONE.values()) == NAMES.keys()
    with pytest.raises(PyAsn1Error):
        by_the_grammar(b"\x30\x03\x02\x01")
