# SPDX-License-Identifier: GPL-3.0-or-later
"""What is encoded by hand is what ldap3 encodes, and what it decodes."""

from __future__ import annotations

import typing as t

import ldap3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.modify import modify_operation
from ldap3.operation.search import search_operation
from ldap3.protocol.convert import build_controls_list
from ldap3.protocol.microsoft import security_descriptor_control
from ldap3.protocol.rfc4511 import LDAPMessage, MessageID, ProtocolOp
from ldap3.utils.asn1 import encode

from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.ber import (
    ENTRY,
    entry_in,
    head_of,
    message_size,
    modify_object,
    read_object,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._directory.directory import Entry
from ansible_collections.hybridjoin.odj.tests.unit.fakes.ldap_server import element, message, octets

NUMBERS = st.integers(1, 2**31 - 1)
NAMES = st.text(st.characters(codec="utf-8"), max_size=300)
VERBS = st.sampled_from(["add", "delete", "replace"])


def by_ldap3(number: int, kind: str, request: t.Any, dacl: bool) -> bytes:
    whole: t.Any = LDAPMessage()
    whole["messageID"] = MessageID(number)
    whole["protocolOp"] = t.cast(t.Any, ProtocolOp()).setComponentByName(kind, request)
    if dacl:
        whole["controls"] = build_controls_list(security_descriptor_control(criticality=True, sdflags=4))
    return bytes(encode(whole))


@given(NUMBERS, NAMES, st.lists(st.sampled_from(["cn", "member;range=0-*"]), min_size=1), st.booleans())
def test_a_read(number: int, dn: str, attributes: list[str], dacl: bool) -> None:
    request = search_operation(
        dn, "(objectClass=*)", ldap3.BASE, ldap3.DEREF_NEVER, attributes, 0, 0, False, False, False
    )
    assert read_object(number, dn, attributes, dacl=dacl) == by_ldap3(number, "searchRequest", request, dacl)


@given(NUMBERS, NAMES, VERBS, st.lists(st.binary(max_size=70_000), max_size=3, unique=True), st.booleans())
def test_a_modification(number: int, dn: str, verb: str, values: list[bytes], dacl: bool) -> None:
    request = modify_operation(dn, {"description": [(f"MODIFY_{verb.upper()}", sorted(values))]}, False, None)
    ours = modify_object(number, dn, {"description": (verb, sorted(values))}, dacl=dacl)
    assert ours == by_ldap3(number, "modifyRequest", request, dacl)


def entry_of(data: bytes) -> Entry:
    return entry_in(data, head_of(data)[2])


@given(NUMBERS, NAMES, st.dictionaries(st.sampled_from(["cn", "objectSid", "member"]), st.lists(st.binary())))
def test_an_entry(number: int, dn: str, values: dict[str, list[bytes]]) -> None:
    attributes = (element(0x30, octets(n), element(0x31, *map(octets, v))) for n, v in values.items())
    data = message(number, element(0x64, octets(dn), element(0x30, *attributes)))
    entry = entry_of(data)
    assert (entry.dn, entry.values) == (dn, {n.lower(): tuple(v) for n, v in values.items()})
    assert (head_of(data)[:2], message_size(data)) == ((number, ENTRY), len(data))
    assert message_size(data + b"more") == len(data)


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (b"", None),
        (b"\x30", None),
        (b"\x30\x84\0", None),
        (b"\x30\x05", 7),
        (b"\x30\x84\0\0\0\x05", 11),  # zeros in front, as Active Directory writes lengths
        (b"\x30\x88" + bytes(7) + b"\x05", 15),
        (b"\x30\x88" + bytes(7), None),
    ],
)
def test_the_size_is_not_told_before_it_is_known(start: bytes, size: int | None) -> None:
    assert message_size(start) == size


@pytest.mark.parametrize(
    "start",
    [
        b"\x31",
        b"HTTP/1.1 400",
        b"\x30\x80",  # the indefinite form
        b"\x30\x89" + bytes(8) + b"\x05",
        b"\x30\xff" + bytes(8),
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x88\x80" + bytes(7),
    ],
)
def test_what_no_message_begins_with_is_not_waited_for(start: bytes) -> None:
    with pytest.raises(ValueError, match="a message"):
        message_size(start)


def an_entry() -> bytes:
    attribute = element(0x30, octets("cn"), element(0x31, octets(b"one"), octets(b"two")))
    return message(7, element(0x64, octets("DC=x"), element(0x30, attribute)))


def test_an_entry_that_is_cut_off_is_refused() -> None:
    whole = an_entry()
    for size in range(whole.index(b"DC=x"), len(whole)):
        with pytest.raises(ValueError, match="a message"):
            entry_of(whole[:size])


@pytest.mark.parametrize("before", [b"DC=x", b"cn", b"one", b"two", octets(b"one"), octets("cn")])
@pytest.mark.parametrize("wrong", [-1, 1])
def test_lengths_that_do_not_add_up_are_refused(before: bytes, wrong: int) -> None:
    broken = bytearray(an_entry())
    broken[broken.index(before) - 1] += wrong
    with pytest.raises(ValueError, match="message"):
        entry_of(bytes(broken))
