# SPDX-License-Identifier: GPL-3.0-or-later
"""Active Directory sorts a canonical list when it is written (MS-ADTS 6.1.3.1): that is no change of its meaning."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.ace import AccessRule, in_standard_order
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.security_descriptor import (
    DACL_PRESENT,
    SELF_RELATIVE,
    Acl,
    SecurityDescriptor,
)
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.ad.sid import Sid
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.restore_point import fingerprint
from ansible_collections.hybridjoin.odj.plugins.module_utils._model.delegation.rights import COMPUTER_CLASS
from ansible_collections.hybridjoin.odj.tests.unit.fakes.standard_order import standardised

RULES = st.builds(
    AccessRule,
    st.booleans(),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([Sid(5, (21, 1, 2, 3, number)) for number in (1104, 1105, 70000)]),
    st.sampled_from([None, COMPUTER_CLASS]),
    flags=st.sampled_from([0, 2, 0x10, 0x12]),
)


def stage(rule: AccessRule) -> tuple[bool, bool]:
    return rule.inherited, rule.allow and not rule.inherited


def listed(*rules: AccessRule) -> SecurityDescriptor:
    return SecurityDescriptor(SELF_RELATIVE | DACL_PRESENT, dacl=Acl(4, tuple(rule.to_ace() for rule in rules)))


@given(st.lists(RULES, max_size=8), st.randoms())
def test_the_order_within_a_stage_and_repetitions_do_not_count(rules: list[AccessRule], random: Random) -> None:
    rules.sort(key=stage)
    other = [*rules, *rules[:2]]
    random.shuffle(other)
    other.sort(key=stage)
    assert fingerprint(listed(*rules)) == fingerprint(listed(*other))
    kept = SecurityDescriptor.parse(standardised(listed(*rules).to_bytes()))
    assert fingerprint(kept) == fingerprint(listed(*rules))


@given(st.lists(RULES.filter(lambda rule: not rule.inherited), min_size=1, max_size=8), RULES)
def test_another_entry_counts(rules: list[AccessRule], one_more: AccessRule) -> None:
    rules.sort(key=stage)
    more = sorted([*rules, one_more], key=stage)
    same = one_more in rules or one_more.inherited
    assert (fingerprint(listed(*rules)) == fingerprint(listed(*more))) == same


def test_where_the_order_decides_it_counts() -> None:
    trustee = Sid(5, (21, 1, 2, 3, 1104))
    deny, allow = AccessRule(False, 1, trustee, COMPUTER_CLASS), AccessRule(True, 1, trustee, COMPUTER_CLASS)
    assert fingerprint(listed(deny, allow)) != fingerprint(listed(allow, deny))
    assert in_standard_order((allow.to_ace(), deny.to_ace())) == (allow.to_ace(), deny.to_ace())
