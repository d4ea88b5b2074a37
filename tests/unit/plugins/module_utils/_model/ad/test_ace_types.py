# SPDX-License-Identifier: GPL-3.0-or-later
"""Every type of entry that MS-DTYP 2.4.4 knows, and some that it does not: read, shown, and never written anew."""

from __future__ import annotations

import typing as t
import uuid
from dataclasses import dataclass

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Trustee, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule, ace_to_sddl, trustee_in
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    MalformedDescriptor,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.comparison import compare
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.desired import Desired
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import RIGHTS

TRUSTEE = "S-1-5-21-1-2-3-1104"
SID = bytes.fromhex("01050000000000051500000001000000020000000300000050040000")
TYPE, HEIR = uuid.UUID("bf967a86-0de6-11d0-a285-00aa003049e2"), uuid.UUID("bf967aa5-0de6-11d0-a285-00aa003049e2")
CREATE = b"\1\0\0\0"
CONDITION = b"artx\xf8\x08\0\0\0a\0b\0c\0d\0\0"
CLAIM = b"\x14\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\x1c\0\0\0n\0\0\0\1\0\0\0\0\0\0\0"
BOTH = b"\3\0\0\0" + TYPE.bytes_le + HEIR.bytes_le


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of entry.

    Attributes:
        number: AceType.
        name: In MS-DTYP 2.4.4.1.
        sddl: In MS-DTYP 2.5.1.1; "" when it has no name there.
        typed: Flags and GUIDs stand between mask and SID.
        decides: True when it allows, False when it denies, None when it does neither.
        more: What such an entry carries behind the SID.

    """

    number: int
    name: str
    sddl: str
    typed: bool = False
    decides: bool | None = None
    more: bytes = b""

    def body(self, typed: bytes = BOTH) -> bytes:
        return CREATE + (typed if self.typed else b"") + SID + self.more

    def ace(self, typed: bytes = BOTH) -> bytes:
        return packed(self.number, self.body(typed))


def packed(number: int, body: bytes, flags: int = 0x02) -> bytes:
    body += b"\0" * (-len(body) % 4)
    return bytes((number, flags)) + (len(body) + 4).to_bytes(2, "little") + body


KINDS = [
    Kind(0x00, "ACCESS_ALLOWED", "A", decides=True),
    Kind(0x01, "ACCESS_DENIED", "D", decides=False),
    Kind(0x02, "SYSTEM_AUDIT", "AU"),
    Kind(0x03, "SYSTEM_ALARM", "AL"),
    Kind(0x05, "ACCESS_ALLOWED_OBJECT", "OA", typed=True, decides=True),
    Kind(0x06, "ACCESS_DENIED_OBJECT", "OD", typed=True, decides=False),
    Kind(0x07, "SYSTEM_AUDIT_OBJECT", "OU", typed=True),
    Kind(0x08, "SYSTEM_ALARM_OBJECT", "OL", typed=True),
    Kind(0x09, "ACCESS_ALLOWED_CALLBACK", "XA", decides=True, more=CONDITION),
    Kind(0x0A, "ACCESS_DENIED_CALLBACK", "XD", decides=False, more=CONDITION),
    Kind(0x0B, "ACCESS_ALLOWED_CALLBACK_OBJECT", "ZA", typed=True, decides=True, more=CONDITION),
    Kind(0x0C, "ACCESS_DENIED_CALLBACK_OBJECT", "", typed=True, decides=False, more=CONDITION),
    Kind(0x0D, "SYSTEM_AUDIT_CALLBACK", "XU", more=CONDITION),
    Kind(0x0E, "SYSTEM_ALARM_CALLBACK", "", more=CONDITION),
    Kind(0x0F, "SYSTEM_AUDIT_CALLBACK_OBJECT", "", typed=True, more=CONDITION),
    Kind(0x10, "SYSTEM_ALARM_CALLBACK_OBJECT", "", typed=True, more=CONDITION),
    Kind(0x11, "SYSTEM_MANDATORY_LABEL", "ML"),
    Kind(0x12, "SYSTEM_RESOURCE_ATTRIBUTE", "RA", more=CLAIM),
    Kind(0x13, "SYSTEM_SCOPED_POLICY_ID", "SP"),
]  # fmt: skip
# ACCESS_ALLOWED_COMPOUND and what is reserved for the future: nobody says what is in them.
UNKNOWN = [
    packed(number, b"\1\2\3\4" * length) for number in (0x04, 0x14, 0x15, 0x20, 0x77, 0xFF) for length in (0, 1, 9)
]
NAMED = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def descriptor(*aces: bytes, part: str = "dacl") -> SecurityDescriptor:
    parts: dict[str, t.Any] = {part: Acl(4, aces)}
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT | 0x10, **parts)


@NAMED
@pytest.mark.parametrize("typed", [BOTH, b"\1\0\0\0" + TYPE.bytes_le, b"\2\0\0\0" + HEIR.bytes_le, b"\0\0\0\0"])
def test_what_an_entry_says(kind: Kind, typed: bytes) -> None:
    ace = kind.ace(typed)
    rule = AccessRule.from_ace(ace)
    assert trustee_in(ace) == SID
    if kind.decides is None:
        assert rule is None
        return
    object_type = TYPE if kind.typed and typed[0] & 1 else None
    heir = HEIR if kind.typed and typed[0] & 2 else None
    conditional = bool(kind.more)
    assert rule == AccessRule(kind.decides, 1, Sid.parse(TRUSTEE), object_type, heir, 0x02, conditional)


@NAMED
def test_how_an_entry_is_shown(kind: Kind) -> None:
    types = f"{TYPE};{HEIR}" if kind.typed else ";"
    right = "NW" if kind.name == "SYSTEM_MANDATORY_LABEL" else "CC"
    carried = kind.more + b"\0" * (-len(kind.body()) % 4)
    more = f";0x{carried.hex()}" if carried else ""
    assert ace_to_sddl(kind.ace()) == f"({kind.sddl or f'0x{kind.number:02X}'};CI;{right};{types};{TRUSTEE}{more})"


@pytest.mark.parametrize("ace", UNKNOWN, ids=bytes.hex)
def test_an_unknown_entry_is_kept_raw(ace: bytes) -> None:
    assert AccessRule.from_ace(ace) is None
    assert trustee_in(ace) is None
    assert ace_to_sddl(ace) == f"(0x{ace[0]:02X};CI;{ace[4:].hex()})"


@pytest.mark.parametrize("part", ["dacl", "sacl"])
@pytest.mark.parametrize("ace", [*(kind.ace() for kind in KINDS), *UNKNOWN], ids=lambda ace: f"{ace[0]:02x}-{len(ace)}")
def test_an_entry_comes_back_wherever_it_stands(ace: bytes, part: str) -> None:
    data = descriptor(ace, ace, part=part).to_bytes()
    assert data.count(ace) == 2
    assert SecurityDescriptor.parse(data).to_bytes() == data


@pytest.mark.parametrize("present", [True, False])
def test_a_delegation_writes_none_of_them_anew(present: bool) -> None:
    """Every kind, its spare bytes, and entries of the same account that are no delegation stay the bytes they were."""
    others = [*(kind.ace() for kind in KINDS), *UNKNOWN]
    others = sorted(others, key=lambda ace: ace[0] not in {0x01, 0x06, 0x0A, 0x0C})
    account = Trustee(Sid.parse("S-1-5-21-1-2-3-1105"), "CONTOSO\\msaODJab1cd$")
    rights = tuple(right.reaching("this_object") for right in RIGHTS.values())
    ours = tuple(part.rule(account.sid, subtree=False).to_ace() for right in rights for part in right.parts)
    before = descriptor(*others) if present else descriptor(*others, *ours)
    change, __ = compare("OU=x", before, Desired((token_of(account, None),), rights, present))
    assert change is not None
    assert change.wanted == (descriptor(*others, *ours) if present else descriptor(*others)).to_bytes()


@NAMED
def test_an_entry_that_is_too_short_for_its_type_is_refused(kind: Kind) -> None:
    whole = kind.ace()
    needed = 4 + len(CREATE + (BOTH if kind.typed else b"") + SID)
    for length in range(4, needed, 4):
        cut = whole[:2] + length.to_bytes(2, "little") + whole[4:length]
        with pytest.raises(MalformedDescriptor):
            SecurityDescriptor.parse(descriptor(cut).to_bytes())
