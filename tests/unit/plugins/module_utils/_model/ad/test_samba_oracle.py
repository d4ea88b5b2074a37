# SPDX-License-Identifier: GPL-3.0-or-later
"""Samba's codec as the oracle of ours: the same bytes, the same SDDL, and of damaged bytes never another meaning."""

from __future__ import annotations

import struct
import typing as t

import pytest
from hypothesis import event, given, settings
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
from ansible_collections.hybridjoin.odj.tests.unit.fakes.plain_access import PlainAce, read_ace
from ansible_collections.hybridjoin.odj.tests.unit.fakes.samba_codec import KNOWN_TYPES, Meaning, SambaCodec

WINDOWS_SIDS = st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4).map(lambda n: Sid(5, (21, *n)))
SIDS = WINDOWS_SIDS | st.sampled_from([Sid(1, (0,)), Sid(3, (4,)), Sid(5, (18,)), Sid(5, (10,)), Sid(5, (32, 544))])
GUIDS = st.none() | st.uuids()
MASKS = st.sets(st.sampled_from([1 << n for n in (*range(9), 16, 17, 18, 19, 28, 29, 30, 31)])).map(sum)
FLAGS = st.sets(st.sampled_from([1, 2, 4, 8, 16, 0x40, 0x80])).map(sum)
RULES = st.builds(AccessRule, st.booleans(), MASKS | st.integers(0, 2**32 - 1), SIDS, GUIDS, GUIDS, FLAGS)
SUCCESSORS = {0x00: (0x00, 0x02, 0x03), 0x01: (0x01,), 0x05: (0x05, 0x07, 0x08), 0x06: (0x06,)}


@st.composite
def known_aces(draw: st.DrawFn) -> bytes:
    """Return an entry of any type that Samba knows."""
    ace: bytes = draw(RULES).to_ace()
    return bytes((draw(st.sampled_from(SUCCESSORS[ace[0]])),)) + ace[1:]


@st.composite
def ordinary_descriptors(draw: st.DrawFn) -> SecurityDescriptor:
    """Return what a server could hold, laid out as Samba does it. Its reader of SDDL fails at an empty list."""
    lists = st.lists(known_aces(), min_size=1, max_size=5).map(lambda aces: Acl(4, tuple(aces)))
    owner, group = draw(WINDOWS_SIDS).to_bytes(), draw(WINDOWS_SIDS).to_bytes()
    dacl, sacl = draw(lists), draw(st.none() | lists)
    control = SELF_RELATIVE | DACL_PRESENT | draw(st.sets(st.sampled_from([0x100, 0x400, 0x1000])).map(sum))
    if sacl:
        control |= SACL_PRESENT | draw(st.sets(st.sampled_from([0x200, 0x800, 0x2000])).map(sum))
    return SecurityDescriptor(control, owner, group, sacl, dacl, ("owner", "group", "sacl", "dacl"))


@pytest.fixture(scope="module")
def samba() -> SambaCodec:
    return SambaCodec()


@given(ordinary_descriptors())
@pytest.mark.once
def test_samba_reads_our_bytes_and_our_sddl_as_the_same(samba: SambaCodec, descriptor: SecurityDescriptor) -> None:
    data = descriptor.to_bytes()
    assert samba.again(data) == data
    assert samba.meaning(data) == meaning(data)
    assert samba.sddl(data) == samba.sddl_again(descriptor_to_sddl(descriptor))


@pytest.mark.parametrize("kind", sorted(KNOWN_TYPES))
def test_every_type_and_flag_is_printed_as_samba_prints_it(samba: SambaCodec, kind: int) -> None:
    sid = Sid(5, (21, 1, 2, 3, 1104)).to_bytes()
    body = b"\1\0\0\0" + (b"\3\0\0\0" + bytes(range(32)) if kind >= 0x05 else b"") + sid
    control, order = SELF_RELATIVE | DACL_PRESENT | SACL_PRESENT | 0x1400, ("owner", "group", "sacl", "dacl")
    for flags in (flags for flags in range(0x100) if not flags & 0x20):
        acl = Acl(4, (struct.pack("<BBH", kind, flags, len(body) + 4) + body,))
        descriptor = SecurityDescriptor(control, sid, sid, acl, acl, order)
        assert descriptor_to_sddl(descriptor) == samba.sddl(descriptor.to_bytes()), flags


