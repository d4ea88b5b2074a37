# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import uuid

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.access_rule import (
    INHERIT_ONLY,
    READ_PROPERTY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.security_descriptor import (
    SecurityDescriptor,
    new_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account_readers import (
    denied_in,
    edited,
    readers_descriptor,
    readers_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.sid import ADMINISTRATORS, EVERYONE, Sid

ONE, TWO, THREE = (Sid(5, (21, 1, 2, 3, number)) for number in (515, 1000, 1001))


def descriptor(*rules: AccessRule) -> bytes:
    return new_descriptor(ADMINISTRATORS.to_bytes(), tuple(rule.to_ace() for rule in rules)).to_bytes()


def aces(data: bytes) -> tuple[bytes, ...]:
    dacl = SecurityDescriptor.parse(data).dacl
    return dacl.aces if dacl else ()


def test_readers_come_back_from_their_descriptor() -> None:
    assert readers_in(readers_descriptor((ONE, TWO))) == (ONE, TWO)
    assert readers_in(readers_descriptor(())) == ()


def test_only_entries_that_let_read_here_make_a_reader() -> None:
    data = descriptor(
        AccessRule(False, READ_PROPERTY, THREE),
        AccessRule(True, READ_PROPERTY, ONE),
        AccessRule(True, 0x20, TWO),
        AccessRule(True, READ_PROPERTY, TWO, uuid.UUID(int=1)),
        AccessRule(True, READ_PROPERTY, TWO, flags=INHERIT_ONLY),
        AccessRule(True, READ_PROPERTY, ONE),
    )
    assert readers_in(data) == (ONE,)
    assert denied_in(data) == (THREE,)


def test_an_edit_leaves_what_it_does_not_speak_of() -> None:
    deny, other = AccessRule(False, READ_PROPERTY, THREE), AccessRule(True, 0x20, TWO)
    before = descriptor(deny, AccessRule(True, READ_PROPERTY, ONE), other)
    after = edited(before, (TWO,))
    assert readers_in(after) == (TWO,)
    assert aces(after)[:2] == (deny.to_ace(), other.to_ace())
    assert len(aces(after)) == 3
    assert edited(before, (ONE,)) == before


def test_a_missing_list_means_everyone_and_is_made_anew() -> None:
    bare = dataclasses.replace(SecurityDescriptor.parse(readers_descriptor(())), dacl=None).to_bytes()
    assert readers_in(bare) == (EVERYONE,)
    assert edited(bare, (ONE,)) == readers_descriptor((ONE,)) == edited(b"", (ONE,))
