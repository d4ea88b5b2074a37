# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import uuid

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule, ace_to_sddl, dacl_lines
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_values import descriptor_to_sddl

TYPE = uuid.UUID("bf967a86-0de6-11d0-a285-00aa003049e2")
OTHER = uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2")


@pytest.mark.parametrize(
    ("ace", "text"),
    [
        (AccessRule(True, 1, EVERYONE).to_ace(), "(A;;CC;;;WD)"),
        (AccessRule(False, 0xF01FF, EVERYONE).to_ace(), "(D;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)"),
        (AccessRule(True, 1, EVERYONE, TYPE).to_ace(), f"(OA;;CC;{TYPE};;WD)"),
        (AccessRule(True, 0x20, EVERYONE, None, OTHER, 0x1A).to_ace(), f"(OA;CIIOID;WP;;{OTHER};WD)"),
        (AccessRule(False, 0x100, EVERYONE, TYPE, OTHER, 2).to_ace(), f"(OD;CI;CR;{TYPE};{OTHER};WD)"),
        (AccessRule(True, 0x200001, EVERYONE).to_ace(), "(A;;0x200001;;;WD)"),
        (b"\x09\0\x18\0\1\0\0\0" + EVERYONE.to_bytes() + b"artx", "(XA;;CC;;;WD;0x61727478)"),
        (b"\x15\0\x08\0abcd", "(0x15;;61626364)"),
    ],
)
def test_entries(ace: bytes, text: str) -> None:
    assert ace_to_sddl(ace) == text


def test_a_descriptor_and_its_lines() -> None:
    ace = AccessRule(True, 1, EVERYONE).to_ace()
    control = SELF_RELATIVE | DACL_PRESENT | 0x1400
    descriptor = SecurityDescriptor(control, owner=EVERYONE.to_bytes(), dacl=Acl(2, (ace, ace)))
    assert descriptor_to_sddl(descriptor) == "O:WDD:PAI(A;;CC;;;WD)(A;;CC;;;WD)"
    assert dacl_lines(descriptor) == "(A;;CC;;;WD)\n(A;;CC;;;WD)\n"
    assert descriptor_to_sddl(SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT)) == "D:NO_ACCESS_CONTROL"