STEPS = [-20, -8, -4, -1, 1, 4, 8, 16, 20]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a descriptor with flipped bits, other numbers in its length and offset fields, or a missing end."""
    raw = bytearray(draw(ordinary_descriptors()).to_bytes())
    for __ in range(draw(st.integers(1, 3))):
        harm = draw(st.sampled_from(["bit", "field", "field", "byte", "cut"]))
        if harm == "bit":
            raw[draw(st.integers(0, len(raw) - 1))] ^= 1 << draw(st.integers(0, 7))
        elif harm == "field":
            anywhere = st.integers(0, len(raw) // 2 - 1).map(lambda word: 2 * word)
            at = draw(st.sampled_from(list(_fields(bytes(raw)))) | anywhere)
            near = int.from_bytes(raw[at : at + 2], "little") + draw(st.sampled_from(STEPS))
            raw[at : at + 2] = (near & 0xFFFF).to_bytes(2, "little")
        elif harm == "byte":
            raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
        else:
            del raw[draw(st.integers(24, len(raw))) :]
    return bytes(raw)


def _fields(raw: bytes) -> t.Iterator[int]:
    """Yield where offsets, sizes and counts stand; those of entries as far as the sizes lead to them."""
    yield from (4, 8, 12, 16)
    for field in (12, 16):
        start = int.from_bytes(raw[field : field + 4], "little")
        yield from (start + 2, start + 4) if 20 <= start < len(raw) - 6 else ()
        at = start + 8
        while start and 20 <= at < len(raw) - 8:
            yield from (at + 2, at + 4)
            at += max(4, int.from_bytes(raw[at + 2 : at + 4], "little"))


@settings(max_examples=400, deadline=None)
@given(damaged())
@pytest.mark.once
def test_what_both_accept_means_the_same_to_both(samba: SambaCodec, data: bytes) -> None:
    """Ours is the stricter one: it may refuse what Samba takes, but must not read anything else out of it."""
    ours = meaning(data)
    if ours is None:
        event("refused")
        return
    assert SecurityDescriptor.parse(data).to_bytes() == data
    parts = [ace for part in ours[3:] for ace in part or ()]
    if any(ace[0] not in KNOWN_TYPES for ace in parts):
        event("of a type that Samba does not know")
        return
    theirs = samba.meaning(data)
    event("refused by Samba alone" if theirs is None else "accepted by both")
    assert theirs in (None, ours)


def meaning(data: bytes) -> Meaning | None:
    """Return what our codec reads, in the words of the oracle; None when it refuses."""
    try:
        found = SecurityDescriptor.parse(data)
    except MalformedDescriptor:
        return None
    sids = [None if sid is None else str(Sid.from_bytes(sid)) for sid in (found.owner, found.group)]
    lists = [None if acl is None else [_said(ace) for ace in acl.aces] for acl in (found.sacl, found.dacl)]
    return found.control, sids[0], sids[1], lists[0], lists[1]


def _said(raw: bytes) -> t.Any:
    """Read audit entries as the allowing ones of the same shape: the fields are the same."""
    same_shape = {0x02: 0x00, 0x03: 0x00, 0x07: 0x05, 0x08: 0x05}.get(raw[0], raw[0])
    rule = AccessRule.from_ace(bytes((same_shape,)) + raw[1:])
    plain: PlainAce | None = read_ace(bytes((same_shape,)) + raw[1:])
    if rule is None or plain is None:
        return raw[0], raw[1], 0, None, None, ""
    ours = (rule.flags, rule.mask, rule.object_type, rule.inherited_type, rule.trustee.to_bytes())
    assert ours == (plain.flags, plain.mask, plain.object_type, plain.heir, plain.sid)
    return raw[0], rule.flags, rule.mask, rule.object_type, rule.inherited_type, str(rule.trustee)
