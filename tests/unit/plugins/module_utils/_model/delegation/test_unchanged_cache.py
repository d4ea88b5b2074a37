# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.comparison import UnchangedCache

MINE, OTHER = Sid(5, (21, 1, 2, 3, 1001)), Sid(5, (21, 1, 2, 3, 1002))
GRANT, DENY = AccessRule(True, 1, MINE).to_ace(), AccessRule(False, 1, EVERYONE).to_ace()
NOISE, MORE = AccessRule(True, 16, OTHER).to_ace(), AccessRule(True, 32, OTHER).to_ace()
TOLD = [{"state": "present"}]


def listing(*aces: bytes) -> SecurityDescriptor:
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, dacl=Acl(4, aces))


@pytest.fixture
def settled() -> UnchangedCache[list[dict[str, str]]]:
    known: UnchangedCache[list[dict[str, str]]] = UnchangedCache([MINE, EVERYONE])
    known.add(listing(NOISE, GRANT), TOLD)
    return known


@pytest.mark.parametrize("aces", [(NOISE, GRANT), (GRANT,), (GRANT, NOISE, MORE, b"\x20\x00\x14\x00" + bytes(16))])
def test_entries_of_others_do_not_count(settled: UnchangedCache[list[dict[str, str]]], aces: tuple[bytes, ...]) -> None:
    assert settled.find(listing(*aces)) is TOLD


@pytest.mark.parametrize("aces", [(), (NOISE,), (DENY, GRANT), (GRANT, DENY), (GRANT, GRANT)])
def test_entries_that_count_do(settled: UnchangedCache[list[dict[str, str]]], aces: tuple[bytes, ...]) -> None:
    assert settled.find(listing(*aces)) is None


def test_no_list_is_never_settled(settled: UnchangedCache[list[dict[str, str]]]) -> None:
    settled.add(SecurityDescriptor(SELF_RELATIVE), TOLD)
    assert settled.find(SecurityDescriptor(SELF_RELATIVE)) is None
