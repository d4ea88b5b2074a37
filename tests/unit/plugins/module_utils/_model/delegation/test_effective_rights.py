# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import uuid
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.account import Token, Trustee, token_of
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import (
    CONTAINER_INHERIT,
    CREATE_CHILD,
    FULL_CONTROL,
    GENERIC_ALL,
    INHERIT_ONLY,
    AccessRule,
    aces_in,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
    new_descriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import EVERYONE, OWNER_RIGHTS, Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.effective_rights import (
    Decision,
    applies_to,
    may_create_computers,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.tests.unit.fakes.directory_values import AUTHENTICATED_USERS
from ansible_collections.hybridjoin.odj.tests.unit.fakes.plain_access import allowed, in_force, read_ace

DOMAIN = Sid(5, (21, 1, 2, 3, 0))
ME, MY_GROUP, STRANGER, ADMINS = (DOMAIN.sibling(number) for number in (1101, 1102, 1103, 512))
USER_CLASS = uuid.UUID("bf967aba-0de6-11d0-a285-00aa003049e2")
TOKEN = token_of(Trustee(ME, "CONTOSO\\me$", primary_group=DOMAIN.sibling(515)), [MY_GROUP])
CREATE = AccessRule(True, CREATE_CHILD, ME, COMPUTER_CLASS)


def judge(*rules: AccessRule | bytes, token: Token = TOKEN, owner: Sid = ADMINS) -> Decision:
    aces = tuple(rule if isinstance(rule, bytes) else rule.to_ace() for rule in rules)
    return may_create_computers(new_descriptor(owner.to_bytes(), aces), token)


def allow(
    trustee: Sid, mask: int = CREATE_CHILD, kind: uuid.UUID | None = COMPUTER_CLASS, flags: int = 0
) -> AccessRule:
    return AccessRule(True, mask, trustee, kind, flags=flags)


def deny(trustee: Sid, mask: int = CREATE_CHILD, kind: uuid.UUID | None = COMPUTER_CLASS, flags: int = 0) -> AccessRule:
    return AccessRule(False, mask, trustee, kind, flags=flags)


def with_condition(rule: AccessRule) -> bytes:
    """Return the entry as one that holds under a condition (callback types, MS-DTYP 2.4.4.6 to 2.4.4.9)."""
    ace = rule.to_ace()
    data = ace[4:] + b"artx"
    callback = {0x00: 0x09, 0x01: 0x0A, 0x05: 0x0B, 0x06: 0x0C}[ace[0]]
    return bytes((callback, ace[1])) + (len(data) + 4).to_bytes(2, "little") + data


@pytest.mark.parametrize(
    ("rules", "verdict", "reason"),
    [
        ([], "false", "not_granted"),
        ([CREATE], "true", "allowed"),
        ([allow(MY_GROUP)], "true", "allowed"),
        ([allow(DOMAIN.sibling(515))], "true", "allowed"),
        ([allow(EVERYONE, kind=None)], "true", "allowed"),
        ([allow(AUTHENTICATED_USERS)], "true", "allowed"),
        ([allow(Sid(5, (15,)))], "true", "allowed"),
        ([allow(ME, GENERIC_ALL, None)], "true", "allowed"),
        ([allow(ME, FULL_CONTROL, None)], "true", "allowed"),
        ([allow(ME, FULL_CONTROL & ~CREATE_CHILD, None)], "false", "not_granted"),
        ([allow(ME, kind=USER_CLASS)], "false", "not_granted"),
        ([allow(STRANGER)], "false", "not_granted"),
        ([allow(Sid(5, (32, 544)))], "false", "not_granted"),
        ([allow(Sid(5, (18,)))], "false", "not_granted"),
        ([allow(Sid(5, (10,)))], "false", "not_granted"),
        ([allow(Sid(3, (0,)))], "false", "not_granted"),
        ([allow(ME, flags=CONTAINER_INHERIT | INHERIT_ONLY)], "false", "not_granted"),
        ([deny(ME, flags=CONTAINER_INHERIT | INHERIT_ONLY), CREATE], "true", "allowed"),
        ([deny(EVERYONE), CREATE], "false", "denied"),
        ([deny(EVERYONE, kind=None), CREATE], "false", "denied"),
        ([CREATE, deny(EVERYONE)], "true", "allowed"),
        ([deny(ME, kind=USER_CLASS), CREATE], "true", "allowed"),
        ([deny(STRANGER), CREATE], "true", "allowed"),
        ([allow(Sid(5, (64, 10)))], "unknown", "membership"),
        ([allow(DOMAIN.sibling(1199))], "false", "not_granted"),
        ([allow(Sid(5, (21, 0, 0, 0, 497)))], "unknown", "membership"),
        ([deny(Sid(5, (64, 10)))], "false", "not_granted"),
        ([deny(Sid(5, (64, 10))), CREATE], "unknown", "membership"),
        ([CREATE, deny(Sid(5, (64, 10)))], "true", "allowed"),
        ([allow(Sid(5, (64, 10))), deny(ME)], "unknown", "membership"),
        ([allow(Sid(5, (64, 10))), CREATE], "true", "allowed"),
        ([with_condition(CREATE)], "unknown", "condition"),
        ([with_condition(CREATE), CREATE], "true", "allowed"),
        ([with_condition(allow(STRANGER))], "false", "not_granted"),
        ([with_condition(deny(EVERYONE)), CREATE], "unknown", "condition"),
        ([with_condition(deny(EVERYONE)), deny(ME), CREATE], "false", "denied"),
        ([b"\x02\x40\x14\x00\x01\x00\x00\x00" + EVERYONE.to_bytes(), CREATE], "true", "allowed"),
    ],
)
def test_the_first_entry_that_speaks_of_it_decides(rules: list[AccessRule | bytes], verdict: str, reason: str) -> None:
    decision = judge(*rules)
    assert (decision.verdict, decision.reason) == (verdict, reason)
    assert (decision.entry is None) == (reason == "not_granted")


def test_an_owner_may_change_permissions_and_no_more() -> None:
    assert judge(owner=ME).verdict == "false"
    assert judge(allow(OWNER_RIGHTS)).verdict == "false"
    assert judge(allow(OWNER_RIGHTS), owner=ME).verdict == "unknown"
    assert judge(allow(OWNER_RIGHTS), CREATE, owner=ME).verdict == "true"


def test_no_list_lets_everybody_in_and_an_unreadable_one_says_nothing() -> None:
    assert may_create_computers(SecurityDescriptor(SELF_RELATIVE), TOKEN) == Decision("true", "no_access_list")
    empty = SecurityDescriptor(SELF_RELATIVE | 4, dacl=Acl(2, ()))
    assert may_create_computers(empty, TOKEN) == Decision("false", "not_granted")
    assert may_create_computers(None, TOKEN) == Decision("unknown", "unreadable")


def test_unknown_memberships_make_groups_doubtful_and_nothing_else() -> None:
    token = token_of(Trustee(ME, "me"), None)
    assert not token.complete
    assert judge(allow(STRANGER), token=token) == judge(allow(STRANGER), deny(ME), token=token)
    assert judge(allow(STRANGER), token=token).verdict == "unknown"
    assert judge(deny(STRANGER), CREATE, token=token).verdict == "unknown"
    assert judge(CREATE, deny(STRANGER), token=token).verdict == "true"
    assert judge(allow(Sid(5, (18,))), token=token).verdict == "false"


def test_a_group_that_everybody_is_in_counts_when_it_is_built_in_and_is_doubtful_otherwise() -> None:
    users, local = Sid(5, (32, 545)), DOMAIN.sibling(1500)
    token = token_of(Trustee(ME, "me"), [MY_GROUP], by_everyone=[users], doubtful=[users, local, MY_GROUP])
    assert [token.holds(sid) for sid in (users, MY_GROUP, local, STRANGER)] == [True, True, None, False]


def test_a_domain_controller_is_one_of_the_enterprise() -> None:
    enterprise = Sid(5, (9,))
    assert not TOKEN.holds(enterprise)
    assert token_of(Trustee(ME, "dc1$", primary_group=DOMAIN.sibling(516)), [DOMAIN.sibling(516)]).holds(enterprise)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0x00, "this_object"), (0x01, "this_object"), (0x02, "subtree"), (0x12, "subtree"), (0x0A, "descendants"),
        (0x06, "this_object_and_children"), (0x0E, "children"), (0x08, "nothing"), (0x09, "nothing"),
    ],
)  # fmt: skip
def test_applies_to(flags: int, expected: str) -> None:
    assert applies_to(AccessRule(True, 1, ME, flags=flags)) == expected


