# SPDX-License-Identifier: GPL-3.0-or-later
"""The codec gives back every byte it was given, or says that it cannot read it."""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    MalformedDescriptor,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_values import descriptor_to_sddl

SIDS = st.builds(Sid, st.integers(0, 2**48 - 1), st.lists(st.integers(0, 2**32 - 1), max_size=15).map(tuple))
GUIDS = st.none() | st.uuids()
RULES = st.builds(AccessRule, st.booleans(), st.integers(0, 2**32 - 1), SIDS, GUIDS, GUIDS, st.integers(0, 255))
OTHER_ACES = st.builds(
    lambda kind, flags, body: bytes((kind, flags)) + (4 + len(body) * 4).to_bytes(2, "little") + b"".join(body),
    st.integers(0x14, 0xFF),
    st.integers(0, 255),
    st.lists(st.binary(min_size=4, max_size=4), max_size=5),
)
ACES = RULES.map(AccessRule.to_ace) | OTHER_ACES
ACLS = st.builds(
    Acl,
    st.sampled_from((2, 4)),
    st.lists(ACES, max_size=6).map(tuple),
    st.binary(max_size=8),
    st.tuples(st.integers(0, 255), st.integers(0, 65535)),
)


@st.composite
def descriptors(draw: st.DrawFn) -> SecurityDescriptor:
    sids = st.none() | SIDS.map(Sid.to_bytes)
    parts: dict[str, t.Any] = {
        "owner": draw(sids), "group": draw(sids), "sacl": draw(st.none() | ACLS), "dacl": draw(st.none() | ACLS)
    }  # fmt: skip
    control = draw(st.integers(0, 0xFFFF)) | SELF_RELATIVE
    control |= (SACL_PRESENT if parts["sacl"] else 0) | (DACL_PRESENT if parts["dacl"] else 0)
    present = [name for name, part in parts.items() if part is not None]
    layout: list[str | bytes] = []
    for name in draw(st.permutations(present)):
        gap = draw(st.binary(max_size=4))
        layout += [gap, name] if gap else [name]
    tail = draw(st.binary(max_size=4))
    layout += [tail] if tail else []
    return SecurityDescriptor(control, **parts, layout=tuple(layout), reserved=draw(st.integers(0, 255)))


@given(descriptors())
@pytest.mark.once
def test_every_byte_comes_back(descriptor: SecurityDescriptor) -> None:
    data = descriptor.to_bytes()
    assert SecurityDescriptor.parse(data).to_bytes() == data


@given(descriptors())
@pytest.mark.once
def test_every_part_comes_back(descriptor: SecurityDescriptor) -> None:
    assert SecurityDescriptor.parse(descriptor.to_bytes()) == descriptor


@given(descriptors(), st.data())
@pytest.mark.once
def test_damaged_bytes_are_refused_or_come_back_as_they_are(
    descriptor: SecurityDescriptor, data: st.DataObject
) -> None:
    raw = bytearray(descriptor.to_bytes())
    for __ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    try:
        read = SecurityDescriptor.parse(cut)
    except MalformedDescriptor:
        return
    assert read.to_bytes() == cut
    descriptor_to_sddl(read)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_come_back_as_they_are(data: bytes) -> None:
    try:
        read = SecurityDescriptor.parse(data)
    except MalformedDescriptor:
        return
    assert read.to_bytes() == data


@given(RULES)
def test_a_rule_comes_back(rule: AccessRule) -> None:
    assert AccessRule.from_ace(rule.to_ace()) == rule


def sample(*aces: bytes) -> bytes:
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, dacl=Acl(2, aces)).to_bytes()


ACE = AccessRule(True, 1, Sid(5, (11,))).to_ace()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda d: d[:19], "shorter than its header"),
        (lambda d: b"\2" + d[1:], "revision 1"),
        (lambda d: d[:2] + b"\4\0" + d[4:], "self-relative"),
        (lambda d: d[:2] + b"\0\x80" + d[4:], "control bits deny"),
        (lambda d: d[:16] + b"\x10\0\0\0" + d[20:], "overlaps"),
        (lambda d: d[:-1], "does not end within the descriptor"),
        (lambda d: d[:24] + b"\2" + d[25:], "holds 2 entries, but there are 1"),
        (lambda d: d[:30] + b"\0" + d[31:], "does not end within its list"),
        (lambda d: d[:30] + b"\x13" + d[31:], "multiple of 4"),
        (lambda d: d[:37] + b"\4" + d[38:], "a SID does not end"),
        (lambda d: d[:36] + b"\2" + d[37:], "something else where a SID is due"),
        (lambda d: d[:4] + b"\x14\0\0\0" + d[8:], "overlaps|SID"),
    ],
)
def test_what_is_malformed_is_named(damage: t.Callable[[bytes], bytes], why: str) -> None:
    with pytest.raises(MalformedDescriptor, match=why):
        SecurityDescriptor.parse(damage(sample(ACE)))


def test_a_list_cannot_outgrow_its_size_field() -> None:
    with pytest.raises(MalformedDescriptor, match="64 KiB"):
        sample(*[ACE] * 4000)


def test_an_object_entry_raises_the_revision_and_nothing_else() -> None:
    before = SecurityDescriptor.parse(sample(ACE))
    entry = AccessRule(True, 1, Sid(5, (11,)), uuid.uuid4()).to_ace()
    after = before.with_dacl((ACE, entry))
    assert after == replace(before, dacl=Acl(4, (ACE, entry)))
    assert before.with_dacl(()).dacl == Acl(2, ())
