# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import uuid

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    GENERIC_ALL,
    GENERIC_READ,
    INHERIT_ONLY,
    READ_PROPERTY,
    AccessRule,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    SecurityDescriptor,
    new_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import ADMINISTRATORS, EVERYONE, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.service_account.password import (
    denied_in,
    doubtful_in,
    edited,
    readers_descriptor,
    readers_in,
)

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
    after = edited(before, (TWO,), (ONE,))
    assert readers_in(after) == (TWO,)
    assert aces(after)[:2] == (deny.to_ace(), other.to_ace())
    assert len(aces(after)) == 3
    assert edited(before, (ONE,), (ONE,)) == before


def test_a_missing_list_means_everyone_and_is_made_anew() -> None:
    bare = dataclasses.replace(SecurityDescriptor.parse(readers_descriptor(())), dacl=None).to_bytes()
    assert (readers_in(bare), doubtful_in(bare)) == ((EVERYONE,), ())
    assert edited(bare, (ONE,), (EVERYONE,)) == readers_descriptor((ONE,)) == edited(b"", (ONE,), ())


def test_a_generic_right_is_a_doubtful_one() -> None:
    all_of, read, sure = AccessRule(True, GENERIC_ALL, ONE), AccessRule(True, GENERIC_READ, TWO), READ_PROPERTY
    data = descriptor(all_of, read, AccessRule(True, GENERIC_ALL | sure, THREE), AccessRule(False, GENERIC_READ, THREE))
    assert readers_in(data) == (ONE, TWO, THREE)
    assert doubtful_in(data) == (ONE, TWO)
    assert denied_in(data) == (THREE,)
    assert doubtful_in(descriptor(all_of, AccessRule(True, sure, ONE))) == ()


def test_a_doubtful_entry_goes_with_its_reader_is_replaced_for_one_that_counts_and_stays_otherwise() -> None:
    generic, read = AccessRule(True, GENERIC_ALL, ONE), AccessRule(True, READ_PROPERTY, TWO)
    before = descriptor(generic, read)
    assert aces(edited(before, (TWO,), (ONE, TWO))) == (read.to_ace(),)
    assert edited(before, (ONE, TWO), (ONE, TWO)) == before
    replaced = edited(before, (ONE, TWO), (TWO,))
    assert (readers_in(replaced), doubtful_in(replaced)) == ((TWO, ONE), ())
    assert generic.to_ace() not in aces(replaced)