rules = st.builds(
    AccessRule,
    allow=st.booleans(),
    mask=st.sampled_from([CREATE_CHILD, 3, FULL_CONTROL, GENERIC_ALL, 0x10, FULL_CONTROL & ~1]),
    trustee=st.sampled_from([ME, MY_GROUP, STRANGER, EVERYONE, Sid(5, (64, 10)), OWNER_RIGHTS]),
    object_type=st.sampled_from([None, COMPUTER_CLASS, USER_CLASS]),
    inherited_type=st.sampled_from([None, USER_CLASS]),
    flags=st.sampled_from([0, 2, 10, 0x12]),
)


entries_or_conditions = st.tuples(rules, st.sampled_from([False, False, False, True]))


@given(st.lists(entries_or_conditions, max_size=8), st.sampled_from([ME, ADMINS]))
def test_unknown_is_what_depends_on_the_unknown_and_nothing_else(
    listed: list[tuple[AccessRule, bool]], owner: Sid
) -> None:
    """Go through the list once for each way the unknown can turn out, as a server that knows it would."""
    aces = [with_condition(rule) if conditional else rule.to_ace() for rule, conditional in listed]
    doubtful = [index for index, (rule, conditional) in enumerate(listed) if conditional]
    outcomes = set()
    for through_ntlm, owner_counts, count in product((True, False), (True, False), range(len(doubtful) + 1)):
        held = {ME, MY_GROUP, EVERYONE} | ({Sid(5, (64, 10))} if through_ntlm else set())
        held |= {OWNER_RIGHTS} if owner_counts and owner == ME else set()
        sids = {sid.to_bytes() for sid in held}
        for fails in combinations(doubtful, count):
            plain = [ace for index, ace in enumerate(map(read_ace, aces)) if ace and index not in fails]
            in_question = in_force(plain, 0, COMPUTER_CLASS)
            outcomes.add(allowed(in_question, sids, CREATE_CHILD, COMPUTER_CLASS, conditions=True))
    decision = judge(*aces, owner=owner)
    assert outcomes == {"true": {True}, "false": {False}, "unknown": {True, False}}[decision.verdict]


def test_entries_are_those_that_allow_or_deny() -> None:
    audit = b"\x02\x40\x14\x00\x01\x00\x00\x00" + EVERYONE.to_bytes()
    descriptor = new_descriptor(ADMINS.to_bytes(), (audit, CREATE.to_ace(), b"\x77\x00\x08\x00abcd"))
    assert [entry.rule for entry in aces_in(descriptor)] == [CREATE]
