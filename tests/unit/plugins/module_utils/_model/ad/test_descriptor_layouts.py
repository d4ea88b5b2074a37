# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts of descriptors: every one that a server may send comes back as it was, every other one is refused."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Trustee, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    MalformedDescriptor,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.comparison import compare
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import DelegationError, Desired
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_values import descriptor_to_sddl

OWNER, GROUP = (b"\1\2\0\0\0\0\0\5\x20\0\0\0" + number.to_bytes(4, "little") for number in (544, 545))
ACE = b"\0\0\x14\0\1\0\0\0\1\1\0\0\0\0\0\5\x0b\0\0\0"
AUDIT = b"\2\x40" + ACE[2:]
DACL = b"\4\0\x1c\0\1\0\0\0" + ACE
SACL = b"\2\0\x1c\0\1\0\0\0" + AUDIT
DESIRED = Desired((token_of(Trustee(Sid(5, (21, 1, 2, 3, 1104)), "me"), None),), (RIGHTS["create_computer"],))
PARTS = {"owner": OWNER, "group": GROUP, "sacl": SACL, "dacl": DACL}
PRESENT, RM_CONTROL = 0x8014, 0x4000


def laid_out(*order: str | bytes, control: int = PRESENT, reserved: int = 0, **others: bytes) -> bytes:
    """Return a descriptor with its parts, or others, in this order; bytes are what stands between them."""
    parts = {**PARTS, **others}
    body, offsets = b"", dict.fromkeys(PARTS, 0)
    for item in order:
        if isinstance(item, str):
            offsets[item] = 20 + len(body)
        body += parts[item] if isinstance(item, str) else item
    return struct.pack("<BBHIIII", 1, reserved, control, *offsets.values()) + body


SAMBA, WINDOWS = ("owner", "group", "sacl", "dacl"), ("sacl", "dacl", "owner", "group")


@pytest.mark.parametrize(
    "data",
    [
        laid_out(*SAMBA),
        laid_out(*WINDOWS),
        laid_out("dacl", "group", "sacl", "owner"),
        laid_out("dacl", control=0x8004),
        laid_out("owner", "dacl", control=0x8004),
        laid_out("group", control=0x8000),
        laid_out(control=0x8000),
        laid_out(control=PRESENT),  # both lists present, and NULL
        laid_out(b"\0\0\0\0", *WINDOWS, b"trailing"),
        laid_out("owner", b"gap", "group", b"\xff" * 7, "dacl", control=0x8004),
        laid_out(*SAMBA, control=PRESENT | RM_CONTROL, reserved=0x5A),
        laid_out(*SAMBA, control=0xFFFF),
        laid_out("dacl", control=0x8004, dacl=b"\2\0\x08\0\0\0\0\0"),  # present, and empty
        laid_out("dacl", control=0x8004, dacl=b"\4\0\x24\0\1\0\0\0" + ACE + b"slack..."),
        laid_out("dacl", "owner", control=0x8004, dacl=b"\4\0\x1d\0\1\0\0\0" + ACE + b"!"),
        laid_out("dacl", control=0x8004, dacl=b"\4\x11\x1c\0\1\0\x22\x33" + ACE),
    ],
    ids=range(16),
)
def test_every_layout_comes_back_and_keeps_its_order_when_the_list_grows(data: bytes) -> None:
    parsed = SecurityDescriptor.parse(data)
    assert parsed.to_bytes() == data
    if parsed.dacl is None:
        return
    change, __ = compare("OU=x", parsed, DESIRED)
    assert change is not None
    grown = SecurityDescriptor.parse(change.wanted)
    assert (grown.layout, grown.control, grown.reserved) == (parsed.layout, parsed.control, parsed.reserved)
    assert (grown.owner, grown.group, grown.sacl) == (parsed.owner, parsed.group, parsed.sacl)
    assert grown.dacl is not None
    assert (grown.dacl.slack, grown.dacl.reserved) == (parsed.dacl.slack, parsed.dacl.reserved)


def moved(data: bytes, field: int, to: int) -> bytes:
    return data[:field] + struct.pack("<I", to) + data[field + 4 :]


WHOLE = laid_out(*SAMBA)
AT = {"owner": 4, "group": 8, "sacl": 12, "dacl": 16}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (moved(WHOLE, AT["group"], 20), "overlaps"),  # owner and group share a SID
        (moved(WHOLE, AT["sacl"], 20 + 32 + 28), "overlaps"),  # one list for both
        (moved(WHOLE, AT["owner"], 20 + 32 + 8 + 8), "overlaps"),  # the owner is the SID within an entry
        (moved(WHOLE, AT["dacl"], 8), "overlaps"),  # the list would begin within the header
        (moved(WHOLE, AT["dacl"], len(WHOLE)), "shorter than its header"),
        (moved(WHOLE, AT["dacl"], 0xFFFFFFFC), "shorter than its header"),
        (moved(WHOLE, AT["owner"], 0xFFFFFFFF), "a SID is due"),
        (laid_out(*SAMBA, control=0x8010), "control bits deny"),
        (laid_out(*SAMBA, control=0x8004), "control bits deny"),
        (laid_out(*SAMBA, dacl=b"\3" + DACL[1:]), "revision 3"),
        (laid_out(*SAMBA, sacl=b"\0" + SACL[1:]), "revision 0"),
        (laid_out(*SAMBA, dacl=b"\x84" + DACL[1:]), "revision 132"),
        (
            laid_out(*SAMBA, dacl=DACL[:4] + b"\xff\xff" + DACL[6:]),
            "65535 entries, but there are 1",
        ),
        (laid_out("dacl", dacl=DACL[:2] + b"\x1d\0" + DACL[4:]), "does not end within the descriptor"),
        (laid_out("dacl", dacl=DACL[:2] + b"\7\0" + DACL[4:]), "does not end within the descriptor"),
        (laid_out("owner", control=0x8000, owner=b"\1\x10" + OWNER[2:] + bytes(64)), "a SID is due"),
    ],
    ids=range(16),
)
def test_what_no_server_lays_out_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(MalformedDescriptor, match=why):
        SecurityDescriptor.parse(data)


def test_no_list_a_null_list_and_an_empty_one_are_three_things() -> None:
    """Without a list, and with the NULL one, everybody may do everything; with an empty one, nobody may do anything."""
    empty = laid_out("dacl", control=0x8004, dacl=b"\2\0\x08\0\0\0\0\0")
    absent, null, none = map(SecurityDescriptor.parse, (laid_out(control=0x8000), laid_out(control=0x8004), empty))
    assert [descriptor_to_sddl(descriptor) for descriptor in (absent, null, none)] == ["", "D:NO_ACCESS_CONTROL", "D:"]
    for descriptor in (absent, null):
        with pytest.raises(DelegationError, match="everybody may do everything"):
            compare("OU=x", descriptor, DESIRED)
    assert compare("OU=x", none, DESIRED)[0] is not None
